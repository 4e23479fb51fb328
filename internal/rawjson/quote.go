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

// special has its lowest bit set for the first of eight bytes that does not stand for itself in a JSON string: a
// quote, a backslash or a control character. It is 0 when there is none.
func special(x uint64) uint64 {
	quote, slash := x^(ones*'"'), x^(ones*'\\')
	return ((quote - ones) | (slash - ones) | (x - ones*' ')) &^ x & highs
}

// Plain is how many bytes b begins with that stand for themselves in a JSON string: all but quotes,
// backslashes and control characters. ascii says whether all of these are below 0x80.
func Plain(b []byte) (n int, ascii bool) {
	const short = 24
	i := 0
	var all uint64
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		if s := special(x); s != 0 {
			all |= x & (s&-s - 1)
			return i + bits.TrailingZeros64(s)/8, all&highs == 0
		}
		all |= x
		if i += 8; i == short {
			n, wide := longPlain(b[i:])
			i += n
			all |= wide
		}
	}
	if rest := len(b) - i; rest > 0 && i > 0 { // with those before them they are eight; what is not theirs becomes spaces
		x := binary.LittleEndian.Uint64(b[len(b)-8:])>>(8*(8-rest)) | ones*' '<<(8*rest)
		if s := special(x); s != 0 {
			all |= x & (s&-s - 1)
			return i + bits.TrailingZeros64(s)/8, all&highs == 0
		}
		return len(b), (all|x)&highs == 0
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		all |= uint64(b[i])
		i++
	}
	return i, all&highs == 0
}

// longPlain is Plain in steps of 32 bytes: there may be more behind these. A high bit of wide is set when
// a byte is not below 0x80.
func longPlain(b []byte) (n int, wide uint64) {
	for ; len(b) >= 32; b = b[32:] {
		p := (*[32]byte)(b)
		x0, x1 := binary.LittleEndian.Uint64(p[0:]), binary.LittleEndian.Uint64(p[8:])
		x2, x3 := binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[24:])
		if special(x0)|special(x1)|special(x2)|special(x3) != 0 {
			break
		}
		wide |= x0 | x1 | x2 | x3
		n += 32
	}
	return n, wide
}

// AppendString appends s, which must be UTF-8, as a JSON string in which nothing is escaped but what
// must be (RFC 8259 section 7).
func AppendString(to []byte, s string) []byte {
	to = append(to, '"')
	for {
		n, _ := Plain(Bytes(s))
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
