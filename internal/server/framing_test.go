package server

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// FuzzFraming: however the bytes are cut, every line that begins with Content-Length is counted,
// and nothing else.
func FuzzFraming(f *testing.F) {
	for _, text := range []string{"", "content-length", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", "a: b\r\n CONTENT-LENGTH: 1", "x-content-length: 1\n",
		"content-lengt\ncontent-length", "contentcontent-length", "\n\n\n\tcontent-length", "conten\ncontent\ncontent-lengtH", "content\rlength", "cONTENT\x0dLENGTH", "content-\xccength"} {
		f.Add([]byte(text), uint64(len(text)))
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) { framing(t, text, seed) })
}

// sameLine is what scan looks for, written otherwise.
var sameLine = regexp.MustCompile(`(?i)(^|\n)[ \t\r]*content-length`)

func framing(t *testing.T, text []byte, seed uint64) {
	rnd := chance.From(seed, 0)
	c, found := &framedConn{}, int64(0)
	for rest := bytes.Clone(text); len(rest) > 0; {
		k := 1 + rnd.IntN(len(rest))
		found += c.scan(rest[:k])
		rest = rest[k:]
	}
	if want := int64(len(sameLine.FindAll(text, -1))); found != want {
		t.Fatalf("seed %d: %q: found %d, want %d", seed, text, found, want)
	}
}

func TestFramingFindsLengths(t *testing.T) {
	t.Parallel()
	rnd := chance.Of(t)
	pieces := []string{"content-length", "Content-", "Length", "length", "\n", "\r\n", " ", ":", "x", "CONTENT-LENGTH", "conten"}
	hits := 0
	for range 20_000 {
		var text []byte
		for range rnd.IntN(12) {
			text = append(text, pieces[rnd.IntN(len(pieces))]...)
		}
		if sameLine.Match(text) {
			hits++
		}
		framing(t, text, rnd.Uint64())
	}
	if hits < 1000 || hits > 19_000 {
		t.Errorf("%d of 20000 have a length: the texts prove little", hits)
	}
}
