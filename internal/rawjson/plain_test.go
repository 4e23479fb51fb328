package rawjson

import (
	"bytes"
	"testing"
)

// TestPlain holds every length and every place of a byte that does not stand for itself, or is not ASCII, against a look at each byte.
func TestPlain(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		b := bytes.Repeat([]byte("a~ "), 40)[:n]
		if got, ascii := Plain(b); got != n || !ascii {
			t.Fatalf("%d plain bytes: %d, %v", n, got, ascii)
		}
		for at := range n {
			for _, c := range []byte{0, 0x1f, ' ', '"', '\\', 0x7f, 0x80, 0xff} {
				text := bytes.Clone(b)
				text[at] = c
				want, ascii := n, c < 0x80
				if c < ' ' || c == '"' || c == '\\' {
					want = at
				}
				if got, is := Plain(text); got != want || is != ascii {
					t.Fatalf("%x at %d of %d: %d, %v, want %d, %v", c, at, n, got, is, want, ascii)
				}
				if at > 0 { // behind a byte that is not ASCII
					text[0] = 0x80
					if got, is := Plain(text); got != want || is {
						t.Fatalf("%x at %d of %d, after 80: %d, %v, want %d", c, at, n, got, is, want)
					}
				}
			}
		}
	}
}
