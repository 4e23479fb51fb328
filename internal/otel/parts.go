package otel

import (
	"encoding/json"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// partsOf reads a content: a string, or a list of parts of any provider.
func partsOf(v any) []Part {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
		return []Part{{Type: "text", Text: v}}
	case list:
		var parts []Part
		for _, item := range v {
			switch item := item.(type) {
			case string:
				parts = append(parts, Part{Type: "text", Text: item})
			case object:
				parts = append(parts, partOf(item)...)
			}
		}
		return parts
	}
	return nil
}

func partOf(o object) []Part {
	kind := text(o, "type")
	switch kind {
	case "text", "input_text", "output_text", "refusal", "summary_text":
		s := firstText(o, "text", "content", "refusal")
		if s == "" {
			return nil
		}
		return []Part{{Type: "text", Text: s}}
	case "reasoning", "thinking", "redacted_thinking", "reasoning_text":
		return reasoningParts(o)
	case "tool_call", "tool_use", "function_call", "server_tool_use", "tool-call":
		return []Part{callPart(o)}
	case "tool_call_response", "tool_result", "function_call_output", "tool-result":
		return []Part{resultPart(o)}
	case "image_url", "image", "input_image", "input_audio", "audio", "video", "file", "input_file", "document", "blob", "uri", "medium":
		return []Part{medium(kind, o)}
	case "":
		return geminiPart(o)
	}
	return []Part{{Type: "other", Text: string(encode(o))}}
}

// geminiPart reads a part that says by its key what it is, as Gemini's and Genkit's do.
func geminiPart(o object) []Part {
	if s, ok := o["text"].(string); ok {
		if thought, _ := o["thought"].(bool); thought {
			return []Part{{Type: "reasoning", Text: s}}
		}
		return []Part{{Type: "text", Text: s}}
	}
	for _, key := range []string{"functionCall", "function_call", "toolRequest"} {
		if call, ok := o[key].(object); ok {
			return []Part{callPart(call)}
		}
	}
	for _, key := range []string{"functionResponse", "function_response", "toolResponse"} {
		if answer, ok := o[key].(object); ok {
			return []Part{resultPart(answer)}
		}
	}
	for _, key := range []string{"inlineData", "inline_data", "fileData", "file_data", "media"} {
		if data, ok := o[key].(object); ok {
			return []Part{medium("file", data)}
		}
	}
	if s, ok := o["reasoning"].(string); ok {
		return []Part{{Type: "reasoning", Text: s}}
	}
	if len(o) == 0 {
		return nil
	}
	return []Part{{Type: "other", Text: string(encode(o))}}
}

func reasoningParts(o object) []Part {
	s := firstText(o, "text", "thinking", "content", "reasoning", "data")
	if s == "" {
		s = plain(emptied(o["summary"])) + plain(emptied(o["content"]))
	}
	if s == "" {
		return nil
	}
	return []Part{{Type: "reasoning", Text: s}}
}

// emptied is v, or nil for a list without elements.
func emptied(v any) any {
	if l, ok := v.(list); ok && len(l) == 0 {
		return nil
	}
	return v
}

func callPart(o object) Part {
	p := Part{Type: "tool_call", ID: firstText(o, "id", "call_id", "toolCallId", "ref"), Name: firstText(o, "name", "toolName")}
	if id := text(o, "call_id"); id != "" {
		p.ID = id
	}
	of := o
	if f, ok := o["function"].(object); ok {
		p.Name, of = text(f, "name"), f
	}
	p.Arguments = json.RawMessage("null")
	for _, key := range []string{"arguments", "args", "input"} {
		if v, ok := of[key]; ok && v != nil {
			p.Arguments = argumentsOf(v)
			break
		}
	}
	return p
}

// argumentsOf is the JSON of a call's arguments; some send it in a string.
func argumentsOf(v any) json.RawMessage {
	s, ok := v.(string)
	if ok && rawjson.Valid(s) {
		return json.RawMessage(s)
	}
	return encode(v)
}

func resultPart(o object) Part {
	p := Part{Type: "tool_result", ID: firstText(o, "id", "tool_use_id", "call_id", "tool_call_id", "toolCallId", "ref"), Name: firstText(o, "name", "toolName")}
	for _, key := range []string{"response", "result", "content", "output"} {
		if v, ok := o[key]; ok && v != nil {
			p.Text = plain(v)
			break
		}
	}
	return p
}

func medium(kind string, o object) Part {
	p := Part{Type: "medium", MediaType: firstText(o, "mime_type", "media_type", "mimeType", "mediaType", "contentType"), Modality: text(o, "modality")}
	data := firstText(o, "uri", "url", "fileUri", "file_uri", "file_id", "id")
	for _, key := range []string{"image_url", "image", "input_audio", "audio", "file", "source", "video_url"} {
		switch v := o[key].(type) {
		case string:
			data = v
		case object:
			inner := medium(kind, v)
			data, p.MediaType = inner.URI, inner.MediaType
		}
	}
	if content := firstText(o, "content", "data", "file_data"); data == "" && content != "" {
		data = content
		if !strings.HasPrefix(content, "data:") && p.MediaType != "" {
			data = "data:" + p.MediaType + ";base64," + content
		}
	}
	p.URI = data
	if rest, ok := strings.CutPrefix(data, "data:"); ok && p.MediaType == "" {
		p.MediaType, _, _ = strings.Cut(rest, ";")
	}
	if p.Modality == "" {
		p.Modality = modality(kind, p.MediaType)
	}
	return p
}

func modality(kind, mediaType string) string {
	for _, m := range []string{"image", "audio", "video"} {
		if strings.HasPrefix(mediaType, m+"/") || strings.Contains(kind, m) {
			return m
		}
	}
	return "file"
}

func firstText(o object, keys ...string) string {
	for _, key := range keys {
		if s := text(o, key); s != "" {
			return s
		}
	}
	return ""
}
