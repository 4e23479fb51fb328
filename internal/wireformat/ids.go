package wireformat

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// IDs makes the ids of events of one project that have none of their own: a prefix, and in hex the
// first 128 bits of a SHA-256 of the project and what the event is, so that a request that is
// sent again is a duplicate. It is for one goroutine.
type IDs struct {
	prefix  string
	project []byte // its length stands before it so that no two inputs run together alike
	h       hash.Hash
	sum     [sha256.Size]byte
	text    []byte
}

// NewIDs begins for a format, whose ids begin with prefix, and a project.
func NewIDs(prefix, project string) *IDs {
	size := binary.BigEndian.AppendUint64(nil, uint64(len(project)))
	return &IDs{prefix: prefix, project: append(size, project...), h: sha256.New()}
}

// Of is the id of what these bytes, one behind the other, are.
func (i *IDs) Of(parts ...[]byte) string {
	i.h.Reset()
	i.h.Write(i.project)
	for _, part := range parts {
		i.h.Write(part)
	}
	i.text = hex.AppendEncode(append(i.text[:0], i.prefix...), i.h.Sum(i.sum[:0])[:16])
	return string(i.text)
}
