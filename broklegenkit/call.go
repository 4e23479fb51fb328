package broklegenkit

import (
	"encoding/json"
	"strings"

	"github.com/firebase/genkit/go/ai"

	"github.com/brokle-ai/brokle-go"
)

// request reads what a model was asked.
func (s *said) request(in json.RawMessage, content bool) {
	var q struct {
		Messages json.RawMessage            `json:"messages"`
		Tools    json.RawMessage            `json:"tools"`
		Config   map[string]json.RawMessage `json:"config"`
	}
	if json.Unmarshal(in, &q) != nil {
		return
	}
	if s.in = nil; len(q.Messages) > 0 {
		s.in = q.Messages
	}
	if len(q.Tools) > 2 { // more than []
		s.in = map[string]json.RawMessage{"messages": q.Messages, "tools": q.Tools}
	}
	params := map[string]any{}
	for key, v := range q.Config {
		switch {
		case key == "apiKey" || key == "messages" || key == "tools" || string(v) == "null": // a secret; what stands elsewhere
		case key == "version" || key == "model":
			var model string
			if json.Unmarshal(v, &model) == nil && model != "" {
				s.opts = append(s.opts, brokle.RequestedModel(model))
			}
		case content || len(v) > 0 && v[0] != '{' && v[0] != '[' && len(v) <= 64: // a number, a truth, or a word
			params[key] = v
		}
	}
	if len(params) > 0 {
		s.opts = append(s.opts, brokle.ModelParameters(params))
	}
}

// response reads what a model answered.
func (s *said) response(out json.RawMessage) {
	var a struct {
		Message      json.RawMessage     `json:"message"`
		FinishReason string              `json:"finishReason"`
		Usage        *ai.GenerationUsage `json:"usage"`
	}
	s.out = nil
	if json.Unmarshal(out, &a) != nil {
		return
	}
	if len(a.Message) > 0 {
		s.out = a.Message
	}
	if a.FinishReason == string(ai.FinishReasonStop) && strings.Contains(string(a.Message), `"toolRequest":`) {
		a.FinishReason = "tool_calls" // Genkit has no word for it
	}
	if a.FinishReason != "" {
		s.opts = append(s.opts, brokle.FinishReason(a.FinishReason))
	}
	if a.Usage != nil {
		s.opts = append(s.opts, usageOf(a.Usage)...)
	}
}

// usageOf is a usage in our terms, in which the input has what the cache gave, and the output what the model thought with. Genkit passes on what
// each provider counts: Google's output is without the thoughts, and Anthropic's, which has no total, has an input without the cache.
func usageOf(u *ai.GenerationUsage) (opts []brokle.Option) {
	in, out := u.InputTokens, u.OutputTokens
	if u.TotalTokens == 0 {
		in += u.CachedContentTokens
	} else if u.TotalTokens == in+out+u.ThoughtsTokens {
		out += u.ThoughtsTokens
	}
	if in+out == 0 {
		return nil
	}
	opts = append(opts, brokle.Usage(int64(in), int64(out)))
	if u.CachedContentTokens > 0 {
		opts = append(opts, brokle.CacheReadTokens(int64(u.CachedContentTokens)))
	}
	if u.ThoughtsTokens > 0 {
		opts = append(opts, brokle.ReasoningTokens(int64(u.ThoughtsTokens)))
	}
	return opts
}

// document is one of Genkit's, as far as it is text.
type document struct {
	Content []struct {
		Text string `json:"text"`
	} `json:"content"`
}

func (d document) text() string {
	var b strings.Builder
	for _, p := range d.Content {
		b.WriteString(p.Text)
	}
	return b.String()
}

// textsOf are the texts that were embedded; nil where there are none.
func textsOf(in json.RawMessage) any {
	var q struct{ Input []document }
	if json.Unmarshal(in, &q) != nil || len(q.Input) == 0 {
		return nil
	}
	texts := make([]string, 0, len(q.Input))
	for _, d := range q.Input {
		texts = append(texts, d.text())
	}
	return texts
}

// sizesOf is what is kept of vectors.
func sizesOf(out json.RawMessage) any {
	var a struct {
		Embeddings []struct {
			Embedding []json.RawMessage `json:"embedding"`
		} `json:"embeddings"`
	}
	if json.Unmarshal(out, &a) != nil || len(a.Embeddings) == 0 {
		return nil
	}
	return map[string]any{"embeddings": len(a.Embeddings), "dimensions": len(a.Embeddings[0].Embedding)}
}
