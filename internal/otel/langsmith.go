package otel

import (
	"encoding/json"
	"strings"
)

// smithKinds are the types of langsmith.span.kind.
var smithKinds = map[string]string{
	"llm": "generation", "embedding": "embedding", "chain": "chain", "tool": "tool", "retriever": "retrieval", "agent": "agent",
	"prompt": "span", "parser": "span",
}

// langsmith reads LangSmith's spans, whose operation is chain on whatever is no call of a model.
func langsmith(r *reader) {
	genai(r)
	m := r.m
	if typ := smithKinds[strings.ToLower(r.text("langsmith.span.kind"))]; typ != "" {
		m.Type = typ
		r.why("type", "langsmith.span.kind is ", r.text("langsmith.span.kind"))
	}
	for i := range r.Events {
		if r.Events[i].Name == "exception" {
			r.fail("an exception event of LangSmith is an error, whatever the status")
		}
	}
	m.Input, m.Output = r.text("gen_ai.prompt"), r.text("gen_ai.completion")
	r.smithUsage()
	m.Metadata = r.smithMetadata()
	m.messages = func() (in, out []Message, tools []Tool) {
		in, out = messagesOf(m.Input), messagesOf(m.Output)
		for i := range out {
			if out[i].Role == "" {
				out[i].Role = "assistant"
			}
		}
		if o := decodeObject(m.Input); o != nil {
			tools = toolsOf(o["tools"])
		}
		return in, out, tools
	}
}

// smithUsage reads the counts of usage_metadata, which include the cache, or their details in
// Python's notation.
func (r *reader) smithUsage() {
	m := r.m
	u := usageOf(r.text("langsmith.metadata.usage_metadata"))
	if !u.prompt.Sent && !u.completion.Sent {
		in := encode(decodeObject(r.text("gen_ai.usage.input_token_details")))
		out := encode(decodeObject(r.text("gen_ai.usage.output_token_details")))
		u = usageOf(`{"input_token_details":` + string(in) + `,"output_token_details":` + string(out) + `}`)
		u.prompt, u.completion = m.Prompt, m.Completion
	}
	m.take(&u)
	if u.cut {
		r.why("service_tier", "the details of langsmith.metadata.usage_metadata begin with it")
	}
}

// smithMetadata leaves out what LangSmith says of the process and of the call itself.
func (r *reader) smithMetadata() string {
	o := object{}
	for i := range r.Attributes {
		name, ok := strings.CutPrefix(r.Attributes[i].Key, "langsmith.metadata.")
		if ok && name != "usage_metadata" && !strings.HasPrefix(name, "LANGSMITH_") && !strings.HasPrefix(name, "ls_") {
			o[name] = json.RawMessage(jsonOrText(r.Attributes[i].Value))
		}
	}
	if len(o) == 0 {
		return ""
	}
	return string(encode(o))
}
