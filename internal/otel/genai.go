package otel

import (
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Keys of the semantic conventions for generative AI, and the names they had before.
var (
	promptKeys     = []string{"gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"}
	completionKeys = []string{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"}
	readKeys       = []string{"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.input_tokens.cache_read"}
	writeKeys      = []string{"gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
		"gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.input_tokens.cache_creation"}
	hourKeys = []string{"anthropic.usage.cache_creation.ephemeral_1h_input_tokens"}
	// An answer's tier beats the request's. The first are the conventions' by now; LiteLLM writes those of OpenAI for all providers.
	tierKeys      = []string{"openai.response.service_tier", "gen_ai.openai.response.service_tier", "gen_ai.response.service_tier", "anthropic.response.service_tier"}
	askedTierKeys = []string{"openai.request.service_tier", "gen_ai.openai.request.service_tier", "gen_ai.request.service_tier"}
	reasoningKeys = []string{"gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"}
)

// operations are the types of gen_ai.operation.name.
var operations = map[string]string{
	"chat": "generation", "text_completion": "generation", "generate_content": "generation", "completion": "generation",
	"responses": "generation", "embeddings": "embedding", "embedding": "embedding", "execute_tool": "tool",
	"invoke_agent": "agent", "create_agent": "agent", "invoke_workflow": "chain", "retrieval": "retrieval", "rerank": "reranker",
	"chain": "span",
}

// genai reads the conventions that most libraries follow by now.
func genai(r *reader) {
	m := r.m
	if typ := operations[strings.ToLower(r.text("gen_ai.operation.name"))]; typ != "" {
		m.Type = typ
		r.why("type", "gen_ai.operation.name is ", r.text("gen_ai.operation.name"))
	}
	m.RequestedModel, m.Model = r.text("gen_ai.request.model"), r.text("gen_ai.response.model")
	m.Provider = r.text("gen_ai.provider.name", "gen_ai.system")
	m.ResponseID = r.text("gen_ai.response.id")
	m.ServiceTier, m.RequestedServiceTier = r.text(tierKeys...), r.text(askedTierKeys...)
	r.usage()
	r.setReason(r.get("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"))
	if v, _ := r.get("gen_ai.response.time_to_first_chunk"); v.Type != Null {
		m.FirstToken = r.millis(v, 1000)
	} else {
		m.FirstToken = r.since(r.firstEvent("gen_ai.content.completion.chunk", false))
	}
	if !m.FirstToken.Sent {
		m.FirstToken = r.since(r.firstEvent("llm.content.completion.chunk", false)) // its older name
	}
	m.TotalCost = r.money("gen_ai.usage.cost", "gen_ai.usage.total_cost")
	m.Parameters = r.parameters("gen_ai.request.")
	if in := r.text("gen_ai.input.messages"); in != "" {
		m.Input = in
	}
	if out := r.text("gen_ai.output.messages"); out != "" {
		m.Output = out
	}
	if m.Type == "tool" {
		if in := r.text("gen_ai.tool.call.arguments"); in != "" {
			m.Input = in
		}
		if out := r.text("gen_ai.tool.call.result"); out != "" {
			m.Output = out
		}
	}
	r.logs()
	m.messages = r.genaiMessages
	m.plainIn = len(r.Logs) == 0 && r.text("gen_ai.system_instructions") == ""
}

// usage reads the counts, which include the cache's and the reasoning.
func (r *reader) usage() {
	m := r.m
	m.Prompt, m.Completion = r.count(promptKeys...), r.count(completionKeys...)
	m.CacheRead, m.CacheWrite, m.Reasoning = r.count(readKeys...), r.count(writeKeys...), r.count(reasoningKeys...)
	m.CacheWrite1h = r.count(hourKeys...)
	m.AudioInput = r.count("gen_ai.usage.input_audio_tokens", "gen_ai.usage.audio_input_tokens")
	m.AudioOut = r.count("gen_ai.usage.output_audio_tokens", "gen_ai.usage.audio_output_tokens")
}

// askedTier is the service tier among the parameters of a request, a JSON object. Anthropic's fast mode is a parameter of its own.
func askedTier(parameters string) string {
	if memberText(parameters, "speed") == "fast" {
		return "fast"
	}
	return memberText(parameters, "service_tier")
}

func (r *reader) count(keys ...string) Count {
	v, key := r.get(keys...)
	n := v.count()
	if !n.Sent && key != "" {
		r.m.leave(key, entity.TokensForm)
	}
	return n
}

// money is a cost.
func (r *reader) money(keys ...string) Number {
	v, key := r.get(keys...)
	n := v.number()
	if !n.Sent && key != "" {
		r.m.leave(key, entity.CostForm)
	}
	return n
}

// millis is a time that was sent in units of so many milliseconds.
func (r *reader) millis(v Value, unit float64) Number {
	n := v.number()
	if !n.Sent {
		r.m.leave("time_to_first_token_ms", entity.LatencyForm)
	}
	return Number{n.V * unit, n.Sent}
}

// since is a moment as milliseconds after the start.
func (r *reader) since(ns int64) Number {
	if ns == 0 || r.Start == 0 || ns < r.Start {
		return Number{}
	}
	return Number{float64(ns-r.Start) / 1e6, true}
}

// firstEvent is the time of the first event of that name; prefix takes all that begin so.
func (r *reader) firstEvent(name string, prefix bool) int64 {
	first := int64(0)
	for i := range r.Events {
		e := &r.Events[i]
		if (e.Name == name || prefix && strings.HasPrefix(e.Name, name)) && (first == 0 || e.Time < first) {
			first = e.Time
		}
	}
	return first
}

// setReason takes the first finish reason of a list, of JSON in a string, or of a text.
func (r *reader) setReason(v Value, key string) {
	for _, reason := range texts(v, key) {
		if reason != "" {
			r.m.FinishReasonOriginal = reason
			return
		}
	}
}

// parameters collects the request's attributes as a JSON object.
func (r *reader) parameters(prefix string) string {
	var room [256]byte
	b := room[:0]
	for i := range r.Attributes {
		a := &r.Attributes[i]
		name, ok := strings.CutPrefix(a.Key, prefix)
		if !ok || name == "model" || name == "user" || a.Value.Type == Null || a.Value.Type == String && a.Value.Text == "" {
			continue
		}
		b = append(rawjson.AppendString(append(b, ','), name), ':')
		b = a.Value.appendJSON(b)
	}
	if len(b) == 0 {
		return ""
	}
	b[0] = '{'
	return string(append(b, '}'))
}

// appendJSON appends the value as JSON; a string that is JSON itself stays a string.
func (v *Value) appendJSON(to []byte) []byte {
	switch v.Type {
	case String, Bytes:
		return rawjson.AppendString(to, v.Text)
	case Bool:
		return strconv.AppendBool(to, v.Int != 0)
	case Int:
		return strconv.AppendInt(to, v.Int, 10)
	case Double:
		if n := v.number(); n.Sent {
			return strconv.AppendFloat(to, n.V, 'g', -1, 64)
		}
	case List, Map:
		return append(to, v.Text...)
	}
	return append(to, "null"...)
}

// genaiMessages reads what attributes and log records say.
func (r *reader) genaiMessages() (in, out []Message, tools []Tool) {
	in, out = messagesOf(r.m.Input), messagesOf(r.m.Output)
	if system := systemOf(r.text("gen_ai.system_instructions")); len(system) > 0 && (len(in) == 0 || in[0].Role != "system") {
		in = append(system, in...)
	}
	logIn, logOut := r.logMessages()
	if len(in) == 0 {
		in = logIn
	}
	if len(out) == 0 {
		out = logOut
	}
	for i := range out {
		if out[i].Role == "" {
			out[i].Role = "assistant"
		}
	}
	return in, out, toolsOf(decode(r.text("gen_ai.tool.definitions")))
}

// systemOf reads system instructions: parts, messages, or a bare text.
func systemOf(value string) []Message {
	if value == "" {
		return nil
	}
	items, ok := decode(value).(list)
	if !ok {
		return []Message{textMessage("system", value)}
	}
	if messages := messagesIn(items); len(messages) > 0 && messages[0].Role != "" {
		for i := range messages {
			messages[i].Role = "system"
		}
		return messages
	}
	if parts := partsOf(items); len(parts) > 0 {
		return []Message{{"system", parts}}
	}
	return nil
}

// toolsOf reads definitions of tools in the shapes of OpenAI, Anthropic, Gemini and OpenTelemetry.
func toolsOf(v any) []Tool {
	items, _ := v.(list)
	var tools []Tool
	for _, item := range items {
		o, ok := item.(object)
		if s, isText := item.(string); isText {
			o, ok = decode(s).(object)
		}
		if !ok {
			continue
		}
		if more, isGemini := o["functionDeclarations"].(list); isGemini {
			tools = append(tools, toolsOf(more)...)
			continue
		}
		if f, ok := o["function"].(object); ok {
			o = f
		}
		t := Tool{Name: text(o, "name"), Description: text(o, "description")}
		for _, key := range []string{"parameters", "input_schema", "inputSchema"} {
			if schema := o[key]; schema != nil {
				t.Parameters = encode(schema)
				break
			}
		}
		if t.Name != "" {
			tools = append(tools, t)
		}
	}
	return tools
}

// anthropic reads the spans of Anthropic's own SDK.
func anthropic(r *reader) {
	genai(r)
	if r.m.FinishReasonOriginal == "" {
		r.m.FinishReasonOriginal = r.text("anthropic.message.stop_reason")
	}
}

// brokle reads the spans of Brokle's SDK for Python.
func brokle(r *reader) {
	genai(r)
	m := r.m
	if typ := r.text("brokle.span.type"); typ != "" {
		m.Type = typ
		r.why("type", "brokle.span.type is ", typ)
	}
	if v, _ := r.get("gen_ai.response.time_to_first_token"); v.Type != Null && !m.FirstToken.Sent {
		m.FirstToken = r.millis(v, 1)
		r.why("time_to_first_token_ms", "gen_ai.response.time_to_first_token of scope brokle is in milliseconds")
	}
	if level := r.text("brokle.span.level"); level != "" && m.Level == "" {
		m.Level = strings.ToUpper(level)
	}
	if r.Scope == exportScope {
		r.exported()
	} else if m.Provider == "anthropic" && m.Prompt.Sent && !m.CacheRead.Sent {
		m.UsageIncomplete = true
		r.why("prompt_tokens", "scope brokle sends Anthropic's input without what the cache gave: the count is incomplete")
	}
}
