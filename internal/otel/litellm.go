package otel

import (
	"encoding/json"
	"strings"
)

// litellm reads LiteLLM's spans. Below each call lies the raw request to the provider.
func litellm(r *reader) {
	genai(r)
	m := r.m
	if !r.prefixed("gen_ai.") && r.prefixed("llm.") || r.Name == "raw_gen_ai_request" {
		m.Inner = true
		r.why("type", "LiteLLM's raw request is part of the call above it")
		return
	}
	usage, _ := decode(r.text("metadata.usage_object")).(object)
	u := usageOf(string(encode(usage)))
	if u.cacheRead.Sent {
		m.CacheRead = u.cacheRead
	}
	if u.cacheWrite.Sent {
		m.CacheWrite = u.cacheWrite
	}
	if u.reasoning.Sent {
		m.Reasoning = u.reasoning
	}
	m.AudioInput, m.AudioOut = u.audioIn, u.audioOut
	m.details(&u)
	if strings.EqualFold(r.text("llm.is_streaming"), "true") && m.Prompt.Sent && usage["prompt_tokens_details"] == nil {
		m.TokenSource = "estimated"
		r.why("token_source", "a stream of LiteLLM without details has counts of its own tokenizer")
	}
	m.TotalCost = r.money("gen_ai.cost.total_cost")
	m.InputCost, m.OutputCost = r.money("gen_ai.cost.input_cost"), r.money("gen_ai.cost.output_cost")
	m.CacheReadCost, m.CacheWriteCost = r.money("gen_ai.cost.cache_read_cost"), r.money("gen_ai.cost.cache_creation_cost")
	m.Metadata = r.liteMetadata()
	m.messages = func() (in, out []Message, tools []Tool) {
		in, out, tools = r.genaiMessages()
		return in, r.withCalls(out), append(tools, r.liteTools()...)
	}
}

// withCalls adds to the first message that came out the call of a tool that only a key of its own has.
func (r *reader) withCalls(out []Message) []Message {
	for _, n := range r.indexes("gen_ai.completion.") {
		name := r.text("gen_ai.completion." + n + ".function_call.name")
		if name == "" {
			continue
		}
		call := Part{Type: "tool_call", Name: name, Arguments: argumentsOf(r.text("gen_ai.completion." + n + ".function_call.arguments"))}
		if len(out) == 0 {
			out = append(out, Message{Role: "assistant"})
		}
		out[0].Parts = append(out[0].Parts, call)
	}
	return out
}

func (r *reader) liteTools() (tools []Tool) {
	for _, n := range r.indexes("llm.request.functions.") {
		key := "llm.request.functions." + n + "."
		t := Tool{Name: r.text(key + "name"), Description: r.text(key + "description")}
		if schema := r.object(key + "parameters"); schema != "" {
			t.Parameters = json.RawMessage(schema)
		}
		tools = append(tools, t)
	}
	return tools
}

// liteMetadata leaves out what LiteLLM sends empty, and the usage.
func (r *reader) liteMetadata() string {
	o := object{}
	for i := range r.Attributes {
		a := &r.Attributes[i]
		name, ok := strings.CutPrefix(a.Key, "metadata.")
		if text := a.Value.String(); ok && name != "usage_object" && text != "" && text != "[]" && text != "{}" {
			o[name] = json.RawMessage(jsonOrText(a.Value))
		}
	}
	if len(o) == 0 {
		return ""
	}
	return string(encode(o))
}
