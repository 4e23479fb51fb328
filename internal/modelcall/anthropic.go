package modelcall

import (
	"bytes"
	"encoding/json"
)

// anthropicBody is an answer of Anthropic's messages.
type anthropicBody struct {
	Type       string                     `json:"type"`
	ID         string                     `json:"id"`
	Model      string                     `json:"model"`
	Role       string                     `json:"role"`
	Content    json.RawMessage            `json:"content"`
	StopReason string                     `json:"stop_reason"`
	Usage      map[string]json.RawMessage `json:"usage"`
	Error      json.RawMessage            `json:"error"`
}

func (m *anthropicBody) tell(a *answer) {
	a.told(m.ID, m.Model, m.StopReason)
	a.counts(m.Usage)
	a.fail(m.Error)
}

func anthropicWhole(a *answer, body []byte) {
	var m anthropicBody
	if json.Unmarshal(body, &m) != nil {
		return
	}
	m.tell(a)
	if m.Type == "message" {
		a.done = true
		a.output = object{{"role", json.RawMessage(`"assistant"`)}, {"content", shorten(m.Content)}}.json()
	}
}

// block is one block of an answer's content: as it began, with what its pieces added.
type block struct {
	start                       map[string]json.RawMessage
	text, thinking, input, sign text
}

func (a *answer) block(i int) *block {
	i = min(max(i, 0), maxIndex-1)
	for len(a.blocks) <= i {
		a.blocks = append(a.blocks, &block{})
	}
	return a.blocks[i]
}

func anthropicPiece(a *answer, data []byte) {
	if !quickAnthropic(a, data) {
		anthropicEvent(a, data)
	}
}

func anthropicEvent(a *answer, data []byte) {
	var e struct {
		Type    string                     `json:"type"`
		Message *anthropicBody             `json:"message"`
		Index   int                        `json:"index"`
		Block   map[string]json.RawMessage `json:"content_block"`
		Usage   map[string]json.RawMessage `json:"usage"`
		Error   json.RawMessage            `json:"error"`
		Delta   struct {
			Text        string `json:"text"`
			Thinking    string `json:"thinking"`
			Signature   string `json:"signature"`
			PartialJSON string `json:"partial_json"`
			StopReason  string `json:"stop_reason"`
		} `json:"delta"`
	}
	if json.Unmarshal(data, &e) != nil {
		return
	}
	switch e.Type {
	case "message_start":
		if e.Message != nil {
			e.Message.tell(a)
		}
	case "content_block_start":
		b := a.block(e.Index)
		b.start = map[string]json.RawMessage{}
		for key, v := range e.Block {
			b.start[key] = shorten(bytes.Clone(v))
		}
	case "content_block_delta":
		b := a.block(e.Index)
		b.text.add(e.Delta.Text)
		b.thinking.add(e.Delta.Thinking)
		b.sign.add(e.Delta.Signature)
		b.input.add(e.Delta.PartialJSON)
		a.first = true
	case "message_delta":
		a.told("", "", e.Delta.StopReason)
		a.counts(e.Usage)
	case "message_stop":
		a.done = true
	}
	a.fail(e.Error)
}

func anthropicBuilt(a *answer) any {
	if len(a.blocks) == 0 {
		return nil
	}
	content := make([]map[string]json.RawMessage, 0, len(a.blocks))
	for _, b := range a.blocks {
		content = append(content, b.built())
	}
	return map[string]any{"role": "assistant", "content": content}
}

// built is the block as an answer has it that comes at once.
func (b *block) built() map[string]json.RawMessage {
	if b.start == nil {
		b.start = map[string]json.RawMessage{"type": json.RawMessage(`"text"`)}
	}
	for key, t := range map[string]*text{"text": &b.text, "thinking": &b.thinking, "signature": &b.sign} {
		if s := t.String(); s != "" {
			b.start[key], _ = encode(s) // a text always encodes
		}
	}
	if s := b.input.String(); s != "" {
		if b.start["input"] = json.RawMessage(s); !json.Valid(b.start["input"]) { // cut off in the middle
			b.start["input"], _ = encode(s)
		}
	}
	return b.start
}
