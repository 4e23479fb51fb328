package outgoing

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// attributes are those of one span, in the order in which they were set. A key stays what it was set to first.
type attributes struct {
	list []json.RawMessage
	seen map[string]bool
}

// json sets an attribute to plain JSON. Nothing, and null, set nothing.
func (a *attributes) json(key string, raw []byte) {
	if len(raw) == 0 || string(raw) == "null" || a.seen[key] {
		return
	}
	if a.seen == nil {
		a.seen = map[string]bool{}
	}
	a.seen[key] = true
	a.list = append(a.list, otlp.AppendAttribute(nil, key, raw))
}

// text sets an attribute to a text that is not "".
func (a *attributes) text(key, value string) {
	if value != "" {
		a.json(key, text(value))
	}
}

func (a *attributes) count(key string, n *int64) {
	if n != nil {
		a.json(key, strconv.AppendInt(nil, *n, 10))
	}
}

// number sets an attribute to a double, also where it is whole.
func (a *attributes) number(key string, n *float64) {
	if n == nil {
		return
	}
	raw := strconv.AppendFloat(nil, *n, 'g', -1, 64)
	if bytes.IndexByte(raw, '.') < 0 && bytes.IndexByte(raw, 'e') < 0 {
		raw = append(raw, ".0"...)
	}
	a.json(key, raw)
}

func (a *attributes) texts(key string, list []string) {
	if len(list) > 0 {
		a.json(key, encoded(list))
	}
}

// payload sets an attribute to a text that holds raw: the text of a string that is no JSON itself, or raw.
func (a *attributes) payload(key string, raw []byte) {
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	if s, ok := rawjson.Unquote(raw); ok && s != "" && !json.Valid([]byte(s)) {
		a.text(key, s)
		return
	}
	a.text(key, string(raw))
}

// members sets an attribute for each member of a JSON object.
func (a *attributes) members(prefix string, object []byte) {
	if len(object) == 0 || object[0] != '{' {
		return
	}
	members := rawjson.MembersOf(object)
	for {
		key, value, ok := members.Next()
		if !ok {
			return
		}
		a.json(prefix+string(key), value)
	}
}

// encoded is JSON without escapes of HTML; v always encodes.
func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
