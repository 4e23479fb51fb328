package modelcall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// membersOf are the members of a JSON object, those before the end of one that is cut off, too.
func membersOf(b []byte) map[string]json.RawMessage {
	var whole map[string]json.RawMessage
	if json.Unmarshal(b, &whole) == nil {
		return whole
	}
	members := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return members
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return members
		}
		var v json.RawMessage
		if name, ok := key.(string); !ok || d.Decode(&v) != nil {
			return members
		} else {
			members[name] = v
		}
	}
	return members
}

// lastMember is the value of the last member of that name in the tail of a JSON text of which the beginning is gone.
func lastMember(tail []byte, name string) (v json.RawMessage) {
	mark := []byte(`"` + name + `"`)
	for at := bytes.LastIndex(tail, mark); at >= 0; at = bytes.LastIndex(tail[:at], mark) {
		rest := bytes.TrimLeft(tail[at+len(mark):], " \t\r\n")
		if len(rest) > 0 && rest[0] == ':' && json.NewDecoder(bytes.NewReader(rest[1:])).Decode(&v) == nil {
			return v
		}
	}
	return nil
}

// object is a JSON object whose members have an order.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

func (o object) json() json.RawMessage {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		key, _ := json.Marshal(m.key) // a text always encodes
		b = append(append(append(b, key...), ':'), m.value...)
	}
	return append(b, '}')
}

const (
	keptText   = 64 << 10  // bytes of one text
	keptMedium = 2 << 10   // bytes of a text that is no words, such as an image in base64
	keptValue  = 384 << 10 // bytes of one value: an event takes 1 MiB by default
)

// shorten leaves out of a JSON value what is too long to be kept: media, and the ends of long texts. It says so in their place.
func shorten(v json.RawMessage) json.RawMessage {
	if len(v) <= keptMedium || len(v) <= keptValue && !hasLongText(v) {
		return v
	}
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) != nil {
		return nil
	}
	tree, changed := shortened(tree)
	if !changed && len(v) <= keptValue {
		return v
	}
	b, err := encode(tree)
	if err != nil {
		return nil
	}
	if len(b) > keptValue {
		b, _ = encode(fmt.Sprintf("(%d bytes, too many to keep)", len(v)))
	}
	return b
}

// hasLongText says whether a text in valid JSON has more than keptMedium bytes.
func hasLongText(v []byte) bool {
	for {
		i := bytes.IndexByte(v, '"')
		if i < 0 {
			return false
		}
		v = v[i+1:]
		n := 0
		for n < len(v) && v[n] != '"' {
			if v[n] == '\\' {
				n++
			}
			n++
		}
		if n > keptMedium {
			return true
		}
		v = v[min(n+1, len(v)):]
	}
}

func shortened(v any) (_ any, changed bool) {
	switch v := v.(type) {
	case string:
		switch {
		case len(v) > keptMedium && !strings.ContainsAny(v[:256], " \n\t"):
			head, _, _ := strings.Cut(v[:64], ",")
			if !strings.HasPrefix(head, "data:") {
				head = "a medium"
			}
			return fmt.Sprintf("(%s, %d bytes)", head, len(v)), true
		case len(v) > keptText:
			return strings.ToValidUTF8(v[:keptText], "") + fmt.Sprintf("… (%d bytes)", len(v)), true
		}
	case []any:
		for i := range v {
			var c bool
			v[i], c = shortened(v[i])
			changed = changed || c
		}
	case map[string]any:
		for key := range v {
			var c bool
			v[key], c = shortened(v[key])
			changed = changed || c
		}
	}
	return v, changed
}

func encode(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// Shorten is v as it is kept in an observation: without media, and with texts that are too long cut off, which it says in their place.
func Shorten(v json.RawMessage) json.RawMessage { return shorten(v) }
