package modelcall

import (
	"cmp"
	"encoding/json"
)

// chatBody is an answer of OpenAI's chat or of its older completions, or a chunk of one.
type chatBody struct {
	ID      string                     `json:"id"`
	Model   string                     `json:"model"`
	Choices []chatChoice               `json:"choices"`
	Usage   map[string]json.RawMessage `json:"usage"`
	Error   json.RawMessage            `json:"error"`
	Tier    string                     `json:"service_tier"`
}

type chatChoice struct {
	Index        int             `json:"index"`
	FinishReason string          `json:"finish_reason"`
	Message      json.RawMessage `json:"message"`
	Text         string          `json:"text"` // of completions
	Delta        struct {
		Role             string     `json:"role"`
		Content          string     `json:"content"`
		ReasoningContent string     `json:"reasoning_content"` // DeepSeek and others
		Reasoning        string     `json:"reasoning"`         // OpenRouter and others
		Refusal          string     `json:"refusal"`
		ToolCalls        []toolCall `json:"tool_calls"`
		FunctionCall     *function  `json:"function_call"` // before tools
	} `json:"delta"`
}

type toolCall struct {
	Index    int      `json:"index"`
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// choice is one answer of several, put together of pieces.
type choice struct {
	role                     string
	text, reasoning, refusal text
	calls                    []*builtCall
	parts                    []*part        // Gemini's
	notes                    map[string]any // Gemini's, beside the parts
	finish                   string
}

type builtCall struct {
	id, typ, name string
	arguments     text
}

// maxIndex bounds what a stream may number.
const maxIndex = 256

func (a *answer) choice(i int) *choice {
	if i < 0 || i >= maxIndex {
		i = maxIndex - 1
	}
	for len(a.choices) <= i {
		a.choices = append(a.choices, &choice{})
	}
	return a.choices[i]
}

func chatWhole(a *answer, body []byte) {
	var c chatBody
	if json.Unmarshal(body, &c) != nil {
		return
	}
	a.told(c.ID, c.Model, "")
	a.tier = cmp.Or(c.Tier, a.tier)
	a.counts(c.Usage)
	a.fail(c.Error)
	a.done = len(c.Choices) > 0
	for i, ch := range c.Choices {
		if i == 0 {
			a.told("", "", ch.FinishReason)
		}
	}
	if len(c.Choices) == 1 {
		if a.output = any(c.Choices[0].Text); c.Choices[0].Message != nil {
			a.output = shorten(c.Choices[0].Message)
		}
		return
	}
	var all struct {
		Choices json.RawMessage `json:"choices"`
	}
	if json.Unmarshal(body, &all) == nil && len(c.Choices) > 0 {
		a.output = shorten(all.Choices)
	}
}

func chatPiece(a *answer, data []byte) {
	if string(data) == "[DONE]" {
		a.done = true
		return
	}
	var c chatBody
	if json.Unmarshal(data, &c) != nil {
		return
	}
	a.told(c.ID, c.Model, "")
	a.tier = cmp.Or(c.Tier, a.tier)
	a.counts(c.Usage)
	a.fail(c.Error)
	for i := range c.Choices {
		d := &c.Choices[i]
		a.choice(d.Index).add(a, d)
	}
}

// add takes a chunk of one choice.
func (c *choice) add(a *answer, d *chatChoice) {
	reasoning := cmp.Or(d.Delta.ReasoningContent, d.Delta.Reasoning)
	c.role = cmp.Or(c.role, d.Delta.Role)
	c.text.add(d.Delta.Content + d.Text)
	c.reasoning.add(reasoning)
	c.refusal.add(d.Delta.Refusal)
	if f := d.Delta.FunctionCall; f != nil {
		d.Delta.ToolCalls = append(d.Delta.ToolCalls, toolCall{Function: *f})
	}
	for _, t := range d.Delta.ToolCalls {
		i := min(max(t.Index, 0), maxIndex-1)
		for len(c.calls) <= i {
			c.calls = append(c.calls, &builtCall{})
		}
		b := c.calls[i]
		b.id, b.typ, b.name = cmp.Or(b.id, t.ID), cmp.Or(b.typ, t.Type), cmp.Or(b.name, t.Function.Name)
		b.arguments.add(t.Function.Arguments)
	}
	if d.Delta.Content+d.Text+reasoning+d.Delta.Refusal != "" || len(d.Delta.ToolCalls) > 0 {
		a.first = true
	}
	if c.finish = cmp.Or(d.FinishReason, c.finish); d.Index == 0 && c.finish != "" {
		a.finish, a.done = c.finish, true // not every server says [DONE]
	}
}

func chatBuilt(a *answer) any {
	var all []any
	for i, c := range a.choices {
		m := c.message()
		if len(a.choices) == 1 {
			return m
		}
		all = append(all, map[string]any{"index": i, "finish_reason": c.finish, "message": m})
	}
	if all == nil {
		return nil
	}
	return all
}

// message is the choice as an answer has it that comes at once.
func (c *choice) message() map[string]any {
	m := map[string]any{"role": cmp.Or(c.role, "assistant"), "content": c.text.String()}
	if s := c.reasoning.String(); s != "" {
		m["reasoning_content"] = s
	}
	if s := c.refusal.String(); s != "" {
		m["refusal"] = s
	}
	var calls []any
	for _, b := range c.calls {
		calls = append(calls, map[string]any{"id": b.id, "type": cmp.Or(b.typ, "function"),
			"function": map[string]any{"name": b.name, "arguments": b.arguments.String()}})
	}
	if calls != nil {
		if m["tool_calls"] = calls; m["content"] == "" {
			m["content"] = nil
		}
	}
	return m
}
