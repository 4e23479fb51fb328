package otel

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// langfuse reads the spans of Langfuse's SDKs, whose values are JSON in strings.
func langfuse(r *reader) {
	m := r.m
	m.Type = langfuseType(r.text("langfuse.observation.type"))
	r.why("type", "langfuse.observation.type is ", r.text("langfuse.observation.type"))
	m.Input, m.Output = r.text("langfuse.observation.input"), r.text("langfuse.observation.output")
	m.Model = r.text("langfuse.observation.model.name")
	m.Parameters = finite(r.object("langfuse.observation.model.parameters"))
	m.RequestedServiceTier = askedTier(m.Parameters)
	m.ServiceTier = unquoted(r.text("langfuse.observation.metadata.service_tier"))
	m.TraceName = r.text("langfuse.trace.name")
	m.TraceInput, m.TraceOutput = r.text("langfuse.trace.input"), r.text("langfuse.trace.output")
	m.Metadata = r.unflatten(r.langfuseValue, "langfuse.observation.metadata.", "langfuse.trace.metadata.")
	switch level := strings.ToUpper(r.text("langfuse.observation.level")); level {
	case "WARNING":
		m.Level = "WARN"
	case "ERROR":
		m.Level = level
		r.fail("langfuse.observation.level is ERROR")
	case "DEBUG", "DEFAULT":
		m.Level = level
	}
	if message := r.text("langfuse.observation.status_message"); message != "" {
		m.StatusMessage = firstLine(message)
		if m.Status == "error" && m.ErrorType == "" {
			m.ErrorType = m.StatusMessage
		}
	}
	r.langfuseUsage()
	r.langfuseCost()
	if text, err := time.Parse(time.RFC3339Nano, unquoted(r.text("langfuse.observation.completion_start_time"))); err == nil {
		m.FirstToken = r.since(text.UnixNano())
	}
	m.FinishReasonOriginal = unquoted(r.text("langfuse.observation.metadata.finish_reason"))
	if m.Status == "error" && !m.Prompt.Sent && m.RequestedModel == "" {
		m.RequestedModel = m.Model // nothing was answered
		r.why("requested_model", "a failed call has no answer, so langfuse.observation.model.name is what was asked")
	}
	m.messages = r.langfuseMessages
}

// langfuseValue is a value of metadata as JSON. Python's client since version 5 encodes each, texts too; others
// send texts as they are, so that only objects and lists can be told to be JSON.
func (r *reader) langfuseValue(v Value) []byte {
	major, _, _ := strings.Cut(r.ScopeVersion, ".")
	encoded := r.resource("telemetry.sdk.language") == "python" && (len(major) > 1 || major >= "5")
	text := strings.TrimSpace(v.Text)
	if encoded || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return jsonOrText(v)
	}
	return v.appendJSON(nil)
}

func langfuseType(kind string) string {
	if kind == "retriever" {
		return "retrieval"
	}
	return kind
}

// langfuseUsage reads usage_details: OpenAI's shape, whose counts include their parts, or
// Langfuse's own, whose input does not include what it lists beside it.
func (r *reader) langfuseUsage() {
	m := r.m
	usage := r.object("langfuse.observation.usage_details")
	if usage == "" {
		return
	}
	u := usageOf(usage)
	m.take(&u)
	if u.exclusive {
		r.addCache("Langfuse's own usage is exclusive")
	}
}

// addCache adds what the cache read and wrote to a count of input that lacks them.
func (m *Meaning) addCache() {
	if m.Prompt.Sent {
		m.Prompt.N += m.CacheRead.N + m.CacheWrite.N
	}
}

func (r *reader) langfuseCost() {
	m := r.m
	costs := decodeObject(r.text("langfuse.observation.cost_details"))
	read := func(key string) Number {
		n, ok := costs[key].(json.Number)
		if !ok {
			return Number{}
		}
		f, err := n.Float64()
		if err != nil || !entity.CostForm.Takes(f) {
			m.leave("a cost of langfuse.observation.cost_details", entity.CostForm)
			return Number{}
		}
		return Number{f, true}
	}
	total := read("total")
	if m.Level == "ERROR" && total.V == 0 {
		return // a zero that nobody charged
	}
	m.TotalCost, m.InputCost, m.OutputCost = total, read("input"), read("output")
	m.CacheReadCost, m.CacheWriteCost = read("cache_read_input_tokens"), read("cache_creation_input_tokens")
	for _, key := range [...]string{"input_cache_creation", "input_cache_creation_5m", "input_cache_creation_1h"} {
		m.CacheWriteCost = m.CacheWriteCost.plus(read(key))
	}
	m.CacheReadCost = m.CacheReadCost.plus(read("input_cache_read"))
	if m.InputCost.Sent { // theirs is what the cache did not give
		m.InputCost.V += m.CacheReadCost.V + m.CacheWriteCost.V
	}
}

// unquoted is the text of a JSON string, or the text itself.
func unquoted(text string) string {
	if inner, ok := rawjson.Unquote([]byte(text)); ok {
		return inner
	}
	return text
}

// finite leaves out members of a JSON object that stand for no limit.
func finite(params string) string {
	if !strings.Contains(params, "Infinity") {
		return params
	}
	o := decodeObject(params)
	for key, v := range o {
		if v == "Infinity" || v == "-Infinity" {
			delete(o, key)
		}
	}
	return string(encode(o))
}

// unflatten collects attributes behind prefixes into a JSON object; as says what a value is in JSON.
func (r *reader) unflatten(as func(Value) []byte, prefixes ...string) string {
	o := object{}
	for i := range r.Attributes {
		for _, prefix := range prefixes {
			if name, ok := strings.CutPrefix(r.Attributes[i].Key, prefix); ok && o[name] == nil {
				o[name] = json.RawMessage(as(r.Attributes[i].Value))
			}
		}
	}
	if len(o) == 0 {
		return ""
	}
	return string(encode(o))
}

// jsonOrText is JSON that a string holds, or the value as JSON.
func jsonOrText(v Value) []byte {
	if v.Type == String && rawjson.Valid(v.Text) {
		return []byte(v.Text)
	}
	return v.appendJSON(nil)
}

func (r *reader) langfuseMessages() (in, out []Message, tools []Tool) {
	in, out = messagesOf(r.m.Input), messagesOf(r.m.Output)
	if texts, ok := decode(r.m.Input).(list); ok && len(in) == 0 {
		for _, t := range texts {
			if s, ok := t.(string); ok {
				in = append(in, textMessage("", s))
			}
		}
	}
	if len(out) == 0 && r.m.Type == "generation" {
		if s, ok := decode(r.m.Output).(string); ok && s != "" {
			out = []Message{textMessage("assistant", s)}
		}
	}
	if o := decodeObject(r.m.Input); o != nil {
		tools = toolsOf(o["tools"])
	}
	return in, out, tools
}
