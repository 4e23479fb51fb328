package rawjson

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Bytes returns the bytes of s, which nobody may write to.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// Eight bytes are looked at as one number.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain is how many bytes b begins with that stand for themselves in a JSON string: all but quotes,
// backslashes and control characters.
func plain(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		// The lowest bit that is set stands for a byte that does not.
		if special := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs; special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// AppendString appends s, which must be UTF-8, as a JSON string in which nothing is escaped but what
// must be (RFC 8259 section 7).
func AppendString(to []byte, s string) []byte {
	to = append(to, '"')
	for {
		n := plain(Bytes(s))
		to = append(to, s[:n]...)
		if n == len(s) {
			return append(to, '"')
		}
		to = appendEscape(to, s[n])
		s = s[n+1:]
	}
}

func appendEscape(to []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(to, '\\', c)
	case '\n':
		return append(to, `\n`...)
	case '\r':
		return append(to, `\r`...)
	case '\t':
		return append(to, `\t`...)
	}
	return append(to, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
