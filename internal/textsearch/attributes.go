package textsearch

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Attribute is an attribute of a span or a log record of OpenTelemetry, or of the object attributes
// of our own events, as plain text: a string without quotes, a number, true or false, anything else
// as compact JSON.
type Attribute struct {
	Resource   bool // it is of the resource
	Key, Value string
}

// MaxAttributes is how many attributes a Query can ask for.
const MaxAttributes = 16 // at most 32: a Matcher has one bit for each

// With returns the Query that q is, which may be nil, and asks for the attributes too: all in the same event.
func (q *Query) With(attributes []Attribute) *Query {
	if len(attributes) == 0 {
		return q
	}
	with := Query{}
	if q != nil {
		with = *q
	}
	with.attributes = attributes
	return &with
}

// attributePrefix stands before an attribute in the filters, so that it is no text's word.
const attributePrefix = "\x01"

func attributeHash(buf []byte, resource bool, key string, value []byte) (uint64, []byte) {
	buf = append(buf[:0], attributePrefix...)
	if resource {
		buf = append(buf, 'r')
	}
	buf = append(append(append(buf, 0), key...), 0)
	buf = append(buf, value...)
	return WordHash(buf), buf
}

// attributeFound gets an attribute: whether it is the resource's, the key, and the value
// as it lies in the payload, of which plain makes text.
type attributeFound func(resource bool, key string, value []byte, plain func(to, value []byte) ([]byte, bool))

// ownAttributes is the object of our own events that has attributes.
const ownAttributes = "attributes"

// each calls found for the attributes of an event.
func each(ev *wire.Event, found attributeFound) {
	if !hasText(ev) {
		return
	}
	if otlp.Stored(ev.Payload) {
		saidAttributes(otlp.SaidIn(ev.Payload), found)
		return
	}
	members := rawjson.MembersOf(ev.Payload)
	for {
		name, object, ok := members.Next()
		if !ok {
			return
		}
		if string(name) == ownAttributes {
			eachOwn(object, found)
		}
	}
}

func saidAttributes(said otlp.Said, found attributeFound) {
	otlp.EachAttribute(said.Resource, func(key string, value []byte) { found(true, key, value, otlp.AppendPlain) })
	otlp.EachAttribute(said.Item, func(key string, value []byte) { found(false, key, value, otlp.AppendPlain) })
}

func eachOwn(object []byte, found attributeFound) {
	attributes := rawjson.MembersOf(object)
	for {
		key, value, ok := attributes.Next()
		if !ok {
			return
		}
		found(false, string(key), value, appendOwn)
	}
}

// appendOwn is otlp.AppendPlain for a value in plain JSON.
func appendOwn(to, value []byte) ([]byte, bool) {
	if text, ok := rawjson.Unquote(value); ok {
		return append(to, text...), true
	}
	return append(to, rawjson.Compact(value)...), string(value) != "null"
}

// has says whether the event has all attributes that are asked for.
func (m *Matcher) has(ev *wire.Event) bool {
	var found uint32
	each(ev, func(resource bool, key string, value []byte, plain func(to, value []byte) ([]byte, bool)) {
		for i := range m.q.attributes {
			a := &m.q.attributes[i]
			if a.Resource != resource || a.Key != key {
				continue
			}
			text, ok := plain(m.plain[:0], value)
			if m.plain = text; ok && string(text) == a.Value {
				found |= 1 << i
			}
		}
	})
	return found == 1<<len(m.q.attributes)-1
}

// Name is the parameter that asks for the attribute.
func (a Attribute) Name() string {
	if a.Resource {
		return ResourcePrefix + a.Key
	}
	return AttributePrefix + a.Key
}

// What stands before the key of an attribute in a question.
const (
	AttributePrefix = "attributes."
	ResourcePrefix  = "resource."
)

// AttributeOf is the attribute that a name of a question means, without its value.
func AttributeOf(name string) (a Attribute, ok bool) {
	if a.Key, ok = strings.CutPrefix(name, AttributePrefix); ok {
		return a, true
	}
	a.Resource = true
	a.Key, ok = strings.CutPrefix(name, ResourcePrefix)
	return a, ok
}
