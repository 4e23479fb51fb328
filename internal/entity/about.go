package entity

import "github.com/brokle-ai/brokle-go/internal/rawjson"

// mostInside bounds how deep inside a value its text is looked for.
const mostInside = 5

// about returns the one text that a value is about, as the JSON string that it
// is: a string itself; of an object the only member that a text goes by, such as
// {"question": "…", "locale": "en"}; of messages the last of the user, else the
// last. "" when there is none, or several that it could be.
func about(raw string, inside int) string {
	if raw == "" || inside == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		if len(raw) > len(`""`) {
			return raw
		}
	case '{':
		text, _ := ofObject(raw, inside-1)
		return text
	case '[':
		return ofMessages(raw, inside-1)
	}
	return ""
}

// ofObject also returns whose message the object says that it is.
func ofObject(raw string, inside int) (text, role string) {
	several := false
	for w := rawjson.MembersOf(rawjson.Bytes(raw)); ; {
		key, value, ok := w.Next()
		if !ok {
			break
		}
		if string(key) == "role" {
			role, _ = rawjson.Unquote(value)
		}
		if !goesBy(string(key)) {
			continue
		}
		if found := about(rawjson.Alias(value), inside); found != "" {
			several = several || text != ""
			text = found
		}
	}
	if several {
		return "", role
	}
	return text, role
}

// goesBy says whether a text goes by this key.
func goesBy(key string) bool {
	switch key {
	case "message", "messages", "prompt", "input", "question", "query", "text", "content", "output", "answer", "response":
		return true
	}
	return false
}

// ofMessages is about a list of messages, or of the parts of one, of which one is a text.
func ofMessages(raw string, inside int) string {
	var last, asked, part string
	parts := 0
	for w := rawjson.ElementsOf(rawjson.Bytes(raw)); ; {
		value, ok := w.Next()
		if !ok {
			break
		}
		if value[0] != '{' {
			return ""
		}
		text, role := ofObject(rawjson.Alias(value), inside)
		switch {
		case text == "":
		case role == "":
			part = text
			parts++
		case role == "user" || role == "human":
			asked, last = text, text
		default:
			last = text
		}
	}
	switch {
	case asked != "":
		return asked
	case last != "":
		return last
	case parts == 1:
		return part
	}
	return ""
}
