package otel

import "strings"

// traceloop reads the older keys of OpenLLMetry, in which messages are flattened, and its spans of
// workflows.
func traceloop(r *reader) {
	genai(r)
	m := r.m
	switch kind := strings.ToLower(r.text("llm.request.type")); kind {
	case "chat", "completion":
		m.Type = "generation"
	case "embedding", "rerank":
		m.Type = kind
	default:
		if m.Type == "span" && r.prefixed("gen_ai.completion.") {
			m.Type = "generation"
		}
	}
	switch r.text("traceloop.span.kind") {
	case "workflow", "task":
		m.Type = "chain"
	case "agent", "tool":
		m.Type = r.text("traceloop.span.kind")
	}
	if in := r.text("traceloop.entity.input"); in != "" {
		m.Input = in
	}
	if out := r.text("traceloop.entity.output"); out != "" {
		m.Output = out
	}
	if m.FinishReasonOriginal == "" {
		m.FinishReasonOriginal = r.text("gen_ai.completion.0.finish_reason")
	}
	if m.RequestedModel == "" {
		m.RequestedModel, m.Model = r.text("llm.request.model"), r.text("llm.response.model")
	}
	m.plainIn = false
	m.messages = func() (in, out []Message, tools []Tool) {
		in, out, tools = r.genaiMessages()
		if flat := r.indexed("gen_ai.prompt.", "user"); len(flat) > 0 {
			in = flat
		}
		if flat := r.indexed("gen_ai.completion.", "assistant"); len(flat) > 0 {
			out = flat
		}
		return in, out, append(tools, r.liteTools()...)
	}
}

// indexed puts messages together that were taken apart into numbered keys; role is that of a
// message that says none.
func (r *reader) indexed(prefix, role string) []Message {
	var all []Message
	for _, n := range r.indexes(prefix) {
		key := prefix + n + "."
		m := Message{Role: r.text(key + "role")}
		if m.Role == "" {
			m.Role = role
		}
		content := r.text(key + "content")
		if parts, ok := decode(content).(list); ok && len(partsOf(parts)) > 0 {
			m.Parts = partsOf(parts)
		} else {
			m.Parts = partsOf(content)
		}
		if id := r.text(key + "tool_call_id"); id != "" {
			m.Parts = []Part{{Type: "tool_result", ID: id, Text: content}}
		}
		for _, c := range r.indexes(key + "tool_calls.") {
			call := key + "tool_calls." + c + "."
			m.addCall(Part{Type: "tool_call", ID: r.text(call + "id"), Name: r.text(call + "name"), Arguments: argumentsOf(r.text(call + "arguments"))})
		}
		if name := r.text(key + "function_call.name"); name != "" {
			m.addCall(Part{Type: "tool_call", Name: name, Arguments: argumentsOf(r.text(key + "function_call.arguments"))})
		}
		all = append(all, m)
	}
	return all
}
