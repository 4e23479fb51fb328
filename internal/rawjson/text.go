package rawjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Alias returns b as a string that shares its memory: payloads are immutable
// (see Record), so nothing can change under the string.
func Alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Unquote returns the text of a JSON string as it is written, quotes included;
// ok is false when raw is not a string. The text shares raw's memory when
// nothing in it is escaped, so raw must never change afterwards. A lone
// surrogate becomes U+FFFD.
func Unquote(raw []byte) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') >= 0 {
		raw = Unescape(raw)
	}
	return Alias(raw), true
}

// Unescape resolves the escapes of RFC 8259 section 7. What is no escape stays as it is.
func Unescape(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return append(out, s...)
		}
		out = append(out, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			var r rune
			r, s = UnescapeRune(s)
			out = utf8.AppendRune(out, r)
		default: // '"', '\\', '/'
			out = append(out, c)
		}
	}
	return out
}

// UnescapeRune reads what follows \u: four digits, or a surrogate pair.
func UnescapeRune(s []byte) (rune, []byte) {
	r, ok := hex4(s)
	if !ok {
		return utf8.RuneError, s
	}
	s = s[4:]
	if !utf16.IsSurrogate(r) {
		return r, s
	}
	if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
		if low, ok := hex4(s[2:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, s[6:]
			}
		}
	}
	return utf8.RuneError, s
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(Alias(s[:4]), 16, 16)
	return rune(n), err == nil && s[0] != '+' && s[0] != '_'
}

// NumberText returns the number that raw is or, as a string, holds.
func NumberText(raw []byte) (string, bool) {
	s := Alias(raw)
	if raw[0] == '"' {
		var ok bool
		if s, ok = Unquote(raw); !ok {
			return "", false
		}
	}
	return s, IsNumber(s)
}

// IsNumber follows the grammar of RFC 8259 section 6: strconv alone would also
// take Inf, NaN, hexadecimal and underscores.
func IsNumber(s string) bool { return s != "" && SkipNumber(s) == len(s) }

// SkipNumber is the length of the number that b begins with, by the same grammar; 0 for none.
func SkipNumber[T string | []byte](b T) int {
	i := 0
	if len(b) > 0 && b[0] == '-' {
		i = 1
	}
	whole := Digits(b[i:])
	if whole == 0 || whole > 1 && b[i] == '0' {
		return 0
	}
	if i += whole; i < len(b) && b[i] == '.' {
		n := Digits(b[i+1:])
		if n == 0 {
			return 0
		}
		i += 1 + n
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		n := Digits(b[i:])
		if n == 0 {
			return 0
		}
		i += n
	}
	return i
}

// Digits is how many digits s begins with.
func Digits[T string | []byte](s T) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
