package server

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// PositionKeySize is how long Options.PositionKey is, in bytes.
const PositionKeySize = 32

// What a sealed position is for. One kind is not taken for the other.
const (
	ofStream = "stream"
	ofEvents = "events"
)

// positions seals places in the Log before clients see them: a Seq counts the events of
// all projects, and its differences say how much the others send. A sealed place is
// random to whoever has not the key, also when it is the same place again; it is
// good for one project and one purpose, and cannot be made or changed outside.
type positions struct{ aead cipher.AEAD }

func newPositions(key []byte) (*positions, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("position key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("position key: %w", err)
	}
	return &positions{aead: aead}, nil
}

func (p *positions) seal(purpose, project string, at ...entity.Seq) string {
	plain := make([]byte, 0, 16)
	for _, seq := range at {
		plain = binary.BigEndian.AppendUint64(plain, uint64(seq))
	}
	return base64.RawURLEncoding.EncodeToString(p.aead.Seal(nil, nil, plain, bound(purpose, project)))
}

// open reads what seal made of len(at) places, for the same purpose and project only.
func (p *positions) open(text, purpose, project string, at ...*entity.Seq) bool {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) != p.aead.Overhead()+8*len(at) {
		return false
	}
	plain, err := p.aead.Open(nil, nil, sealed, bound(purpose, project))
	if err != nil {
		return false
	}
	for i, seq := range at {
		*seq = entity.Seq(binary.BigEndian.Uint64(plain[8*i:]))
	}
	return true
}

// bound is what a sealed place is tied to. A project's name has no NUL.
func bound(purpose, project string) []byte { return []byte(purpose + "\x00" + project) }

// SharePositions has cursors of events sealed by a key that all nodes have, so that one may go on where another one was: what they
// page through is the same. It may be called at any time. Places of the stream stay this node's own.
func (s *Server) SharePositions(key []byte) error {
	shared, err := newPositions(key)
	if err != nil {
		return err
	}
	s.shared.Store(shared)
	return nil
}

// places seals cursors of events.
func (s *Server) places() *positions {
	if shared := s.shared.Load(); shared != nil {
		return shared
	}
	return s.positions
}
