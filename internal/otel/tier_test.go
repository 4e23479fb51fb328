package otel_test

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

// Each library's way to say the service tier of a call, and how much of what a cache took stays for an hour; keys as they were recorded,
// or as the library's own source has them.
func TestServiceTier(t *testing.T) {
	t.Parallel()
	type attributes map[string]string
	const writes = `"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":6}`
	chat := func(more attributes) attributes {
		more["gen_ai.operation.name"], more["gen_ai.provider.name"] = "chat", "anthropic"
		more["gen_ai.usage.input_tokens"], more["gen_ai.usage.output_tokens"] = "110", "50"
		return more
	}
	for name, c := range map[string]struct {
		scope      string
		attributes attributes
		tier       string // of the answer
		asked      string
		hour       int64 // -1: not sent
	}{
		"nothing":               {"", chat(attributes{}), "", "", -1},
		"by the conventions":    {"", chat(attributes{"openai.response.service_tier": "priority", "openai.request.service_tier": "auto"}), "priority", "auto", -1},
		"by the older ones":     {"", chat(attributes{"gen_ai.openai.response.service_tier": "default", "gen_ai.openai.request.service_tier": "flex"}), "standard", "flex", -1},
		"asked for only":        {"", chat(attributes{"gen_ai.request.service_tier": "SERVICE_TIER_FLEX"}), "", "flex", -1},
		"Anthropic's own SDK":   {"com.anthropic.sdk.python", chat(attributes{"anthropic.response.service_tier": "batch", "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": "6"}), "batch", "", 6},
		"logfire":               {"logfire.anthropic", chat(attributes{"gen_ai.usage.raw": `{"input_tokens":20,` + writes + `,"service_tier":"standard","speed":"fast"}`}), "fast", "", 6},
		"logfire, asked for":    {"logfire.openai", chat(attributes{"request_data": `{"model":"m","service_tier":"flex"}`}), "", "flex", -1},
		"litellm":               {"litellm", chat(attributes{"gen_ai.openai.response.service_tier": "standard", "metadata.usage_object": `{'prompt_tokens': 110, 'prompt_tokens_details': {'cache_creation_tokens': 10, 'cache_creation_token_details': {'ephemeral_5m_input_tokens': 4, 'ephemeral_30m_input_tokens': None, 'ephemeral_1h_input_tokens': 6}}, 'speed': None, 'service_tier': 'priority'}`}), "priority", "", 6},
		"langsmith, LangChain":  {"langsmith", attributes{"langsmith.span.kind": "llm", "langsmith.metadata.usage_metadata": `{"input_tokens":110,"output_tokens":50,"input_token_details":{"flex_cache_read":80,"flex":30}}`}, "flex", "", -1},
		"langsmith":             {"langsmith", attributes{"langsmith.span.kind": "llm", "gen_ai.response.service_tier": "default", "langsmith.metadata.usage_metadata": `{"input_tokens":110,"output_tokens":50,"input_token_details":{"cache_creation":0,"ephemeral_1h_input_tokens":6}}`}, "standard", "", 6},
		"langfuse":              {"langfuse-sdk", attributes{"langfuse.observation.type": "generation", "langfuse.observation.model.parameters": `{"service_tier":"priority"}`, "langfuse.observation.metadata.service_tier": `"default"`, "langfuse.observation.usage_details": `{"input":20,"output":50,"cache_creation_input_tokens":4,"input_cache_creation_1h":6}`}, "standard", "priority", 6},
		"mlflow":                {"mlflow.tracing.provider", attributes{"mlflow.spanType": `"CHAT_MODEL"`, "mlflow.spanInputs": `{"service_tier":"auto"}`, "mlflow.spanOutputs": `{"service_tier":"flex","usage":{"prompt_tokens":110,"completion_tokens":50}}`}, "flex", "auto", -1},
		"mlflow, Anthropic":     {"mlflow.tracing.provider", attributes{"mlflow.spanType": `"CHAT_MODEL"`, "mlflow.spanOutputs": `{"usage":{"input_tokens":20,` + writes + `,"output_tokens":50,"service_tier":"batch"}}`}, "batch", "", 6},
		"openinference":         {"openinference.instrumentation.openai", attributes{"openinference.span.kind": "LLM", "llm.invocation_parameters": `{"service_tier":"priority"}`, "output.value": `{"id":"r","choices":[],"service_tier":"default","usage":{"prompt_tokens":110}}`}, "standard", "priority", -1},
		"openinference, claude": {"openinference.instrumentation.anthropic", attributes{"openinference.span.kind": "LLM", "llm.invocation_parameters": `{"speed":"fast"}`, "output.value": `{"id":"m","usage":{"input_tokens":20,` + writes + `,"service_tier":"standard","speed":"fast"}}`}, "fast", "fast", 6},
		"openinference, LangChain": {"openinference.instrumentation.langchain", attributes{"openinference.span.kind": "LLM",
			"output.value": `{"generations":[[{"message":{"kwargs":{"response_metadata":{"id":"m","usage":{"input_tokens":20,` + writes + `,"service_tier":"standard"}}}}}]]}`}, "standard", "", 6},
		"vercel, OpenAI":    {"ai", attributes{"ai.operationId": "ai.generateText.doGenerate", "ai.response.providerMetadata": `{"openai":{"responseId":"r","serviceTier":"flex"}}`}, "flex", "", -1},
		"vercel, Anthropic": {"ai", attributes{"ai.operationId": "ai.generateText.doGenerate", "ai.response.providerMetadata": `{"anthropic":{"usage":{"input_tokens":20,` + writes + `,"service_tier":"standard"}}}`}, "standard", "", 6},
	} {
		s := &otel.Span{Scope: c.scope}
		for key, value := range c.attributes {
			s.Attributes = append(s.Attributes, otel.Attribute{Key: key, Value: otel.Value{Type: otel.String, Text: value}})
		}
		m := otel.Explain(s)
		hour := int64(-1)
		if m.CacheWrite1h.Sent {
			hour = m.CacheWrite1h.N
		}
		if m.ServiceTier != c.tier || m.RequestedServiceTier != c.asked || hour != c.hour {
			t.Errorf("%s: %q answered, %q asked, %d for an hour; want %q, %q, %d", name, m.ServiceTier, m.RequestedServiceTier, hour, c.tier, c.asked, c.hour)
		}
		for field, value := range map[string]string{"service_tier": c.tier, "requested_service_tier": c.asked} {
			if value != "" && m.Why[field] == "" {
				t.Errorf("%s: nothing says why %s is %s", name, field, value)
			}
		}
	}
}
