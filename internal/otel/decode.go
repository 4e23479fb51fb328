package otel

import (
	"bytes"
	"encoding/json"
	"strings"
)

// decode reads JSON, or what Python prints of a dict, a list or a tuple. What is neither is its
// own text; "" is nil.
func decode(text string) any {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return nil
	}
	if strings.IndexByte(`{["-0123456789tfn`, trimmed[0]) >= 0 {
		d := json.NewDecoder(strings.NewReader(trimmed))
		d.UseNumber()
		var v any
		if d.Decode(&v) == nil && !d.More() {
			return v
		}
	}
	if strings.IndexByte("{[(", trimmed[0]) >= 0 {
		if v, ok := pythonLiteral(trimmed); ok {
			return v
		}
	}
	return text
}

// decodeObject is decode of what must be an object; nil otherwise.
func decodeObject(text string) object {
	o, _ := decode(text).(object)
	return o
}

// encode writes JSON without escaping HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
