package modelcall

import (
	"cmp"
	"encoding/json"
	"maps"
	"strings"
)

// answer is what an answer has said so far.
type answer struct {
	id, model, finish string
	tier              string
	usage             map[string]json.RawMessage
	output            any
	errorType         string
	errorText         string
	failed            bool
	first             bool // the first token has come
	done              bool // it has said that it is over

	choices []*choice       // of OpenAI's chat and Gemini's answer, by index
	blocks  []*block        // of Anthropic's
	text    strings.Builder // of the Responses API, until the whole comes
	image   json.RawMessage
	// feedback is why Gemini refused a prompt.
	feedback json.RawMessage
}

// keptOutput bounds a text that is put together of pieces.
const keptOutput = 256 << 10

// text is a text that grows within a bound.
type text struct{ b strings.Builder }

func (t *text) add(s string) {
	if room := keptOutput - t.b.Len(); len(s) > room {
		s = strings.ToValidUTF8(s[:room], "")
	}
	t.b.WriteString(s)
}

func (t *text) String() string { return t.b.String() }

// counts adds what a usage says: of a count said again, the last.
func (a *answer) counts(usage map[string]json.RawMessage) {
	if len(usage) == 0 {
		return
	}
	if a.usage == nil {
		a.usage = map[string]json.RawMessage{}
	}
	for key, v := range usage {
		if string(v) != "null" {
			a.usage[key] = v
		}
	}
}

// told fills the plain facts, of which the first that is said stays, but for the finish.
func (a *answer) told(id, model, finish string) {
	a.id, a.model, a.finish = cmp.Or(a.id, id), cmp.Or(a.model, model), cmp.Or(finish, a.finish)
}

// failure is an error as providers write it.
type failure struct {
	Type    string          `json:"type"`
	Status  string          `json:"status"` // Google's type
	Code    json.RawMessage `json:"code"`   // a word, or a status as a number
	Message string          `json:"message"`
}

// fail reads the error of an answer: a provider's object, or a text.
func (a *answer) fail(raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	a.failed = true
	var f failure
	if json.Unmarshal(raw, &f) != nil {
		_ = json.Unmarshal(raw, &a.errorText)
		return
	}
	code := ""
	_ = json.Unmarshal(f.Code, &code) // a number says no more than the status
	a.errorType, a.errorText = cmp.Or(f.Status, f.Type, code), f.Message
	if f.Type == "requests" || f.Type == "tokens" || f.Type == "" { // OpenAI's words for which limit; the code is the class
		a.errorType = cmp.Or(f.Status, code, f.Type)
	}
}

// ofTail reads what the end of an answer says that was too long to keep.
func (a *answer) ofTail(tail []byte) {
	for _, key := range []string{"usage", "usageMetadata"} {
		var usage map[string]json.RawMessage
		if json.Unmarshal(lastMember(tail, key), &usage) == nil {
			a.counts(maps.Clone(usage))
		}
	}
	for _, key := range []string{"model", "modelVersion"} {
		var model string
		_ = json.Unmarshal(lastMember(tail, key), &model)
		a.told("", model, "")
	}
}
