package otel

import (
	"bytes"
	"encoding/json"
)

// Message is one message of a conversation, whatever shape it was sent in.
type Message struct {
	// Role is system, user, assistant, tool or developer; "" where none was said.
	Role  string `json:"role"`
	Parts []Part `json:"parts"`
}

// Part is a part of a message.
type Part struct {
	// Type is text, reasoning, tool_call, tool_result, medium, or other for what is none of them.
	Type string `json:"type"`
	Text string `json:"text,omitempty"`
	// ID links a tool_result to its tool_call.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"` // of a tool
	// Arguments of a tool_call: JSON, null when they were not sent.
	Arguments json.RawMessage `json:"arguments,omitempty"`
	// Modality of a medium is image, audio, video or file.
	Modality  string `json:"modality,omitempty"`
	MediaType string `json:"media_type,omitempty"`
	// URI of a medium: an address, or a data URI with its bytes in base64.
	URI string `json:"uri,omitempty"`
}

// Tool is a tool that the model was offered.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // a JSON schema
}

// The shapes of decoded JSON.
type (
	object = map[string]any
	list   = []any
)

// messagesOf reads the messages of a request or an answer in any of the shapes that are sent:
// a list of messages, a whole request or answer of a provider, one message. What is
// none of these has no messages.
func messagesOf(text string) []Message { return messagesIn(decode(text)) }

func messagesIn(v any) []Message {
	switch v := v.(type) {
	case list:
		var all []Message
		for _, item := range v {
			switch item := item.(type) {
			case list: // LangChain sends a list for each prompt
				all = append(all, messagesIn(item)...)
			case object:
				all = append(all, itemMessages(item)...)
			}
		}
		return all
	case object:
		return objectMessages(v)
	}
	return nil
}

// objectMessages reads one object: a request, an answer, or a message.
func objectMessages(o object) []Message {
	for _, key := range []string{"messages", "contents", "choices", "candidates", "generations"} {
		if items, ok := o[key].(list); ok {
			return append(instructions(o), messagesIn(items)...)
		}
	}
	if _, isAnswer := o["output"].(list); isAnswer {
		return messagesIn(o["output"])
	}
	if in, ok := o["input"]; ok && o["role"] == nil {
		switch in := in.(type) {
		case string:
			return append(instructions(o), textMessage("user", in))
		case list:
			return append(instructions(o), messagesIn(in)...)
		}
		return nil
	}
	return itemMessages(o)
}

// instructions is the system's text of a request, where it does not stand among the messages.
func instructions(o object) []Message {
	for _, key := range []string{"system", "instructions", "systemInstruction", "system_instruction"} {
		switch v := o[key].(type) {
		case string:
			if v != "" {
				return []Message{textMessage("system", v)}
			}
		case list:
			if parts := partsOf(v); len(parts) > 0 {
				return []Message{{"system", parts}}
			}
		case object:
			if parts := partsOf(v["parts"]); len(parts) > 0 {
				return []Message{{"system", parts}}
			}
		}
	}
	return nil
}

func textMessage(role, text string) Message {
	return Message{role, []Part{{Type: "text", Text: text}}}
}

// itemMessages reads an item of a list: a message, a choice that wraps one, or an item of the
// Responses API.
func itemMessages(o object) []Message {
	for _, key := range []string{"message", "kwargs"} { // a choice; LangChain's own form
		if inner, ok := o[key].(object); ok {
			if o["finish_reason"] != nil && inner["role"] == nil {
				inner["role"] = "assistant"
			}
			if inner["tool_calls"] == nil && o["tool_calls"] != nil {
				inner["tool_calls"] = o["tool_calls"]
			}
			return itemMessages(inner)
		}
	}
	if content, ok := o["content"].(object); ok && content["parts"] != nil { // Gemini's candidate
		return itemMessages(content)
	}
	switch text(o, "type") {
	case "function_call", "custom_tool_call":
		return []Message{{"assistant", []Part{callPart(o)}}}
	case "function_call_output", "custom_tool_call_output":
		return []Message{{"tool", []Part{{Type: "tool_result", ID: text(o, "call_id"), Text: plain(o["output"])}}}}
	case "reasoning":
		if parts := reasoningParts(o); len(parts) > 0 {
			return []Message{{"assistant", parts}}
		}
		return nil
	case "tool_call", "text":
		if o["role"] == nil { // a part that stands alone
			return []Message{{"", partsOf(list{o})}}
		}
	}
	if !isMessage(o) {
		return nil
	}
	return []Message{messageOf(o)}
}

// isMessage says whether an object looks like a message.
func isMessage(o object) bool {
	if _, ok := o["role"].(string); ok {
		return true
	}
	if roles[text(o, "type")] != "" {
		_, ok := o["content"]
		return ok
	}
	_, ok := o["parts"].(list)
	return ok
}

// roles are other words for a role.
var roles = map[string]string{"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "model": "assistant",
	"system": "system", "tool": "tool", "function": "tool", "user": "user", "assistant": "assistant"}

func messageOf(o object) Message {
	role := text(o, "role")
	if role == "" {
		role = text(o, "type")
	}
	if known := roles[role]; known != "" {
		role = known
	}
	m := Message{Role: role, Parts: partsOf(o["parts"])}
	if reasoning, ok := o["reasoning_content"].(string); ok && reasoning != "" {
		m.Parts = append(m.Parts, Part{Type: "reasoning", Text: reasoning})
	}
	content := partsOf(o["content"])
	if id := text(o, "tool_call_id"); role == "tool" && id != "" {
		content = []Part{{Type: "tool_result", ID: id, Name: text(o, "name"), Text: plain(o["content"])}}
	}
	m.Parts = append(m.Parts, content...)
	if refusal := text(o, "refusal"); refusal != "" {
		m.Parts = append(m.Parts, Part{Type: "text", Text: refusal})
	}
	if calls, ok := o["tool_calls"].(list); ok {
		for _, call := range calls {
			if call, ok := call.(object); ok {
				m.addCall(callPart(call))
			}
		}
	}
	if call, ok := o["function_call"].(object); ok {
		m.addCall(callPart(call))
	}
	return m
}

// addCall adds a call of a tool, unless the parts have it already.
func (m *Message) addCall(call Part) {
	for i := range m.Parts {
		if p := &m.Parts[i]; p.Type == "tool_call" && p.ID == call.ID && p.Name == call.Name && call.ID != "" {
			return
		}
	}
	m.Parts = append(m.Parts, call)
}

// plain is the text of a content: a string, the texts of parts, or JSON.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case list:
		var b bytes.Buffer
		for _, p := range partsOf(v) {
			b.WriteString(p.Text)
		}
		if b.Len() > 0 {
			return b.String()
		}
	}
	return string(encode(v))
}

func text(o object, key string) string {
	s, _ := o[key].(string)
	return s
}
