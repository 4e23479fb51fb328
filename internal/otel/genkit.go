package otel

import (
	"encoding/json"
	"strings"
)

// genkitTypes are the types of genkit:metadata:subtype, which is Genkit's word for what runs.
var genkitTypes = map[string]string{
	"model": "generation", "background-model": "generation", "embedder": "embedding", "retriever": "retrieval", "reranker": "reranker",
	"tool": "tool", "tool.v2": "tool", "agent": "agent", "flow": "chain", "util": "chain", "evaluator": "evaluator",
}

// genkitProviders are Genkit's plugins by the names of what they call.
var genkitProviders = map[string]string{"googleai": "google", "vertexai": "vertex", "kimi": "moonshot", "dashscope": "alibaba"}

// genkit reads Genkit's spans. What went in and came out is JSON in a shape of its own; a model's span has both of a call whole.
func genkit(r *reader) {
	m := r.m
	kind := r.text("genkit:metadata:subtype", "genkit:type")
	if typ := genkitTypes[kind]; typ != "" {
		m.Type = typ
		r.why("type", "genkit:metadata:subtype is ", kind)
	}
	m.Input, m.Output = r.text("genkit:input"), r.text("genkit:output")
	if m.Input == "null" {
		m.Input = ""
	}
	if m.SessionID == "" {
		m.SessionID = r.genkitSession()
	}
	if state := r.text("genkit:state"); state == "error" {
		r.fail("genkit:state is error")
	}
	r.genkitOutcome()
	switch m.Type {
	case "generation":
		r.genkitCall()
	case "tool":
		if v := member(m.Output, "output"); kind == "tool.v2" && v != "" && member(m.Output, "content") == "" { // else media are beside it
			m.Output = v
		}
	case "embedding":
		r.genkitModel()
		m.Output = genkitVectors(m.Output)
	}
	m.messages = r.genkitMessages
}

// genkitOutcome reads what is an error to Go and none to people: a tool that asks first, and a reader who left a stream.
func (r *reader) genkitOutcome() {
	m := r.m
	if m.Status != "error" {
		return
	}
	left := m.StatusMessage == "stop" || strings.HasSuffix(m.StatusMessage, ": stop") || strings.HasSuffix(m.StatusMessage, "context canceled")
	switch {
	case m.ErrorType == "toolInterruptError":
		m.Status, m.Level, m.StatusMessage, m.ErrorType = "ok", "", "", ""
		r.why("status", "the tool asked to go on later, which Genkit says by an error")
	case left:
		m.Status, m.Level, m.ErrorType = "aborted", "", ""
		r.why("status", "the reader of a stream left it: ", m.StatusMessage)
	}
}

// genkitSession is the session of an agent, of its beginning or its end.
func (r *reader) genkitSession() string {
	if id := r.text("genkit:sessionId"); id != "" {
		return id
	}
	for _, key := range []string{"genkit:init", "genkit:output"} {
		if text := r.text(key); r.m.Type == "agent" {
			if id := memberText(text, "sessionId"); id != "" {
				return id
			}
			if id := memberText(member(text, "state"), "sessionId"); id != "" {
				return id
			}
		}
	}
	return ""
}

// genkitModel reads PLUGIN/MODEL, which is the name of what is called.
func (r *reader) genkitModel() {
	name := r.text("genkit:name")
	plugin, model, found := strings.Cut(name, "/")
	if !found {
		plugin, model = "", name
	}
	r.m.RequestedModel, r.m.Provider = model, plugin
	if known := genkitProviders[plugin]; known != "" {
		r.m.Provider = known
	}
	r.why("requested_model", "genkit:name, behind the plugin's name")
	r.why("provider", "genkit:name, its plugin")
}

// genkitCall reads the request and the answer of a model.
func (r *reader) genkitCall() {
	m := r.m
	r.genkitModel()
	config := member(m.Input, "config")
	if version := memberText(config, "version"); version != "" {
		m.RequestedModel = version
	}
	m.Parameters = genkitParameters(config)
	m.FinishReasonOriginal = memberText(m.Output, "finishReason")
	if m.FinishReasonOriginal == "stop" && strings.Contains(member(m.Output, "message"), `"toolRequest":`) {
		m.FinishReasonOriginal = "tool_calls"
		r.why("finish_reason", "Genkit's stop, with calls of tools in the message")
	}
	u := member(m.Output, "usage")
	count := func(key string) Count { return Value{Type: String, Text: member(u, key)}.count() }
	m.Prompt, m.Completion, m.CacheRead, m.Reasoning = count("inputTokens"), count("outputTokens"), count("cachedContentTokens"), count("thoughtsTokens")
	switch total := count("totalTokens"); {
	case !total.Sent && m.CacheRead.Sent && m.Prompt.Sent:
		m.Prompt.N += m.CacheRead.N
		m.UsageIncomplete = true // what was written to the cache is in no count
		r.why("prompt_tokens", "inputTokens and cachedContentTokens: who sends no total, as Anthropic, counts them apart")
	case total.Sent && m.Reasoning.Sent && m.Completion.Sent && total.N == m.Prompt.N+m.Completion.N+m.Reasoning.N:
		m.Completion.N += m.Reasoning.N
		r.why("completion_tokens", "outputTokens and thoughtsTokens: the total says that they are counted apart")
	}
}

// genkitParameters are the parameters of a call, without its secret and what stands elsewhere.
func genkitParameters(config string) string {
	o := decodeObject(config)
	for key, v := range o {
		if v == nil || key == "apiKey" || key == "version" || key == "messages" || key == "tools" {
			delete(o, key)
		}
	}
	if len(o) == 0 {
		return ""
	}
	return string(encode(o))
}

// genkitVectors is what is kept of vectors.
func genkitVectors(output string) string {
	var a struct {
		Embeddings []struct {
			Embedding []json.RawMessage `json:"embedding"`
		} `json:"embeddings"`
	}
	if json.Unmarshal([]byte(output), &a) != nil || len(a.Embeddings) == 0 {
		return ""
	}
	return string(encode(object{"embeddings": len(a.Embeddings), "dimensions": len(a.Embeddings[0].Embedding)}))
}

func (r *reader) genkitMessages() (in, out []Message, tools []Tool) {
	m := r.m
	if m.Type == "embedding" {
		items, _ := decodeObject(m.Input)["input"].(list)
		for _, item := range items {
			if doc, ok := item.(object); ok {
				in = append(in, Message{"user", partsOf(doc["content"])})
			}
		}
		return in, nil, nil
	}
	in, out = messagesOf(m.Input), messagesOf(m.Output)
	return in, out, toolsOf(decodeObject(m.Input)["tools"])
}
