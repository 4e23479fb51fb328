package broklelangchain_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklelangchain"
)

// What is open when its context ends, ends with it; callbacks after that find nothing.
func TestStepsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		why  error
		want string
	}{
		"cancelled": {context.Canceled, "chain chain .\n  generation chat .\n"},
		"too late":  {context.DeadlineExceeded, "chain chain ERROR.\n  generation chat ERROR.\n"},
	} {
		b := newBench(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		b.h.HandleChainStart(ctx, map[string]any{"send": func() {}})
		b.h.HandleLLMStart(ctx, []string{"Why?"})
		cancel(tc.why)
		if err := b.Srv.Wait(t.Context(), 5); err != nil { // trace, and begin and end of both
			t.Fatalf("%s: %v", name, err)
		}
		b.h.HandleLLMError(ctx, tc.why)
		b.h.HandleChainError(ctx, tc.why)
		for _, c := range b.Recorded() {
			if tc.why == context.Canceled && c.Status != "aborted" || c.Type == brokle.TypeChain && string(c.Input) != `{"send":"(func())"}` {
				t.Errorf("%s: %+v, %s", name, c.Observation, c.Input)
			}
		}
		b.requireTree(tc.want)
	}
}

// Calls of models that make no callbacks lie below the step in which they are sent, and beside it when it is over.
func TestRequestsLieBelowTheStepOfTheirGoroutine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, span := b.Client.StartSpan(t.Context(), "request")
	chained := b.chain(b.openAI("m", b.recorded()))
	chained.LLM.(*openai.LLM).CallbacksHandler = nil
	if _, err := chains.Run(ctx, chained, "the sky"); err != nil {
		t.Fatal(err)
	}
	b.h.HandleRetrieverStart(ctx, "sky")
	if _, err := b.openAI("m", b.recorded()).CreateEmbedding(ctx, []string{"sky"}); err != nil {
		t.Fatal(err)
	}
	b.h.HandleRetrieverEnd(ctx, "sky", nil)
	b.h.HandleChainStart(ctx, nil)
	b.h.HandleToolStart(ctx, "look")
	b.h.HandleToolEnd(ctx, "seen")
	if _, err := b.openAI("m", b.recorded()).CreateEmbedding(ctx, []string{"sky"}); err != nil {
		t.Fatal(err)
	}
	b.h.HandleToolStart(ctx, "look") // and never ends
	b.h.HandleAgentFinish(ctx, schema.AgentFinish{})
	if _, err := b.openAI("m", b.recorded()).CreateEmbedding(ctx, []string{"sky"}); err != nil {
		t.Fatal(err)
	}
	b.h.HandleChainEnd(ctx, nil)
	if _, err := b.openAI("m", b.recorded()).CreateEmbedding(ctx, []string{"sky"}); err != nil {
		t.Fatal(err)
	}
	span.End()
	b.requireTree(`
span request .
  chain chain .
    generation chat m .
  retrieval retrieve .
    embedding embeddings text-embedding-ada-002 .
  chain chain .
    tool tool .
    embedding embeddings text-embedding-ada-002 .
    tool tool WARN.
    embedding embeddings text-embedding-ada-002 .
  embedding embeddings text-embedding-ada-002 .
`)
}

// What cannot be encoded is left out, and does not reach the program.
func TestWhatPanicsInEncodingIsLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.h.HandleChainStart(t.Context(), map[string]any{"a": 1, "b": broken{}})
	b.h.HandleChainEnd(t.Context(), nil)
	if c := b.One(); string(c.Input) != `"(map[string]interface {})"` {
		t.Errorf("%s", c.Input)
	}
}

type broken struct{}

func (broken) MarshalJSON() ([]byte, error) { panic("broken") }

// A program's own observation between two steps stands between them; another request on the goroutine of a step that never ended is apart from it.
func TestObservationsOfTheProgramStandBetween(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, first := b.Client.StartSpan(t.Context(), "first")
	b.h.HandleChainStart(ctx, nil)
	inner, span := b.Client.StartSpan(ctx, "own")
	b.h.HandleLLMStart(inner, []string{"Why?"})
	b.h.HandleLLMError(inner, errors.New("no"))
	span.End()
	first.End() // and the chain never ends
	ctx, second := b.Client.StartSpan(ctx, "second")
	b.h.HandleToolStart(ctx, "look")
	b.h.HandleToolEnd(ctx, "seen")
	if _, err := b.openAI("m", b.recorded()).CreateEmbedding(ctx, []string{"sky"}); err != nil {
		t.Fatal(err)
	}
	second.End()
	all := b.Recorded()
	if len(all) != 7 || all[6].ParentObservationID != second.ID() || all[0].Name != "first" || all[1].Ends != 0 || all[3].ParentObservationID != span.ID() || all[5].ParentObservationID != second.ID() {
		t.Errorf("%d steps", len(all))
	}
}

// What never ends is bounded, on one goroutine and over all.
func TestWhatNeverEndsIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, broklelangchain.WithContent(false))
	ended := func() (n int) {
		for _, c := range b.Recorded() {
			n += c.Ends
		}
		return n
	}
	for range 300 {
		b.h.HandleChainStart(context.Background(), nil)
	}
	if n := ended(); n != 256 {
		t.Errorf("%d of 300 on one goroutine have ended, want 256", n)
	}
	b = newBench(t, broklelangchain.WithContent(false))
	for range 4096 + 50 {
		var wg sync.WaitGroup
		wg.Go(func() { b.h.HandleLLMStart(context.Background(), nil) })
		wg.Wait()
	}
	if n := ended(); n != 50 {
		t.Errorf("%d of 4146 goroutines' have ended, want 50", n)
	}
}

// Where nobody records, or the client is closed, nothing is kept.
func TestWithoutAClientNothingIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.Client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, h := range []broklelangchain.Option{broklelangchain.WithClient(b.Client), broklelangchain.WithOptions()} {
		b.h = broklelangchain.Handler(h)
		ctx := brokle.WithClient(t.Context(), nil)
		if got, err := chains.Run(ctx, b.chain(b.openAI("m", b.Base)), "the sky"); err != nil || got != "The sky is blue." {
			t.Errorf("%v, %q", err, got)
		}
		b.h.HandleText(ctx, "said")
	}
	if n := len(b.Srv.Events()); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.h.HandleChainStart(t.Context(), nil)
	b.h.HandleText(t.Context(), "said")
	b.h.HandleChainEnd(t.Context(), nil)
	if c := b.Recorded()[1]; c.Type != brokle.TypeEvent || string(c.Input) != `"said"` || c.Ends != 1 {
		t.Errorf("%+v", c.Observation)
	}
}
