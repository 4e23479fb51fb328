package textsearch

import (
	"bytes"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// item finds the words of a span or a log record in OTLP's JSON: of its name, the values of its
// attributes, those of its events and links, its status message and its body. Which string says
// something, the key before it tells, on every level of the form.
func (w *Words) item(v []byte) {
	var key []byte
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '"':
			end := rawjson.SkipString(v, i)
			if end < 0 {
				return
			}
			text := v[i+1 : end-1]
			if i = rawjson.SkipSpace(v, end); i < len(v) && v[i] == ':' {
				if key = text; bytes.IndexByte(key, '\\') >= 0 {
					key = rawjson.Unescape(key)
				}
			} else {
				w.said(key, text)
			}
		case c == '-' || '0' <= c && c <= '9':
			end := i + 1
			for end < len(v) && (wordASCII[v[end]] != 0 || v[end] == '.' || v[end] == '-' || v[end] == '+') {
				end++
			}
			w.said(key, v[i:end])
			i = end
		default:
			i++
		}
	}
}

// said finds the words of the value behind a key, in lower camel case or in snake case as both may be sent.
func (w *Words) said(key, text []byte) {
	switch string(key) {
	case "stringValue", "string_value":
		w.string(text)
	case "name", "message", "eventName", "event_name", "intValue", "int_value", "doubleValue", "double_value":
		w.text(text, true)
	}
}

// string finds the words of what a string says, whose escapes are still in it. One that begins as
// JSON with a structure does holds some, whole or cut off: attributes have no other way to hold
// messages, and these read as those in an input of our own.
func (w *Words) string(s []byte) {
	if len(s) < 2 || s[0] != '{' && s[0] != '[' {
		w.text(s, true)
		return
	}
	if inner := rawjson.Unescape(s); beginsJSON(inner) {
		w.loose(inner)
		return
	}
	w.text(s, true)
}

// beginsJSON says whether no text but JSON begins so: with an object that has a key, or a list of
// strings, objects or lists.
func beginsJSON(s []byte) bool {
	next := rawjson.SkipSpace(s, 1)
	if next >= len(s) {
		return false
	}
	return s[next] == '"' || s[0] == '[' && (s[next] == '{' || s[next] == '[')
}

// loose is value for JSON that may be broken: what is outside of its strings are words too.
func (w *Words) loose(v []byte) {
	for i := 0; i < len(v); {
		switch v[i] {
		case '"':
			end := rawjson.SkipString(v, i)
			if end < 0 {
				w.text(v[i+1:], true) // it was cut off here
				return
			}
			next := rawjson.SkipSpace(v, end)
			if next >= len(v) || v[next] != ':' {
				w.text(v[i+1:end-1], true)
			}
			i = next
		case '{', '}', '[', ']', ',', ':', ' ', '\t', '\r', '\n':
			i++
		default:
			end := i + 1
			for end < len(v) && !ends(v[end]) {
				end++
			}
			switch string(v[i:end]) {
			case "true", "false", "null":
			default:
				w.text(v[i:end], false)
			}
			i = end
		}
	}
}

// ends says whether c ends a value of JSON that is neither a string nor a structure.
func ends(c byte) bool {
	switch c {
	case '"', '{', '}', '[', ']', ',', ':', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}
