package broklelangchain

import (
	"encoding/json"
	"fmt"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// kept is v as JSON within bounds. What encoding/json does not take, such as a function among a chain's inputs, is its type; so is what panics
// while it is encoded, because that must not reach the program.
func kept(v any) (raw json.RawMessage) {
	defer func() {
		if recover() != nil {
			raw, _ = json.Marshal(fmt.Sprintf("(%T)", v)) // a text always encodes
		}
	}()
	if b, err := json.Marshal(v); err == nil {
		return modelcall.Shorten(b)
	}
	members, ok := v.(map[string]any)
	if !ok {
		b, _ := json.Marshal(fmt.Sprintf("(%T)", v)) // a text always encodes
		return b
	}
	all := make(map[string]json.RawMessage, len(members))
	for key, v := range members {
		all[key] = kept(v)
	}
	b, _ := json.Marshal(all) // of members that are JSON already
	return modelcall.Shorten(b)
}

// message is one as OpenAI's chat has it, which the server reads.
type message struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"`
	Reasoning  string     `json:"reasoning_content,omitempty"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
	Name       string     `json:"name,omitempty"`
}

// toolCall is the library's, whose own JSON is another's.
type toolCall struct {
	ID       string             `json:"id,omitempty"`
	Type     string             `json:"type"`
	Function *llms.FunctionCall `json:"function"`
}

// calls adds what a message calls for.
func (m *message) calls(all ...llms.ToolCall) {
	for _, c := range all {
		m.ToolCalls = append(m.ToolCalls, toolCall{c.ID, "function", c.FunctionCall})
	}
}

// roles are those of the library, by OpenAI's words.
var roles = map[llms.ChatMessageType]string{
	llms.ChatMessageTypeAI: "assistant", llms.ChatMessageTypeHuman: "user", llms.ChatMessageTypeGeneric: "user", llms.ChatMessageTypeSystem: "system",
	llms.ChatMessageTypeFunction: "function", llms.ChatMessageTypeTool: "tool",
}

func messages(ms []llms.MessageContent) []message {
	all := make([]message, 0, len(ms))
	for _, m := range ms {
		one := message{Role: roles[m.Role]}
		if one.Role == "" {
			one.Role = string(m.Role)
		}
		var parts []any
		text, plain := "", true
		for _, p := range m.Parts {
			switch p := bare(p).(type) {
			case llms.TextContent:
				parts = append(parts, map[string]string{"type": "text", "text": p.Text})
				text += p.Text
			case llms.ToolCall:
				one.calls(p)
			case llms.ToolCallResponse:
				one.ToolCallID, one.Name = p.ToolCallID, p.Name
				parts = append(parts, map[string]string{"type": "text", "text": p.Content})
				text += p.Content
			default:
				plain = false
				parts = append(parts, medium(p))
			}
		}
		switch {
		case !plain || len(parts) > 1:
			one.Content = parts
		case len(parts) == 1 || len(one.ToolCalls) == 0:
			one.Content = text
		}
		all = append(all, one)
	}
	return all
}

// bare is a part without the wish to have it cached.
func bare(p llms.ContentPart) llms.ContentPart {
	if c, ok := p.(llms.CachedContent); ok && c.ContentPart != nil {
		return c.ContentPart
	}
	return p
}

// medium is what is kept of an image or a file: its address, or its kind and size.
func medium(p llms.ContentPart) any {
	switch p := p.(type) {
	case llms.ImageURLContent:
		return map[string]any{"type": "image_url", "image_url": p}
	case llms.BinaryContent:
		return map[string]any{"type": "text", "text": fmt.Sprintf("(%s, %d bytes)", p.MIMEType, len(p.Data))}
	}
	return map[string]any{"type": "text", "text": fmt.Sprintf("(%T)", p)}
}

func ofPrompts(prompts []string) []message {
	all := make([]message, 0, len(prompts))
	for _, p := range prompts {
		all = append(all, message{Role: "user", Content: p})
	}
	return all
}

// answer is what a model answered: a message, or several where it gave a choice.
func answer(res *llms.ContentResponse) any {
	type choice struct {
		Index   int     `json:"index"`
		Finish  string  `json:"finish_reason"`
		Message message `json:"message"`
	}
	all := make([]choice, 0, len(res.Choices))
	for i, c := range res.Choices {
		if c == nil {
			continue
		}
		m := message{Role: "assistant", Content: c.Content, Reasoning: c.ReasoningContent}
		if m.calls(c.ToolCalls...); c.FuncCall != nil && len(c.ToolCalls) == 0 { // before tools
			m.calls(llms.ToolCall{FunctionCall: c.FuncCall})
		}
		if c.Content == "" && len(m.ToolCalls) > 0 {
			m.Content = nil
		}
		if m.Reasoning == "" {
			m.Reasoning, _ = c.GenerationInfo["ThinkingContent"].(string)
		}
		all = append(all, choice{i, finish(c), m})
	}
	if len(all) == 1 {
		return all[0].Message
	}
	return all
}

// found is what a retriever found.
func found(documents []schema.Document) any {
	type document struct {
		Content  string          `json:"content"`
		Metadata json.RawMessage `json:"metadata,omitempty"`
		Score    float32         `json:"score,omitempty"`
	}
	all := make([]document, 0, len(documents))
	for _, d := range documents {
		one := document{Content: d.PageContent, Score: d.Score}
		if len(d.Metadata) > 0 {
			one.Metadata = kept(d.Metadata)
		}
		all = append(all, one)
	}
	return all
}
