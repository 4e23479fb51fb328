package otel

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// inferenceKinds are the types of openinference.span.kind.
var inferenceKinds = map[string]string{
	"LLM": "generation", "EMBEDDING": "embedding", "CHAIN": "chain", "RETRIEVER": "retrieval", "RERANKER": "reranker",
	"TOOL": "tool", "AGENT": "agent", "GUARDRAIL": "guardrail", "EVALUATOR": "evaluator", "PROMPT": "span",
}

// openinference reads OpenInference's conventions, in which messages are flattened into keys.
func openinference(r *reader) {
	m := r.m
	if typ := inferenceKinds[strings.ToUpper(r.text("openinference.span.kind"))]; typ != "" {
		m.Type = typ
		r.why("type", "openinference.span.kind is ", r.text("openinference.span.kind"))
	}
	if strings.HasSuffix(r.Name, ".count_tokens") {
		m.Type = "span"
		r.why("type", "count_tokens asks a model nothing, though its kind is LLM")
	}
	m.Provider = r.text("llm.provider", "llm.system")
	m.Parameters = r.object("llm.invocation_parameters", "embedding.invocation_parameters")
	m.RequestedModel = r.text("llm.request.model_name")
	for _, key := range []string{"model", "model_name"} {
		if m.RequestedModel == "" {
			m.RequestedModel = memberText(m.Parameters, key)
		}
	}
	m.RequestedServiceTier = askedTier(m.Parameters)
	m.Model = r.text("llm.response.model_name", "llm.model_name", "embedding.model_name")
	if m.RequestedModel == "" && m.Type != "span" {
		m.RequestedModel = memberText(m.Input, "model")
	}
	m.Prompt, m.Completion = r.count("llm.token_count.prompt"), r.count("llm.token_count.completion")
	m.CacheRead = r.count("llm.token_count.prompt_details.cache_read")
	m.CacheWrite = r.count("llm.token_count.prompt_details.cache_write")
	m.Reasoning = r.count("llm.token_count.completion_details.reasoning")
	m.AudioInput = r.count("llm.token_count.prompt_details.audio")
	m.AudioOut = r.count("llm.token_count.completion_details.audio")
	m.TotalCost = r.money("llm.cost.total")
	m.InputCost, m.OutputCost = r.money("llm.cost.prompt"), r.money("llm.cost.completion")
	m.FinishReasonOriginal = r.text("llm.finish_reason")
	m.FirstToken = r.since(r.firstEvent("First Token Stream Event", false))
	if m.Type == "generation" {
		r.inferenceAnswer()
	}
	m.messages = r.inferenceMessages
}

// inferenceAnswer reads from the whole answer in output.value what no key has: the response's
// id, and of LangChain the model that answered and why it stopped.
func (r *reader) inferenceAnswer() {
	m := r.m
	if m.ResponseID = memberText(m.Output, "id"); m.ResponseID != "" {
		r.inferenceTier(memberText(m.Output, "service_tier"), member(m.Output, "usage"))
		return
	}
	g, ok := first(first(decodeObject(m.Output)["generations"])).(object)
	if !ok {
		return
	}
	info, _ := g["generation_info"].(object)
	kwargs, _ := sub(g, "message")["kwargs"].(object)
	meta := sub(kwargs, "response_metadata")
	m.ResponseID = firstText(meta, "id")
	r.inferenceTier(firstText(meta, "service_tier"), string(encode(meta["usage"])))
	if m.ResponseID == "" {
		m.ResponseID = firstText(info, "id")
	}
	if answered := firstText(info, "model_name"); answered != "" {
		m.Model = answered
		r.why("model", "generation_info.model_name of the answer")
	} else if answered := firstText(meta, "model_name", "model"); answered != "" {
		m.Model = answered
		r.why("model", "response_metadata of the answer's message")
	}
	if m.FinishReasonOriginal == "" {
		m.FinishReasonOriginal = firstText(info, "finish_reason", "stop_reason")
	}
	if m.FinishReasonOriginal == "" {
		m.FinishReasonOriginal = firstText(meta, "finish_reason", "stop_reason")
	}
}

// inferenceTier takes what an answer says of its price that no key has.
func (r *reader) inferenceTier(tier, usage string) {
	u := usageOf(usage)
	r.m.ServiceTier = tier
	r.m.details(&u)
}

func first(v any) any {
	if l, ok := v.(list); ok && len(l) > 0 {
		return l[0]
	}
	return nil
}

func sub(o object, key string) object {
	inner, _ := o[key].(object)
	return inner
}

func (r *reader) inferenceMessages() (in, out []Message, tools []Tool) {
	in, out = r.flattened("llm.input_messages."), r.flattened("llm.output_messages.")
	out = slices.DeleteFunc(out, func(m Message) bool {
		return !slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Type != "reasoning" })
	})
	if len(in) == 0 {
		for _, n := range r.indexes("embedding.embeddings.") {
			in = append(in, textMessage("user", r.text("embedding.embeddings."+n+".embedding.text")))
		}
	}
	for _, n := range r.indexes("llm.tools.") {
		tools = append(tools, toolsOf(list{r.text("llm.tools." + n + ".tool.json_schema")})...)
	}
	if len(in) == 0 && r.m.Type != "embedding" {
		in = messagesOf(r.m.Input)
	}
	return in, out, tools
}

// indexes are the numbers that follow prefix in keys, in their order; there may be holes.
func (r *reader) indexes(prefix string) []string {
	var found []string
	for i := range r.Attributes {
		if rest, ok := strings.CutPrefix(r.Attributes[i].Key, prefix); ok {
			n, _, _ := strings.Cut(rest, ".")
			if _, err := strconv.Atoi(n); err == nil && !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
	}
	slices.SortFunc(found, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return found
}

// flattened puts messages together that were taken apart into keys.
func (r *reader) flattened(prefix string) []Message {
	var all []Message
	for _, n := range r.indexes(prefix) {
		key := prefix + n + ".message."
		m := Message{Role: r.text(key + "role")}
		content := r.text(key + "content")
		if id := r.text(key + "tool_call_id"); id != "" && content != "" {
			m.Parts = append(m.Parts, Part{Type: "tool_result", ID: id, Name: r.text(key + "name"), Text: content})
		} else if content != "" {
			m.Parts = append(m.Parts, Part{Type: "text", Text: content})
		}
		for _, c := range r.indexes(key + "contents.") {
			m.Parts = append(m.Parts, r.flatContent(key+"contents."+c+".")...)
		}
		for _, c := range r.indexes(key + "tool_calls.") {
			m.addCall(r.flatCall(key + "tool_calls." + c + "."))
		}
		if name := r.text(key + "function_call_name"); name != "" {
			m.addCall(Part{Type: "tool_call", Name: name, Arguments: argumentsOf(r.text(key + "function_call_arguments_json"))})
		}
		all = append(all, m)
	}
	return all
}

func (r *reader) flatContent(key string) []Part {
	kind := r.text(key + "message_content.type")
	switch {
	case r.text(key+"tool_call.function.name") != "":
		return []Part{r.flatCall(key)}
	case kind == "text" || kind == "input_text" || kind == "output_text":
		return partsOf(r.text(key + "message_content.text"))
	case kind == "reasoning":
		return []Part{{Type: "reasoning", Text: r.text(key + "message_content.text")}}
	}
	for _, modality := range []string{"image", "audio"} {
		base := key + "message_content." + modality + "." + modality + "."
		if uri := r.text(base+"url", base+"data"); uri != "" {
			return []Part{medium(modality, object{"url": uri, "mime_type": r.text(base + "mime_type")})}
		}
	}
	return partsOf(r.text(key + "message_content.text"))
}

func (r *reader) flatCall(key string) Part {
	p := Part{Type: "tool_call", ID: r.text(key + "tool_call.id"), Name: r.text(key + "tool_call.function.name"), Arguments: json.RawMessage("null")}
	if v, found := r.get(key + "tool_call.function.arguments"); found != "" {
		p.Arguments = argumentsOf(v.String())
	}
	return p
}
