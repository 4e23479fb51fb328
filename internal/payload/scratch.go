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
	mem  []byte // of what is not written by enc
	buf  bytes.Buffer
	enc  *json.Encoder
	rest []Held
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

// Put gives s back: what its Write returned is valid no longer.
func (p *Pool) Put(s *Scratch) {
	clear(s.rest) // holds nothing of the program
	if s.buf.Cap() <= scratchKeep && cap(s.mem) <= scratchKeep {
		p.pool.Put(s)
	}
}

// Write returns the payload as JSON, valid until the scratch is used again. What nobody can change any more is left for later,
// if the whole will have at most that many bytes; 0 leaves nothing.
func (s *Scratch) Write(payload any, most int) (Written, error) {
	s.buf.Reset()
	s.rest = s.rest[:0]
	switch v := payload.(type) {
	case json.RawMessage:
		return Written{Text: bytes.TrimSpace(v), Raw: true}.whole(), nil
	case []byte:
		return Written{Text: bytes.TrimSpace(v), Raw: true}.whole(), nil
	case string: // a JSON text, as command lines and files have it
		if n := len(v); n > shortText && n <= most && isBraced(v) {
			s.rest = append(s.rest, Held{Text: v})
			return Written{Rest: s.rest, Whole: true, Raw: true, Size: n, Max: n}, nil
		}
		s.mem = append(s.mem[:0], strings.TrimSpace(v)...)
		return Written{Text: s.mem, Raw: true}.whole(), nil
	case map[string]any:
		if v == nil || most == 0 {
			break
		}
		if w, ok := s.object(v); ok && w.Max <= most {
			s.mem = w.Text
			return w, nil
		}
		s.rest = s.rest[:0]
	}
	w, ok, err := s.known(payload, most)
	if ok {
		s.mem = w.Text
		return w, nil
	}
	if err != nil {
		return w, err
	}
	if err := s.enc.Encode(payload); err != nil {
		return w, err
	}
	return Written{Text: bytes.TrimSuffix(s.buf.Bytes(), []byte("\n"))}.whole(), nil
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
