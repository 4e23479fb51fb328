package entity

import (
	"encoding/json"
	"time"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

func (i instant) time() time.Time { return time.UnixMicro(i.us).UTC() }

// json returns a JSON field as it was sent, or nil.
func (s *folded) json(f Field) json.RawMessage {
	if !s.has[f] {
		return nil
	}
	return json.RawMessage(s.last[f].Text)
}

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

func isObject(raw string) bool { return len(raw) > 0 && raw[0] == '{' }
