package otlp

import (
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Said are the parts of a payload of AppendStored that say something, as they lie in JSON; one that
// is not there is nil.
type Said struct {
	Resource []byte
	Item     []byte // the span or the log record
}

// SaidIn finds them. Of a payload that is broken it finds what stands before the break.
func SaidIn(payload []byte) (s Said) {
	members := rawjson.MembersOf(member(payload, "otlp"))
	for {
		key, value, ok := members.Next()
		if !ok {
			return s
		}
		switch string(key) {
		case "resource":
			s.Resource = value
		case "span", "log":
			s.Item = value
		}
	}
}

// EachAttribute calls found for the attributes of a resource, a span or a log record in JSON: the key,
// and the AnyValue as it lies there. It stops at what is broken.
func EachAttribute(of []byte, found func(key string, value []byte)) {
	attributes := member(of, "attributes")
	if attributes == nil {
		return
	}
	all := rawjson.ElementsOf(attributes)
	for {
		one, ok := all.Next()
		if !ok {
			return
		}
		var key string
		var value []byte
		members := rawjson.MembersOf(one)
		for {
			name, v, ok := members.Next()
			if !ok {
				break
			}
			switch string(name) {
			case "key":
				key, _ = rawjson.Unquote(v)
			case "value":
				value = v
			}
		}
		if key != "" && value != nil {
			found(key, value)
		}
	}
}

// AppendPlain appends an AnyValue in JSON as what it says: a text without quotes, a number, true or
// false, a list or a map as compact JSON, bytes in base64. ok is false of one that says nothing.
func AppendPlain(to, value []byte) (_ []byte, ok bool) {
	v, err := valueOf(value)
	if err != nil || v.Type == otel.Null {
		return to, false
	}
	return append(to, v.String()...), true
}

// Forwarded says whether another server of ours sent on what a payload of AppendStored holds.
func Forwarded(payload []byte) bool {
	return string(member(member(payload, "otlp"), "forwarded")) == "true"
}
