package broklelangchain_test

import (
	"fmt"
	"testing"

	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/ollama"
)

// Each model of the library counts by names of its own: these are what the models write whose answers need more than HTTP to be had here.
func TestWhatModelsCount(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		stop string
		info map[string]any
		want string
	}{
		"google ai": {"FinishReasonMaxTokens", map[string]any{"input_tokens": int32(100), "output_tokens": int32(50), "PromptTokens": int32(100), "CompletionTokens": int32(50), "CacheReadInputTokens": int32(80), "CachedTokens": int32(80), "ThinkingTokens": 0},
			"MAX_TOKENS  100 50 80 -"},
		"anthropic":           {"end_turn", map[string]any{"InputTokens": 20, "OutputTokens": 50, "CacheCreationInputTokens": 10, "CacheReadInputTokens": 80}, "end_turn  110 50 80 10"},
		"bedrock":             {"", map[string]any{"input_tokens": 100.0, "output_tokens": 50.0}, "  100 50 - -"},
		"mistral":             {"stop", map[string]any{"model": "mistral-small", "created": 1, "usage": struct{ PromptTokens, TotalTokens, CompletionTokens int }{100, 150, 50}}, "stop mistral-small 100 50 - -"},
		"ollama with a cache": {"", map[string]any{"PromptTokens": 100, "CompletionTokens": 50, "CachedTokens": 700, "CacheHit": true}, "  100 50 - -"},
		"not counted":         {"stop", map[string]any{"PromptTokens": 0, "CompletionTokens": 0}, "stop  - - - -"},
		"nothing":             {"", nil, "  - - - -"},
	} {
		b := newBench(t)
		b.h.HandleLLMGenerateContentStart(t.Context(), nil)
		b.h.HandleLLMGenerateContentEnd(t.Context(), nil) // as Mistral's does first
		b.h.HandleLLMGenerateContentEnd(t.Context(), &llms.ContentResponse{Choices: []*llms.ContentChoice{nil, {Content: "a", StopReason: tc.stop, GenerationInfo: tc.info}, {Content: "b", GenerationInfo: tc.info}}})
		m := b.One()
		n := func(p *int64) string {
			if p == nil {
				return "-"
			}
			return fmt.Sprint(*p)
		}
		if got := fmt.Sprintf("%s %s %s %s %s %s", m.FinishReason, m.Model, n(m.PromptTokens), n(m.CompletionTokens), n(m.CacheReadTokens), n(m.CacheWriteTokens)); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		if want := `[{"index":1,"finish_reason":`; len(m.Output) < len(want) || string(m.Output[:len(want)]) != want {
			t.Errorf("%s: %s", name, m.Output)
		}
	}
}

// Ollama's own API is none of those that a recording HTTP client knows: the callbacks tell of it, errors and streams, too.
func TestOllama(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := chains.Run(t.Context(), b.chain(b.ollama("m")), "the sky", chains.WithCallback(b.h)); err != nil {
		t.Fatal(err)
	}
	if m := b.Recorded()[1]; m.TimeToFirstTokenMS == nil || *m.CompletionTokens != 50 || string(m.Output) != `{"role":"assistant","content":"The sky is blue."}` {
		t.Errorf("%+v: %s", m.Observation, m.Output)
	}
	b = newBench(t)
	if _, err := chains.Run(t.Context(), b.chain(b.ollama("m-500")), "the sky"); err == nil {
		t.Error("no error")
	}
	b.requireTree(`
chain chain ERROR.
  generation chat ERROR.
`)
}

func (b *bench) ollama(model string) *ollama.LLM {
	b.T.Helper()
	llm, err := ollama.New(ollama.WithServerURL(b.URL), ollama.WithModel(model), ollama.WithHTTPClient(b.Base))
	if err != nil {
		b.T.Fatal(err)
	}
	llm.CallbacksHandler = b.h
	return llm
}
