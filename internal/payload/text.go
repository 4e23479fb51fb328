package payload

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// maxMapDepth is how deep appendValue follows maps before it leaves them to
// encoding/json, which detects cycles.
const maxMapDepth = 32

// appendValue appends v as JSON when it is made of plain types: what payload
// maps hold nearly always, at a fraction of what reflection costs. ok false: it holds something
// else, and encoding/json decides. The keys of a map come in any order.
func appendValue(b []byte, v any, depth int) (_ []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), true
	case string:
		return AppendString(b, v), true
	case bool:
		return strconv.AppendBool(b, v), true
	case int:
		return strconv.AppendInt(b, int64(v), 10), true
	case int64:
		return strconv.AppendInt(b, v, 10), true
	case int32:
		return strconv.AppendInt(b, int64(v), 10), true
	case uint64:
		return strconv.AppendUint(b, v, 10), true
	case float64:
		return appendFloat(b, v)
	case time.Time:
		return appendTime(b, v)
	case map[string]any:
		return appendMap(b, v, depth)
	case map[string]string:
		return appendTextMap(b, v)
	case []any:
		return appendList(b, v, depth)
	case []string:
		return appendTexts(b, v), true
	}
	return b, false
}

func appendMap(b []byte, m map[string]any, depth int) (_ []byte, ok bool) {
	if m == nil {
		return append(b, "null"...), true
	}
	if depth >= maxMapDepth {
		return b, false
	}
	b = append(b, '{')
	first := true
	for k, v := range m {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(AppendString(b, k), ':')
		if b, ok = appendValue(b, v, depth+1); !ok {
			return b, false
		}
	}
	return append(b, '}'), true
}

func appendTextMap(b []byte, m map[string]string) (_ []byte, ok bool) {
	if m == nil {
		return append(b, "null"...), true
	}
	b = append(b, '{')
	first := true
	for k, v := range m {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = AppendString(append(AppendString(b, k), ':'), v)
	}
	return append(b, '}'), true
}

func appendList(b []byte, list []any, depth int) (_ []byte, ok bool) {
	if list == nil {
		return append(b, "null"...), true
	}
	if depth >= maxMapDepth {
		return b, false
	}
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, ok = appendValue(b, v, depth+1); !ok {
			return b, false
		}
	}
	return append(b, ']'), true
}

func appendTexts(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, s)
	}
	return append(b, ']')
}

// appendFloat writes plain decimals, and leaves what encoding/json formats
// otherwise or refuses (huge, tiny, NaN) to it.
func appendFloat(b []byte, f float64) (_ []byte, ok bool) {
	if a := math.Abs(f); f != 0 && (a < 1e-6 || a >= 1e21) || math.IsNaN(f) || math.IsInf(f, 0) {
		return b, false
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64), true
}

func appendTime(b []byte, t time.Time) (_ []byte, ok bool) {
	if y := t.Year(); y < 0 || y > 9999 {
		return b, false
	}
	b = append(b, '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"'), true
}

// AppendString appends s as a JSON string (RFC 8259 §7). Invalid UTF-8 becomes U+FFFD,
// as encoding/json does.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n, ascii := rawjson.Plain(rawjson.Bytes(s))
		if ascii || utf8.ValidString(s[:n]) {
			b = append(b, s[:n]...)
		} else {
			b = appendRunes(b, s[:n])
		}
		if n == len(s) {
			return append(b, '"')
		}
		b = appendEscape(b, s[n])
		s = s[n+1:]
	}
}

// appendRunes appends s with U+FFFD for each byte that is not UTF-8.
func appendRunes(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		b = utf8.AppendRune(b, r) // RuneError, where it is the sign for a bad byte, is U+FFFD
		s = s[n:]
	}
	return b
}

// appendEscape appends a quote, a backslash or a control character.
func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
