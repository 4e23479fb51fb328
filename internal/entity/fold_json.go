package entity

import (
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// FoldMetadata merges metadata values that stand in their events' order. Objects
// merge by their top-level keys: the later value of a key wins (a null too, which
// here is a value), and a key keeps the place where it first appeared. A value
// that is no object replaces what was merged so far, and is itself replaced by
// what follows. A single value stays byte for byte as it was sent; no value gives nil.
func FoldMetadata(values []string) json.RawMessage {
	if len(values) == 0 {
		return nil
	}
	from := len(values) - 1
	if !isObject(values[from]) {
		return json.RawMessage(values[from])
	}
	for from > 0 && isObject(values[from-1]) {
		from--
	}
	if from == len(values)-1 {
		return json.RawMessage(values[from])
	}
	var keys []string
	last := make(map[string][]byte)
	for _, value := range values[from:] {
		members := rawjson.MembersOf([]byte(value))
		for {
			key, member, ok := members.Next()
			if !ok {
				break
			}
			if _, known := last[string(key)]; !known {
				keys = append(keys, string(key))
			}
			last[string(key)] = member
		}
	}
	return rawjson.Object(keys, last)
}

// appendLists is one list of the elements of all values, which stand in their events' order; a value
// that is no list is one element. A single list stays byte for byte as it was sent.
func appendLists(values []string) json.RawMessage {
	if len(values) == 1 && isList(values[0]) {
		return json.RawMessage(values[0])
	}
	out := []byte{'['}
	add := func(element string) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, element...)
	}
	for _, value := range values {
		if !isList(value) {
			add(value)
			continue
		}
		elements := rawjson.ElementsOf([]byte(value))
		for element, ok := elements.Next(); ok; element, ok = elements.Next() {
			add(string(element))
		}
	}
	return append(out, ']')
}

func isObject(raw string) bool { return len(raw) > 0 && raw[0] == '{' }

func isList(raw string) bool { return len(raw) > 0 && raw[0] == '[' }
