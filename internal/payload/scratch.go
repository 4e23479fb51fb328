package payload

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
)

// Pool keeps the memory in which payloads are written, to be used again. Its zero value is not usable; see NewPool.
type Pool struct{ pool sync.Pool }

// Scratch is such memory.
type Scratch struct {
	buf bytes.Buffer
	enc *json.Encoder
}

// scratchKeep is the largest buffer kept for the next event.
const scratchKeep = 1 << 20

// NewPool is an empty pool.
func NewPool() *Pool {
	return &Pool{sync.Pool{New: func() any {
		s := &Scratch{}
		s.enc = json.NewEncoder(&s.buf)
		s.enc.SetEscapeHTML(false)
		return s
	}}}
}

// Get takes a scratch from the pool; Put gives it back.
func (p *Pool) Get() *Scratch { return p.pool.Get().(*Scratch) }

// Put gives s back: what its Marshal returned is valid no longer.
func (p *Pool) Put(s *Scratch) {
	if s.buf.Cap() <= scratchKeep {
		p.pool.Put(s)
	}
}

// Marshal returns the payload as JSON, valid until the scratch is used again. raw
// says that bytes of the caller are in it that were not looked into.
func (s *Scratch) Marshal(payload any) (b []byte, raw bool, err error) {
	switch v := payload.(type) {
	case json.RawMessage:
		return bytes.TrimSpace(v), true, nil
	case []byte:
		return bytes.TrimSpace(v), true, nil
	case string: // a JSON text, as command lines and files have it
		s.buf.Reset()
		s.buf.WriteString(strings.TrimSpace(v))
		return s.buf.Bytes(), true, nil
	}
	s.buf.Reset()
	dst, ok, unread, err := appendPayload(s.buf.AvailableBuffer(), payload)
	if ok {
		s.buf.Write(dst) // copies only when it grew out of the buffer, which then grows too
		return dst, unread, nil
	}
	if err != nil {
		return nil, false, err
	}
	if err := s.enc.Encode(payload); err != nil {
		return nil, false, err
	}
	return bytes.TrimSuffix(s.buf.Bytes(), []byte("\n")), false, nil
}

// Encode is v as JSON without HTML escaping: the text stays as people wrote it, and shorter.
func Encode(v any) ([]byte, error) {
	var room int
	if text, ok := v.(string); ok {
		room = len(text) + len(text)/16 + len(`""`) // most texts need few escapes
	}
	if b, ok := appendValue(make([]byte, 0, room), v, 0); ok {
		return b, nil
	}
	return encoded(v)
}

// encoded is Encode by reflection.
func encoded(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
