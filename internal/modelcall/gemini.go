package modelcall

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
)

// geminiBody is an answer of Gemini's generateContent, or a chunk of one.
type geminiBody struct {
	ResponseID   string                     `json:"responseId"`
	ModelVersion string                     `json:"modelVersion"`
	Usage        map[string]json.RawMessage `json:"usageMetadata"`
	Error        json.RawMessage            `json:"error"`
	Feedback     json.RawMessage            `json:"promptFeedback"`
	Candidates   []geminiCandidate          `json:"candidates"`
}

type geminiCandidate struct {
	Index        int    `json:"index"`
	FinishReason string `json:"finishReason"`
	Content      struct {
		Parts []json.RawMessage `json:"parts"`
	} `json:"content"`
	FinishMessage string          `json:"finishMessage"`
	Grounding     json.RawMessage `json:"groundingMetadata"` // what a search found
	Citations     json.RawMessage `json:"citationMetadata"`
	Pages         json.RawMessage `json:"urlContextMetadata"`
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
	a.told(g.ResponseID, g.ModelVersion, "")
	a.counts(g.Usage)
	a.fail(g.Error)
	a.blocked(g.Feedback)
	for i := range g.Candidates {
		part := &g.Candidates[i]
		c := a.choice(part.Index)
		for _, p := range part.Content.Parts {
			a.first = true
			c.part(p)
		}
		c.note(part)
		if c.finish = cmp.Or(part.FinishReason, c.finish); part.Index == 0 && c.finish != "" {
			a.finish, a.done = c.finish, true
		}
	}
}

// blocked reads what is said of a prompt: when it is refused, there are no candidates, and the reason is the answer.
func (a *answer) blocked(feedback json.RawMessage) {
	var f struct {
		BlockReason string `json:"blockReason"`
	}
	if json.Unmarshal(feedback, &f) != nil || f.BlockReason == "" {
		return
	}
	a.told("", "", f.BlockReason)
	a.done, a.feedback = true, shorten(bytes.Clone(feedback))
}

// part is one part of Gemini's answer: a text, or what is none, as it came.
type part struct {
	text    text
	thought bool
	raw     json.RawMessage
}

// part adds a part: texts one after another are one, as are thoughts; what is neither stays as it is, and where it is.
func (c *choice) part(raw json.RawMessage) {
	var p struct {
		Text    *string `json:"text"`
		Thought bool    `json:"thought"`
	}
	if json.Unmarshal(raw, &p) != nil || p.Text == nil {
		if len(c.parts) < maxIndex {
			c.parts = append(c.parts, &part{raw: shorten(bytes.Clone(raw))})
		}
		return
	}
	if *p.Text == "" { // the end of a stream, or a signature alone
		return
	}
	n := len(c.parts)
	if n == 0 || c.parts[n-1].raw != nil || c.parts[n-1].thought != p.Thought {
		if n == maxIndex {
			return
		}
		c.parts = append(c.parts, &part{thought: p.Thought})
	}
	c.parts[len(c.parts)-1].text.add(*p.Text)
}

// note keeps what an answer says beside its parts; of what is said again, the last.
func (c *choice) note(g *geminiCandidate) {
	for key, v := range map[string]json.RawMessage{"groundingMetadata": g.Grounding, "citationMetadata": g.Citations, "urlContextMetadata": g.Pages} {
		if len(v) > len("{}") {
			c.keep(key, shorten(bytes.Clone(v)))
		}
	}
	if g.FinishMessage != "" {
		c.keep("finishMessage", g.FinishMessage)
	}
}

func (c *choice) keep(key string, v any) {
	if c.notes == nil {
		c.notes = map[string]any{}
	}
	c.notes[key] = v
}

func geminiBuilt(a *answer) any {
	if len(a.choices) == 0 && a.feedback == nil {
		return nil
	}
	all := make([]any, 0, len(a.choices))
	for i, c := range a.choices {
		parts := []any{}
		for _, p := range c.parts {
			switch {
			case p.raw != nil:
				parts = append(parts, p.raw)
			case p.thought:
				parts = append(parts, map[string]any{"text": p.text.String(), "thought": true})
			default:
				parts = append(parts, map[string]any{"text": p.text.String()})
			}
		}
		one := map[string]any{"index": i, "finishReason": c.finish, "content": map[string]any{"role": "model", "parts": parts}}
		maps.Copy(one, c.notes)
		all = append(all, one)
	}
	out := map[string]any{"candidates": all}
	if a.feedback != nil {
		out["promptFeedback"] = a.feedback
	}
	return out
}
