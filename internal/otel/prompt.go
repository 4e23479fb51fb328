package otel

import "github.com/brokle-ai/brokle-go/internal/rawjson"

// PromptText calls write for each text that went in, in order, and says whether there was any: the
// texts of the parts of Messages, which need not be made for the form that most libraries send. What
// write is given is its own only until it returns.
func (m *Meaning) PromptText(write func([]byte)) (some bool) {
	if m.plainIn && rawjson.Valid(m.Input) {
		if ok := plainMessages(m.Input, nil); ok {
			plainMessages(m.Input, func(text []byte) {
				some = some || len(text) > 0
				write(text)
			})
			return some
		}
	}
	in, _, _ := m.Messages()
	for i := range in {
		for j := range in[i].Parts {
			text := in[i].Parts[j].Text
			some = some || text != ""
			write([]byte(text))
		}
	}
	return some
}

// plainMessages calls write, which may be nil, for the texts of a list of messages that hold
// nothing else: their content is a text, or their parts or contents are texts. ok is false for any other.
func plainMessages(text string, write func([]byte)) (ok bool) {
	if text == "" || text[0] != '[' {
		return false
	}
	items := rawjson.ElementsOf(rawjson.Bytes(text))
	for item, more := items.Next(); more; item, more = items.Next() {
		if item[0] != '{' || !plainMessage(item, write) {
			return false
		}
	}
	return !items.Broken()
}

func plainMessage(item []byte, write func([]byte)) bool {
	said := false // one of content and parts: of both the order of their texts would count
	members := rawjson.MembersOf(item)
	for key, value, more := members.Next(); more; key, value, more = members.Next() {
		switch string(key) {
		case "role":
			if string(value) == `"tool"` {
				return false
			}
		case "name", "finish_reason":
		case "content", "parts":
			if said || !plainContent(value, write) {
				return false
			}
			said = true
		default:
			return false
		}
	}
	return !members.Broken()
}

// plainContent is a text, or a list of parts that are texts.
func plainContent(value []byte, write func([]byte)) bool {
	switch value[0] {
	case '"':
		writeText(value, write)
		return true
	case '[':
	default:
		return false
	}
	parts := rawjson.ElementsOf(value)
	for part, more := parts.Next(); more; part, more = parts.Next() {
		if part[0] != '{' {
			return false
		}
		var held []byte
		isText := false
		members := rawjson.MembersOf(part)
		for key, value, more := members.Next(); more; key, value, more = members.Next() {
			switch string(key) {
			case "type":
				isText = string(value) == `"text"`
			case "content", "text":
				if held != nil || value[0] != '"' {
					return false
				}
				held = value
			default:
				return false
			}
		}
		if !isText || held == nil {
			return false
		}
		writeText(held, write)
	}
	return !parts.Broken()
}

func writeText(raw []byte, write func([]byte)) {
	if write == nil {
		return
	}
	text, _ := rawjson.Unquote(raw)
	write(rawjson.Bytes(text))
}
