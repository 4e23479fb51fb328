package textsearch

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Place is where an event says a value.
type Place uint8

// The places. Metadata are those of the event, and of a span the attributes that its libraries write metadata to.
const (
	InMetadata Place = iota
	InAttributes
	InResource
)

// Test is a condition on a value that an event says, as plain text: as Attribute has it. Of a list one element must be so. Without Equal, Like and
// bounds it is enough that there is a value that is not empty.
type Test struct {
	In    Place
	Key   string   // of metadata a path: keys with points between them, some of which may be points of a key
	Equal []string // one of them, or like one of Like
	Like  []string // texts in lower case with Star for any text: in whatever case, of ASCII
	Least *float64 // of what is written as a number
	Most  *float64
}

// Star stands for any text in a pattern of a Test.
const Star = "\x00"

// Testing returns the Query of what a Test holds of.
func Testing(t Test) *Query {
	q := &Query{}
	one := len(t.Equal) == 1 && len(t.Like) == 0
	if one && t.In != InMetadata {
		q.attributes = []Attribute{{Resource: t.In == InResource, Key: t.Key, Value: t.Equal[0]}}
		return q
	}
	q.test = &t
	if one && hasWords(t.Equal[0]) {
		p := textParser{q: &Query{}}
		if p.phrase([]byte(t.Equal[0])); p.places > 0 && p.places <= MaxWords {
			q.words, q.masks, q.starts, q.ends = p.q.words, p.q.masks, p.q.starts, p.q.ends
		}
	}
	return q
}

// hasWords says whether the text of an event that has the value has the value's words, one behind the other: not those of what is written as JSON.
func hasWords(value string) bool {
	if value == "true" || value == "false" || value == "null" {
		return false
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil && (len(value) > 15 || strings.Trim(value, "0123456789") != "") {
		return false // there are other ways to write the number
	}
	return !strings.ContainsAny(value[:min(1, len(value))], `{["`)
}

// spoken are the attributes in which libraries write metadata: each a value below a prefix, or all of them in an object.
func spoken() (prefixes, objects []string) {
	return []string{"metadata.", "langfuse.observation.metadata.", "langfuse.trace.metadata.", "langsmith.metadata.", "ai.telemetry.metadata."},
		[]string{"metadata", "brokle.trace.metadata"}
}

// holds says whether the event says such a value.
func (t *Test) holds(ev *wire.Event) (held bool) {
	if !hasText(ev) {
		return false
	}
	if t.In != InMetadata {
		each(ev, func(resource bool, key string, value []byte, plain func(to, value []byte) ([]byte, bool)) {
			if text, ok := plain(nil, value); ok && resource == (t.In == InResource) && key == t.Key {
				held = held || t.value(string(text))
			}
		})
		return held
	}
	if !otlp.Stored(ev.Payload) {
		members := rawjson.MembersOf(ev.Payload)
		for {
			key, value, ok := members.Next()
			if !ok {
				return held
			}
			if string(key) == "metadata" {
				held = held || t.below(value, t.Key)
			}
		}
	}
	prefixes, objects := spoken()
	otlp.EachAttribute(otlp.SaidIn(ev.Payload).Item, func(key string, value []byte) {
		text, ok := otlp.AppendPlain(nil, value)
		if !ok || held {
			return
		}
		if slices.Contains(objects, key) {
			held = t.below(text, t.Key)
			return
		}
		for _, prefix := range prefixes {
			if rest, ok := strings.CutPrefix(key, prefix); ok && !held {
				held = t.under(rest, text, t.Key)
			}
		}
	})
	return held
}

// below says whether an object has such a value at the path.
func (t *Test) below(object []byte, path string) bool {
	members := rawjson.MembersOf(object)
	for {
		key, value, ok := members.Next()
		if !ok {
			return false
		}
		if text, ok := appendOwn(nil, value); ok && t.under(string(key), text, path) {
			return true
		}
	}
}

// under says whether a value of that key is the one at the path, or has it, and it is such a value.
func (t *Test) under(key string, value []byte, path string) bool {
	if key == path {
		return t.value(string(value))
	}
	rest, ok := strings.CutPrefix(path, key)
	return ok && len(rest) > 1 && rest[0] == '.' && len(value) > 0 && value[0] == '{' && t.below(value, rest[1:])
}

// value says whether a value, or an element of it, is such a one.
func (t *Test) value(text string) bool {
	if t.text(text) {
		return true
	}
	switch {
	case strings.HasPrefix(text, `"`): // a text of JSON in a text, as some clients send it
		inner, ok := rawjson.Unquote([]byte(text))
		return ok && t.text(inner)
	case !strings.HasPrefix(text, "["):
		return false
	}
	elements := rawjson.ElementsOf([]byte(text))
	for {
		element, ok := elements.Next()
		if !ok {
			return false
		}
		if plain, ok := appendOwn(nil, element); ok && t.text(string(plain)) {
			return true
		}
	}
}

func (t *Test) text(text string) bool {
	switch {
	case t.Least != nil || t.Most != nil:
		n, err := strconv.ParseFloat(text, 64)
		return err == nil && !math.IsNaN(n) && (t.Least == nil || n >= *t.Least) && (t.Most == nil || n <= *t.Most)
	case t.Equal == nil && t.Like == nil:
		return text != ""
	}
	return slices.Contains(t.Equal, text) || slices.ContainsFunc(t.Like, func(pattern string) bool { return like(pattern, lowered(text)) })
}

// lowered has the letters of ASCII in lower case, and all else as it is.
func lowered(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, text)
}

// like says whether a text is like a pattern.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, Star)
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return text == pattern
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return strings.HasSuffix(text, last)
}
