package otel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// origin is where a dialect takes a field from. One member says where; the first origin of a field that the
// span has is the one. The readers decide, this table only tells: a test holds it against them.
type origin struct {
	field    string
	keys     []string // attributes, the first that is there
	inside   []string // attributes whose JSON has it
	resource []string // attributes of the resource
	event    string   // an event of that name, or of names that begin so when it ends in a dot
	prefix   string   // all attributes that begin so
}

// attributed is the origin of a field that is an attribute as it is.
func attributed(field string, keys ...string) origin { return origin{field: field, keys: keys} }

// insideOf is the origin of fields that stand in the JSON of an attribute.
func insideOf(key string, fields ...string) (all []origin) {
	for _, field := range fields {
		all = append(all, origin{field: field, inside: []string{key}})
	}
	return all
}

// countFields are the fields of tokens.
var countFields = []string{"prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens",
	"audio_input_tokens", "audio_output_tokens"}

// innerNames are the words by which objects of providers and libraries call a field.
var innerNames = map[string][]string{
	"prompt_tokens":          {"prompt_tokens", "input_tokens", "input", "llm.usage.prompt_tokens", "inputTokens"},
	"completion_tokens":      {"completion_tokens", "output_tokens", "output", "llm.usage.completion_tokens", "outputTokens"},
	"total_tokens":           {"total_tokens", "total", "llm.usage.total_tokens"},
	"cache_read_tokens":      {"cached_tokens", "cache_read", "cache_read_input_tokens", "input_cached_tokens", "input_cache_read", "cachedContentTokens"},
	"cache_write_tokens":     {"cache_creation", "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens", "input_cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"},
	"cache_write_1h_tokens":  {"ephemeral_1h_input_tokens", "input_cache_creation_1h"},
	"service_tier":           {"service_tier", "serviceTier", "speed", "traffic_type", "trafficType"},
	"requested_service_tier": {"service_tier", "serviceTier", "speed"},
	"reasoning_tokens":       {"reasoning_tokens", "reasoning", "output_reasoning_tokens", "thoughtsTokens"},
	"audio_input_tokens":     {"audio_tokens", "audio"},
	"audio_output_tokens":    {"audio_tokens", "audio"},
	"model":                  {"model", "model_name", "llm.model.response"},
	"requested_model":        {"model", "model_name", "llm.model"},
	"provider":               {"provider", "llm.provider"},
	"response_id":            {"id"},
	"prompt_name":            {"name"},
	"prompt_version":         {"version"},
	"finish_reason":          {"finish_reason", "stop_reason", "llm.finish_reason", "llm.stop_reason"},
	"finish_reason_original": {"finish_reason", "stop_reason", "finishReason"},
	"total_cost":             {"total", "llm.cost.usd"},
	"input_cost":             {"input"},
	"output_cost":            {"output"},
	"cache_read_cost":        {"cache_read_input_tokens"},
	"user_id":                {"user_id", "brokle.user_id"},
	"session_id":             {"session_id", "brokle.session_id", "sessionId"},
	"error_type":             {"error.type", "error_type"},
	"status_message":         {"error.message", "error_message", "error"},
}

// PathIn is where the JSON of text, or what Python prints of it, has a field of that value by one of the words for it.
// The outermost place counts, and of these the first by name.
func PathIn(text, field, value string) (path string, found bool) {
	v := decode(text)
	if s, isText := v.(string); isText { // JSON once more
		v = decode(s)
	}
	same := func(text string) bool { return text == value }
	if field == "service_tier" || field == "requested_service_tier" {
		same = func(text string) bool { return text != "" && entity.Tier(text) == value }
	}
	return pathIn(v, innerNames[field], same)
}

func pathIn(v any, names []string, same func(string) bool) (path string, found bool) {
	const deepest = 8
	type place struct {
		path string
		v    any
	}
	for level, here := 0, []place{{"", v}}; level < deepest && len(here) > 0; level++ {
		var below []place
		for _, p := range here {
			switch v := p.v.(type) {
			case object:
				for _, key := range sortedKeys(v) {
					if slices.Contains(names, key) && same(scalar(v[key])) {
						return strings.TrimPrefix(p.path+"."+key, "."), true
					}
					below = append(below, place{p.path + "." + key, v[key]})
				}
			case list:
				for i := range min(len(v), 10) {
					below = append(below, place{p.path + "[" + strconv.Itoa(i) + "]", v[i]})
				}
			}
		}
		here = below
	}
	return "", false
}

func sortedKeys(o object) []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// scalar is a text, or a number as it is printed.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	return ""
}

// explain gives each field that the dialect has set and that has no rule yet its origin.
func (r *reader) explain() {
	origins := slices.Concat(originsOf[r.m.Dialect], commonOrigins)
	if slices.Contains(genaiDialects, r.m.Dialect) {
		origins = slices.Concat(originsOf[r.m.Dialect], genaiOrigins, commonOrigins)
	}
	for field, value := range r.m.said() {
		if rule := r.m.Why[field]; value == "" || rule != "" && rule != "dialect "+r.m.Dialect {
			continue
		}
		for i := range origins {
			if o := &origins[i]; o.field == field {
				if rule := r.at(o, value); rule != "" {
					r.m.Why[field] = rule
					break
				}
			}
		}
	}
	r.explainRest()
}

// at is where the span has what o says, or "".
func (r *reader) at(o *origin, value string) string {
	switch {
	case o.event != "":
		for i := range r.Events {
			if name := r.Events[i].Name; name == o.event || strings.HasSuffix(o.event, ".") && strings.HasPrefix(name, o.event) {
				return "event " + name
			}
		}
	case o.prefix != "":
		if r.prefixed(o.prefix) {
			return o.prefix + "*"
		}
	case o.inside != nil:
		for _, key := range o.inside {
			if path, found := PathIn(r.text(key), o.field, value); found {
				return key + ": " + path
			}
		}
	case o.resource != nil:
		for _, key := range o.resource {
			if r.resource(key) != "" {
				return "resource " + key
			}
		}
	default:
		for _, key := range o.keys {
			if v, found := r.get(key); found != "" && !strings.HasPrefix(v.Text, "[Scrubbed due to") {
				return key
			}
		}
	}
	return ""
}

// explainRest says what follows from other fields, and from what every span has.
func (r *reader) explainRest() {
	m := r.m
	rest := func(field, rule string) {
		if m.Why[field] == "" && m.said()[field] != "" {
			m.Why[field] = rule
		}
	}
	rest("name", "the span's name")
	rest("type", "dialect "+m.Dialect)
	if r.Failed {
		rest("status", "the span's status is ERROR")
	} else {
		rest("status", "the span's status is not ERROR")
	}
	rest("level", "the status is error")
	if r.StatusMessage != "" {
		rest("status_message", "the span's status, first line")
	}
	rest("status_message", "event exception: exception.message, first line")
	rest("error_type", "the status message, for no type was sent")
	if m.Model == m.RequestedModel {
		rest("model", "requested_model: no answer names another")
	}
	rest("total_tokens", "prompt_tokens + completion_tokens: nobody's total is believed")
	if m.TokenSource == "none" {
		rest("token_source", "no counts were sent")
	}
	rest("token_source", "counts were sent")
	if why := m.Why["finish_reason_original"]; why != "" {
		rest("finish_reason", why)
	}
}

// said are the fields that are set, each as text.
func (m *Meaning) said() map[string]string {
	count := func(c Count) string {
		if !c.Sent {
			return ""
		}
		return strconv.FormatInt(c.N, 10)
	}
	number := func(n Number) string {
		if !n.Sent {
			return ""
		}
		return strconv.FormatFloat(n.V, 'f', -1, 64)
	}
	return map[string]string{
		"name": m.Name, "type": m.Type, "status": m.Status, "level": m.Level, "status_message": m.StatusMessage, "error_type": m.ErrorType,
		"model": m.Model, "requested_model": m.RequestedModel, "provider": m.Provider, "response_id": m.ResponseID,
		"prompt_name": m.PromptName, "prompt_version": m.PromptVersion,
		"service_tier": m.ServiceTier, "requested_service_tier": m.RequestedServiceTier, "cache_write_1h_tokens": count(m.CacheWrite1h),
		"finish_reason": m.FinishReason, "finish_reason_original": m.FinishReasonOriginal, "model_parameters": m.Parameters,
		"prompt_tokens": count(m.Prompt), "completion_tokens": count(m.Completion), "total_tokens": count(m.Total),
		"cache_read_tokens": count(m.CacheRead), "cache_write_tokens": count(m.CacheWrite), "reasoning_tokens": count(m.Reasoning),
		"audio_input_tokens": count(m.AudioInput), "audio_output_tokens": count(m.AudioOut), "token_source": m.TokenSource,
		"total_cost": number(m.TotalCost), "input_cost": number(m.InputCost), "output_cost": number(m.OutputCost),
		"cache_read_cost": number(m.CacheReadCost), "cache_write_cost": number(m.CacheWriteCost), "time_to_first_token_ms": number(m.FirstToken),
		"session_id": m.SessionID, "user_id": m.UserID, "environment": m.Environment, "release": m.Release, "version": m.CodeVersion,
		"tags": strings.Join(m.Tags, ","), "trace_name": m.TraceName, "input": m.Input, "output": m.Output, "metadata": m.Metadata,
	}
}

// addCache adds what the cache read and wrote to a count of input that lacks them, and notes why.
func (r *reader) addCache(because ...string) {
	m := r.m
	sent := m.Prompt.N
	m.addCache()
	if m.Why != nil && m.Prompt.N != sent {
		r.why("prompt_tokens", fmt.Sprintf("= %d + %d cache read + %d cache write: %s", sent, m.CacheRead.N, m.CacheWrite.N, strings.Join(because, "")))
	}
}
