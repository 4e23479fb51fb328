package otel_test

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

func text(key, value string) otel.Attribute {
	return otel.Attribute{Key: key, Value: otel.Value{Type: otel.String, Text: value}}
}

func whole(key string, n int64) otel.Attribute {
	return otel.Attribute{Key: key, Value: otel.Value{Type: otel.Int, Int: n}}
}

// Traceloop 0.62.4 sends zeros for a stream of Anthropic's beta messages, whose counts it does not
// read: they are not known.
func TestCountsOfNothingAreNotKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, out int64
		sent    bool
	}{"nothing": {0, 0, false}, "an answer": {0, 5, true}, "a prompt": {5, 0, true}} {
		m := otel.Read(&otel.Span{Scope: "opentelemetry.instrumentation.anthropic", Name: "anthropic.chat", Attributes: []otel.Attribute{
			text("gen_ai.operation.name", "chat"), whole("gen_ai.usage.input_tokens", c.in), whole("gen_ai.usage.output_tokens", c.out),
			whole("gen_ai.usage.cache_read.input_tokens", 0), whole("gen_ai.usage.cache_creation.input_tokens", 0),
		}})
		source := "none"
		if c.sent {
			source = "reported"
		}
		if m.Prompt.Sent != c.sent || m.Completion.Sent != c.sent || m.Total.Sent != c.sent || m.CacheRead.Sent != c.sent || m.TokenSource != source {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// OpenInference's Anthropic 3.1.0 gives the counting of tokens the kind LLM. It is no call of a model.
func TestCountingTokensIsNoCall(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]bool{"messages.count_tokens": false, "messages.create": true} {
		m := otel.Read(&otel.Span{Scope: "openinference.instrumentation.anthropic", Name: name, Attributes: []otel.Attribute{
			text("openinference.span.kind", "LLM"), text("llm.model_name", "m"), text("output.value", `{"input_tokens": 3}`)}})
		if m.Call() != call {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
