package jsonbody

import "github.com/brokle-ai/brokle-go/internal/rawjson"

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
