package jsonbody

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Eight bytes are looked at as one number.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text reads the string that begins here.
func (w *Walk) text() bool {
	b, i := w.data, w.pos
	if i >= len(b) || b[i] != '"' {
		w.bad = true
		return false
	}
	i++
	var wide uint64 // a high bit is set when a byte was not ASCII
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^ones*'"', x^ones*'\\'
			// The lowest bit that is set stands for a quote, a backslash or a control character.
			special := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
			if special != 0 {
				wide |= x & (special&-special - 1)
				i += bits.TrailingZeros64(special) / 8
				break
			}
			wide |= x
			i += 8
		}
		for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' { // the last bytes of the body
			wide |= uint64(b[i])
			i++
		}
		switch {
		case i >= len(b) || b[i] < ' ':
			w.bad = true
			return false
		case b[i] == '"':
			if wide&highs != 0 && !utf8.Valid(b[w.pos:i]) {
				w.loose = true
			}
			w.pos = i + 1
			return true
		}
		n := rawjson.SkipEscape(b[i:])
		if n == 0 {
			w.bad = true
			return false
		}
		i += n
	}
}

func unescaped(key []byte) []byte {
	if bytes.IndexByte(key, '\\') >= 0 {
		return rawjson.Unescape(key)
	}
	return key
}

// scalar reads a number, true, false, null, NaN or Infinity.
func (w *Walk) scalar() {
	rest := w.data[w.pos:]
	n := 0
	switch c := rest[0]; {
	case c == '-' && len(rest) > 1 && rest[1] > '9': // minus a word
		if n = word(rest[1:]); n > 0 {
			n++
			w.words++
		}
	case c == '-' || c >= '0' && c <= '9':
		n = rawjson.SkipNumber(rest)
	case c == 't':
		n = literal(rest, "true")
	case c == 'f':
		n = literal(rest, "false")
	case c == 'n':
		n = literal(rest, "null")
	default:
		if n = word(rest); n > 0 {
			w.words++
		}
	}
	w.pos += n
	w.bad = w.bad || n == 0
}

func literal(b []byte, text string) int {
	if len(b) >= len(text) && string(b[:len(text)]) == text {
		return len(text)
	}
	return 0
}

// word is the length of the number that b begins with and that is none, or 0.
func word(b []byte) int { return max(literal(b, "NaN"), literal(b, "Infinity")) }

// Finite is the value with null in the place of NaN and Infinity, which are no JSON.
func (v *Value) Finite() []byte {
	if v.words {
		return finite(v.Raw)
	}
	return v.Raw
}

// finite returns data with null in the place of NaN, Infinity and -Infinity outside strings,
// as Python's json.dumps writes them. All other bytes stay.
func finite(data []byte) []byte {
	out := make([]byte, 0, len(data)+8)
	kept := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = rawjson.SkipString(data, i) - 1
		case 'N', 'I':
			from := i
			if i > 0 && data[i-1] == '-' {
				from--
			}
			out = append(append(out, data[kept:from]...), "null"...)
			i += word(data[i:]) - 1
			kept = i + 1
		}
	}
	return append(out, data[kept:]...)
}
