package modelcall

import (
	"bytes"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Nearly all events of a stream say a few words more and nothing else. They are read here without a copy of what they repeat, because the
// program waits meanwhile. Each of these functions reads its event or else nothing of it, and says which; what it leaves is read in full.

// quickChat reads a chunk of one choice that says text.
func quickChat(a *answer, data []byte) bool {
	if a.id == "" || a.model == "" || len(a.choices) != 1 {
		return false
	}
	said := false
	var text string
	m := rawjson.MembersOf(data)
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		switch string(key) {
		case "choices":
			if text, said = onlyText(v, a.choices[0].role != ""); !said {
				return false
			}
		case "usage", "error":
			if !isNull(v) {
				return false
			}
		case "service_tier":
			if !isNull(v) && !isText(v, a.tier) {
				return false
			}
		}
	}
	if m.Broken() || !said {
		return false
	}
	if text != "" {
		a.first = true
		a.choices[0].text.add(text)
	}
	return true
}

// onlyText is the text of a list of choices that has the first one, which says nothing else but perhaps a role that is known.
func onlyText(choices []byte, role bool) (text string, ok bool) {
	all := rawjson.ElementsOf(choices)
	one, ok := all.Next()
	if _, more := all.Next(); !ok || more || all.Broken() {
		return "", false
	}
	m := rawjson.MembersOf(one)
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		switch string(key) {
		case "index":
			if string(v) != "0" {
				return "", false
			}
		case "delta":
			d := rawjson.MembersOf(v)
			for key, v, ok := d.Next(); ok; key, v, ok = d.Next() {
				switch {
				case string(key) == "role" && role || isNull(v):
				case string(key) != "content":
					return "", false
				default:
					if text, ok = rawjson.Unquote(v); !ok {
						return "", false
					}
				}
			}
			if d.Broken() {
				return "", false
			}
		case "finish_reason", "text", "message":
			if !isNull(v) {
				return "", false
			}
		}
	}
	return text, !m.Broken()
}

// quickAnthropic reads the delta of a block.
func quickAnthropic(a *answer, data []byte) bool {
	index, isDelta := -1, false
	var delta []byte
	m := rawjson.MembersOf(data)
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		switch string(key) {
		case "type":
			isDelta = isText(v, "content_block_delta")
		case "index":
			if len(v) != 1 || v[0] < '0' || v[0] > '9' {
				return false
			}
			index = int(v[0] - '0')
		case "delta":
			delta = v
		case "error":
			return false
		}
	}
	if m.Broken() || !isDelta || index < 0 || index >= len(a.blocks) {
		return false
	}
	var text, thinking, input, sign string
	of := func(key []byte) *string {
		switch string(key) {
		case "text":
			return &text
		case "thinking":
			return &thinking
		case "partial_json":
			return &input
		case "signature":
			return &sign
		}
		return nil
	}
	d := rawjson.MembersOf(delta)
	for key, v, ok := d.Next(); ok; key, v, ok = d.Next() {
		to := of(key)
		if to == nil {
			continue
		}
		if *to, ok = rawjson.Unquote(v); !ok {
			return false
		}
	}
	if d.Broken() {
		return false
	}
	b := a.blocks[index]
	b.text.add(text)
	b.thinking.add(thinking)
	b.input.add(input)
	b.sign.add(sign)
	a.first = true
	return true
}

// quickResponses reads a delta of an output.
func quickResponses(a *answer, data []byte) bool {
	var typ, text string
	m := rawjson.MembersOf(data)
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		switch string(key) {
		case "type":
			typ, _ = rawjson.Unquote(v)
		case "delta":
			text, _ = rawjson.Unquote(v)
		case "response", "error":
			return false
		}
	}
	if m.Broken() || !isDeltaOf(typ) {
		return false
	}
	a.first = true
	if typ == outputTextDelta && a.text.Len()+len(text) <= keptOutput {
		a.text.WriteString(text)
	}
	return true
}

func isNull(v []byte) bool { return bytes.Equal(v, []byte("null")) }

// isText says whether v is text as a JSON string, as it is written without escapes.
func isText(v []byte, text string) bool {
	return len(v) == len(text)+len(`""`) && v[0] == '"' && string(v[1:len(v)-1]) == text
}
