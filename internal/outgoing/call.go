package outgoing

import (
	"cmp"
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otel"
)

// call sets what a call of a model says: by the conventions, and in the cases that they have no key
// for in keys of ours.
func (a *attributes) call(o *entity.ObservationRow) {
	a.text("gen_ai.provider.name", o.Provider)
	a.text("gen_ai.request.model", o.RequestedModel)
	a.text("gen_ai.response.model", o.Model)
	a.text("gen_ai.response.id", o.ResponseID)
	a.text("gen_ai.response.service_tier", o.ServiceTier)
	a.text("gen_ai.request.service_tier", o.RequestedServiceTier)
	a.text("gen_ai.prompt.name", o.PromptName)
	a.text("gen_ai.prompt.version", o.PromptVersion)
	if reason := cmp.Or(o.FinishReasonOriginal, o.FinishReason); reason != "" {
		a.texts("gen_ai.response.finish_reasons", []string{reason})
	}
	a.count("gen_ai.usage.input_tokens", o.PromptTokens)
	a.count("gen_ai.usage.output_tokens", o.CompletionTokens)
	a.count("gen_ai.usage.cache_read.input_tokens", o.CacheReadTokens)
	a.count("gen_ai.usage.cache_creation.input_tokens", o.CacheWriteTokens)
	a.count("brokle.cache_write_1h_tokens", o.CacheWrite1hTokens)
	a.count("gen_ai.usage.reasoning.output_tokens", o.ReasoningTokens)
	a.count("gen_ai.usage.audio_input_tokens", o.AudioInputTokens)
	a.count("gen_ai.usage.audio_output_tokens", o.AudioOutputTokens)
	if o.PromptTokens == nil && o.CompletionTokens == nil {
		a.count("brokle.total_tokens", o.TotalTokens)
	}
	if o.TokenSource == "estimated" {
		a.text("brokle.token_source", o.TokenSource)
	}
	if o.TimeToFirstTokenMS != nil {
		seconds := *o.TimeToFirstTokenMS / 1000
		a.number("gen_ai.response.time_to_first_chunk", &seconds)
	}
	if o.CostSource != entity.CostComputed { // who reads it would take it for one that was sent
		a.number("gen_ai.usage.cost", o.TotalCost)
		a.number("brokle.input_cost", o.InputCost)
		a.number("brokle.output_cost", o.OutputCost)
		a.number("brokle.cache_read_cost", o.CacheReadCost)
		a.number("brokle.cache_write_cost", o.CacheWriteCost)
	}
	a.members("gen_ai.request.", o.ModelParameters)
}

// content sets what went in and came out: as it was sent, and of a call of a model as messages too.
func (a *attributes) content(o *entity.ObservationRow) {
	if operations[o.Type] == "execute_tool" {
		a.text("gen_ai.tool.name", o.Name)
		a.payload("gen_ai.tool.call.arguments", o.Input)
		a.payload("gen_ai.tool.call.result", o.Output)
		return
	}
	a.payload("input.value", o.Input)
	a.payload("output.value", o.Output)
	if operations[o.Type] != "chat" {
		return
	}
	in, out, tools := otel.Conversation(o.Type, string(o.Input), string(o.Output))
	if len(in) > 0 {
		a.text("gen_ai.input.messages", string(encoded(messages(in, ""))))
	}
	if len(out) > 0 {
		a.text("gen_ai.output.messages", string(encoded(messages(out, cmp.Or(o.FinishReason, "stop")))))
	}
	if len(tools) > 0 {
		a.text("gen_ai.tool.definitions", string(encoded(tools)))
	}
}

// message and part have the shapes of the semantic conventions.
type message struct {
	Role   string `json:"role"`
	Parts  []part `json:"parts"`
	Reason string `json:"finish_reason,omitempty"`
}

type part struct {
	Type      string          `json:"type"`
	Content   string          `json:"content,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Response  string          `json:"response,omitempty"`
	Modality  string          `json:"modality,omitempty"`
	MediaType string          `json:"mime_type,omitempty"`
	URI       string          `json:"uri,omitempty"`
}

func messages(of []otel.Message, reason string) []message {
	all := make([]message, len(of))
	for i, m := range of {
		all[i] = message{Role: m.Role, Parts: make([]part, len(m.Parts)), Reason: reason}
		for k, p := range m.Parts {
			all[i].Parts[k] = partOf(p)
		}
	}
	return all
}

func partOf(p otel.Part) part {
	switch p.Type {
	case "tool_call":
		return part{Type: p.Type, ID: p.ID, Name: p.Name, Arguments: p.Arguments}
	case "tool_result":
		return part{Type: "tool_call_response", ID: p.ID, Name: p.Name, Response: p.Text}
	case "medium":
		return part{Type: "uri", Modality: p.Modality, MediaType: p.MediaType, URI: p.URI}
	}
	return part{Type: p.Type, Content: p.Text}
}
