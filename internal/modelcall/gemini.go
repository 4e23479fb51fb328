package modelcall

import (
	"bytes"
	"cmp"
	"encoding/json"
)

// geminiBody is an answer of Gemini's generateContent, or a chunk of one.
type geminiBody struct {
	ResponseID   string                     `json:"responseId"`
	ModelVersion string                     `json:"modelVersion"`
	Usage        map[string]json.RawMessage `json:"usageMetadata"`
	Error        json.RawMessage            `json:"error"`
	Feedback     struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	Candidates []struct {
		Index        int    `json:"index"`
		FinishReason string `json:"finishReason"`
		Content      struct {
			Parts []json.RawMessage `json:"parts"`
		} `json:"content"`
	} `json:"candidates"`
}

// geminiWhole reads an answer, or the list of chunks that a stream without Server-Sent Events is.
func geminiWhole(a *answer, body []byte) {
	var chunks []json.RawMessage
	if json.Unmarshal(body, &chunks) != nil {
		chunks = []json.RawMessage{body}
	}
	for _, c := range chunks {
		geminiPiece(a, c)
	}
	a.output = geminiBuilt(a)
}

func geminiPiece(a *answer, data []byte) {
	var g geminiBody
	if json.Unmarshal(data, &g) != nil {
		return
	}
	a.told(g.ResponseID, g.ModelVersion, g.Feedback.BlockReason)
	a.counts(g.Usage)
	a.fail(g.Error)
	a.done = a.done || g.Feedback.BlockReason != ""
	for i := range g.Candidates {
		part := &g.Candidates[i]
		c := a.choice(part.Index)
		for _, p := range part.Content.Parts {
			a.first = true
			c.part(p)
		}
		if c.finish = cmp.Or(part.FinishReason, c.finish); part.Index == 0 && c.finish != "" {
			a.finish, a.done = c.finish, true
		}
	}
}

// part adds a part: texts one after another are one, as are thoughts; what is neither stays as it is.
func (c *choice) part(raw json.RawMessage) {
	var p struct {
		Text    *string `json:"text"`
		Thought bool    `json:"thought"`
	}
	switch {
	case json.Unmarshal(raw, &p) != nil || p.Text == nil:
		c.parts = append(c.parts, shorten(bytes.Clone(raw)))
	case p.Thought:
		c.reasoning.add(*p.Text)
	default:
		c.text.add(*p.Text)
	}
}

func geminiBuilt(a *answer) any {
	if len(a.choices) == 0 {
		return nil
	}
	all := make([]any, 0, len(a.choices))
	for i, c := range a.choices {
		parts := []any{}
		if s := c.reasoning.String(); s != "" {
			parts = append(parts, map[string]any{"text": s, "thought": true})
		}
		if s := c.text.String(); s != "" {
			parts = append(parts, map[string]any{"text": s})
		}
		for _, p := range c.parts {
			parts = append(parts, p)
		}
		all = append(all, map[string]any{"index": i, "finishReason": c.finish, "content": map[string]any{"role": "model", "parts": parts}})
	}
	return map[string]any{"candidates": all}
}

// geminiEmbedded keeps how many vectors came and of how many dimensions.
func geminiEmbedded(a *answer, body []byte) {
	type vector struct {
		Values json.RawMessage `json:"values"`
	}
	var g struct {
		Embedding  *vector                    `json:"embedding"`
		Embeddings []vector                   `json:"embeddings"`
		Usage      map[string]json.RawMessage `json:"usageMetadata"`
		Error      json.RawMessage            `json:"error"`
	}
	if json.Unmarshal(body, &g) != nil {
		return
	}
	a.counts(g.Usage)
	a.fail(g.Error)
	if g.Embedding != nil {
		g.Embeddings = append(g.Embeddings, *g.Embedding)
	}
	if len(g.Embeddings) > 0 {
		a.done, a.output = true, sizes(len(g.Embeddings), g.Embeddings[0].Values)
	}
}
