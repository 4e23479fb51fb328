package brokleeino

import (
	"fmt"

	"github.com/cloudwego/eino/schema"
)

// message is one of eino's in the form of OpenAI's chat, which the server reads.
type message struct {
	Role       schema.RoleType   `json:"role"`
	Name       string            `json:"name,omitempty"`
	Content    any               `json:"content"`
	Reasoning  string            `json:"reasoning_content,omitempty"`
	ToolCalls  []schema.ToolCall `json:"tool_calls,omitempty"`
	ToolCallID string            `json:"tool_call_id,omitempty"`
}

func messageOf(m *schema.Message) *message {
	if m == nil {
		return nil
	}
	out := &message{Role: m.Role, Name: m.Name, Content: m.Content, Reasoning: m.ReasoningContent, ToolCalls: m.ToolCalls, ToolCallID: m.ToolCallID}
	if out.Name == "" && m.Role == schema.Tool {
		out.Name = m.ToolName
	}
	if parts := partsOf(m); len(parts) > 0 {
		out.Content = parts
	}
	return out
}

func messagesOf(list []*schema.Message) []*message {
	out := make([]*message, 0, len(list))
	for _, m := range list {
		out = append(out, messageOf(m))
	}
	return out
}

// part is one of several in a message.
type part struct {
	Type  string    `json:"type"`
	Text  string    `json:"text,omitempty"`
	Image *mediaURL `json:"image_url,omitempty"`
	File  *mediaURL `json:"file,omitempty"`
}

type mediaURL struct {
	URL string `json:"url"`
}

func partsOf(m *schema.Message) (all []part) {
	for _, p := range m.UserInputMultiContent {
		one := part{Type: string(p.Type), Text: p.Text}
		switch {
		case p.Image != nil:
			one.Image = media(p.Image.MessagePartCommon)
		case p.Audio != nil:
			one.File = media(p.Audio.MessagePartCommon)
		case p.Video != nil:
			one.File = media(p.Video.MessagePartCommon)
		case p.File != nil:
			one.File = media(p.File.MessagePartCommon)
		}
		all = append(all, one)
	}
	for _, p := range m.AssistantGenMultiContent {
		one := part{Type: string(p.Type), Text: p.Text}
		switch {
		case p.Reasoning != nil:
			one.Text = p.Reasoning.Text
		case p.Image != nil:
			one.Image = media(p.Image.MessagePartCommon)
		case p.Audio != nil:
			one.File = media(p.Audio.MessagePartCommon)
		case p.Video != nil:
			one.File = media(p.Video.MessagePartCommon)
		}
		all = append(all, one)
	}
	for _, p := range m.MultiContent { // as older programs write them
		one := part{Type: string(p.Type), Text: p.Text}
		if p.ImageURL != nil {
			one.Image = &mediaURL{p.ImageURL.URL}
		}
		all = append(all, one)
	}
	return all
}

// media says where a medium is, or what it was: bytes are not kept.
func media(p schema.MessagePartCommon) *mediaURL {
	switch {
	case p.URL != nil:
		return &mediaURL{*p.URL}
	case p.Base64Data != nil:
		return &mediaURL{fmt.Sprintf("data:%s (%d bytes of base64)", p.MIMEType, len(*p.Base64Data))}
	}
	return nil
}

// toolOf is a tool that a model may call, in the form of OpenAI's chat.
func toolOf(t *schema.ToolInfo) any {
	function := map[string]any{"name": t.Name, "description": t.Desc}
	if params, err := t.ToJSONSchema(); err == nil && params != nil {
		function["parameters"] = params
	}
	return map[string]any{"type": "function", "function": function}
}
