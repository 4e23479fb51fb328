package rawjson

import "encoding/json"

// Object writes the members in the order of keys; the values are JSON.
func Object(keys []string, values map[string][]byte) json.RawMessage {
	out := []byte{'{'}
	for i, key := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		quoted, err := json.Marshal(key)
		if err != nil {
			continue // a string always marshals
		}
		out = append(append(append(out, quoted...), ':'), values[key]...)
	}
	return append(out, '}')
}
