package medium

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Medium is one that was taken out of a payload.
type Medium struct {
	Reference
	text  []byte // its base64
	sniff string // the type that its first bytes say
}

// chunk is how many characters are decoded at once: a multiple of four, which no form fills up.
const chunk = 32 << 10

// WriteTo writes the bytes of the medium.
func (m *Medium) WriteTo(w io.Writer) (n int64, err error) {
	buf := make([]byte, chunk/4*3)
	for rest := m.text; len(rest) > 0; {
		piece := rest[:min(len(rest), chunk)]
		rest = rest[len(piece):]
		size, err := forms[m.form].Decode(buf, piece)
		if err != nil {
			return n, err
		}
		written, err := w.Write(buf[:size])
		n += int64(written)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// read reads base64; ok is false when it is none, or not as it would be written again.
func read(text []byte) (m Medium, ok bool) {
	m.text = text
	if m.form, ok = formOf(text); !ok {
		return m, false
	}
	sum := sha256.New()
	var head firstBytes
	var err error
	if m.Size, err = m.WriteTo(io.MultiWriter(sum, &head)); err != nil || m.Size == 0 {
		return m, false
	}
	m.Hash = hex.EncodeToString(sum.Sum(nil))
	m.sniff, _ = TypeOf(head)
	return m, true
}

// formOf is the form in which a text of the characters of base64 would be written.
func formOf(text []byte) (form int, ok bool) {
	const raw = 2
	url := bytes.ContainsAny(text, "-_")
	if url {
		if bytes.ContainsAny(text, "+/") {
			return 0, false
		}
		form = 1
	}
	if len(text)%4 != 0 {
		form += raw
	}
	return form, len(text)%4 != 1 && (len(text)%4 == 0 || text[len(text)-1] != '=')
}

// settle gives the medium its type: what was said of it, or else what its bytes say.
func (m *Medium) settle(said string) {
	if m.Type = said; said == "" || said == Unknown {
		m.Type = m.sniff
	}
}

// firstBytes keeps what TypeOf looks at.
type firstBytes []byte

func (f *firstBytes) Write(b []byte) (int, error) {
	*f = append(*f, b[:min(len(b), headBytes-len(*f))]...)
	return len(b), nil
}

// Weight is how many bytes of memory the medium holds at most.
func (m *Medium) Weight() int64 { return int64(len(m.text)) }
