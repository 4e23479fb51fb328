package otlp

import (
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// mostAny is how deep a value nests that AppendAny takes apart; what is deeper is JSON in a string.
const mostAny = maxDepth / 2

// AppendAny appends plain JSON as an AnyValue of OTLP in JSON.
func AppendAny(to, raw []byte) []byte { return appendOf(to, raw, 0) }

func appendOf(to, raw []byte, depth int) []byte {
	if len(raw) == 0 {
		return append(to, "{}"...)
	}
	switch c := raw[0]; {
	case c == '"':
		return append(append(append(to, `{"stringValue":`...), raw...), '}')
	case c == 't' || c == 'f':
		return append(append(append(to, `{"boolValue":`...), raw...), '}')
	case c == 'n':
		return append(to, "{}"...)
	case depth == mostAny && (c == '[' || c == '{'):
		return append(appendText(append(to, `{"stringValue":`...), rawjson.Alias(raw)), '}')
	case c == '[':
		return appendArray(to, raw, depth)
	case c == '{':
		return appendMap(to, raw, depth)
	}
	return appendNumber(to, string(raw))
}

func appendNumber(to []byte, text string) []byte {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return append(append(append(to, `{"intValue":"`...), text...), `"}`...)
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil { // larger than a double holds
		return append(appendText(append(to, `{"stringValue":`...), text), '}')
	}
	return append(append(append(to, `{"doubleValue":`...), text...), '}')
}

func appendArray(to, raw []byte, depth int) []byte {
	to = append(to, `{"arrayValue":{"values":[`...)
	elements := rawjson.ElementsOf(raw)
	for n := 0; ; n++ {
		e, ok := elements.Next()
		if !ok {
			return append(to, `]}}`...)
		}
		if n > 0 {
			to = append(to, ',')
		}
		to = appendOf(to, e, depth+1)
	}
}

func appendMap(to, raw []byte, depth int) []byte {
	to = append(to, `{"kvlistValue":{"values":[`...)
	members := rawjson.MembersOf(raw)
	for n := 0; ; n++ {
		key, v, ok := members.Next()
		if !ok {
			return append(to, `]}}`...)
		}
		if n > 0 {
			to = append(to, ',')
		}
		to = appendText(append(to, `{"key":`...), string(key))
		to = append(appendOf(append(to, `,"value":`...), v, depth+1), '}')
	}
}

// AppendAttribute appends a KeyValue of OTLP in JSON, whose value is plain JSON.
func AppendAttribute(to []byte, key string, raw []byte) []byte {
	to = appendText(append(to, `{"key":`...), key)
	return append(AppendAny(append(to, `,"value":`...), raw), '}')
}
