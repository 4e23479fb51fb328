package entity

import (
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// PreviewLength is how many characters of an input or output lists show, where
// there is no payload.
const PreviewLength = 128

// Preview returns the first max characters (code points) of a JSON value for
// people to read: the one text that it is about, where there is one, else its
// Beginning.
func Preview(raw string, max int) string {
	raw = strings.Trim(raw, " \t\r\n")
	if text := about(raw, mostInside); text != "" {
		raw = text
	}
	return Beginning(raw, max)
}

// Beginning returns the first max characters (code points) of a JSON value: the
// text of a string, any other value as compact JSON. The result is valid UTF-8
// whatever raw is; "" when raw is empty or null.
func Beginning(raw string, max int) string {
	raw = strings.Trim(raw, " \t\r\n")
	if raw == "" || raw == "null" || max <= 0 {
		return ""
	}
	if raw[0] != '"' {
		return shorten(compact(raw, max), max)
	}
	text := strings.TrimSuffix(raw[1:], `"`)
	// No character is longer than a pair of \u escapes, so this much of a large
	// value is enough; what the cut splits lies behind the last character shown.
	if most := 12 * (max + 1); len(text) > most {
		text = text[:most]
	}
	if strings.IndexByte(text, '\\') >= 0 {
		text = string(rawjson.Unescape([]byte(text)))
	}
	return shorten(text, max)
}

// shorten returns the first max characters of text, as valid UTF-8.
func shorten(text string, max int) string {
	n, i := 0, 0
	for i < len(text) && n < max && text[i] < utf8.RuneSelf {
		i++
		n++
	}
	if i == len(text) || n == max {
		return text[:i] // ASCII
	}
	for i < len(text) && n < max {
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
		n++
	}
	return strings.ToValidUTF8(text[:i], "\uFFFD")
}

// compact drops the insignificant space of JSON, and stops when max characters
// are sure. Where there is none to drop, which is the usual case, it copies nothing.
func compact(raw string, max int) string {
	var b strings.Builder
	inString, kept, chars, i := false, 0, 0, 0 // raw[kept:i] is still to be copied
	for ; i < len(raw) && chars <= max; i++ {
		switch c := raw[i]; {
		case c == '"':
			inString = !inString
		case inString && c == '\\':
			i++ // what it escapes is one ASCII character
			chars++
		case !inString && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			b.WriteString(raw[kept:i])
			kept = i + 1
			continue
		}
		if raw[min(i, len(raw)-1)]&0xC0 != 0x80 { // not inside a character
			chars++
		}
	}
	i = min(i, len(raw))
	if b.Len() == 0 && kept == 0 {
		return raw[:i]
	}
	b.WriteString(raw[kept:i])
	return b.String()
}
