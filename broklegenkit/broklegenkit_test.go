package broklegenkit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklegenkit"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
)

func TestACallOfAModel(t *testing.T) {
	b := newBench(t, broklegenkit.WithOptions(brokle.Tags("t")))
	answer, err := b.ask(t.Context(), "gpt-4o-mini", ai.WithSystem("Be short."), ai.WithConfig(map[string]any{"temperature": 0.5, "max_tokens": 100}))
	if err != nil || answer.Text() != "The sky is blue." {
		t.Fatalf("%v, %+v", err, answer)
	}
	steps := b.steps()
	calltest.Below(t, steps, "generate", "chat gpt-4o-mini")
	c := steps["chat gpt-4o-mini"]
	if c.Type != brokle.TypeGeneration || c.RequestedModel != "gpt-4o-mini" || c.Provider != "openai" || c.FinishReason != "stop" ||
		*c.PromptTokens != 100 || *c.CompletionTokens != 50 || *c.CacheReadTokens != 80 || *c.ReasoningTokens != 30 || c.Tags[0] != "t" || c.EndTime.Before(c.StartTime) {
		t.Errorf("%+v", c.Observation)
	}
	if in, out, params := string(c.Input), string(c.Output), string(c.ModelParameters); !strings.Contains(in, `{"content":[{"text":"Why is the sky blue?"}],"role":"user"}`) ||
		!strings.Contains(in, `"Be short."`) || out != `{"content":[{"text":"The sky is blue."}],"role":"model"}` || params != `{"max_tokens":100,"temperature":0.5}` {
		t.Errorf("in %s, out %s, %s", in, out, params)
	}
	if tr := string(b.Srv.OfType(brokle.TraceUpdate)[0].Payload); !strings.Contains(tr, "The sky is blue.") || len(steps) != 2 {
		t.Errorf("trace %s, %v", tr, calltest.Steps(steps))
	}
}

type place struct {
	City string `json:"city"`
}

func (b *bench) tools(get func(*ai.ToolContext, place) (string, error)) []ai.ToolRef {
	return []ai.ToolRef{
		genkit.DefineTool(b.g, "get_weather", "the weather of a city", get),
		genkit.DefineTool(b.g, "get_time", "the time", func(*ai.ToolContext, struct{}) (string, error) { return "noon", nil }),
	}
}

// A flow with a step, a retriever, an embedder and a streamed generation with tools is one tree below what the program began, and what the program
// starts within lies where it started it.
func TestAFlow(t *testing.T) {
	b := newBench(t)
	library := genkit.DefineRetrieverAction(b.g, "own/library", nil, func(context.Context, *ai.RetrieverRequest, map[string]any) (*ai.RetrieverResponse, error) {
		return &ai.RetrieverResponse{Documents: []*ai.Document{ai.DocumentFromText("air scatters", nil)}}, nil
	})
	embedder := genkit.DefineEmbedderAction(b.g, "own/vectors", nil, func(context.Context, *ai.EmbedRequest, map[string]any) (*ai.EmbedResponse, error) {
		return &ai.EmbedResponse{Embeddings: []*ai.Embedding{{Embedding: []float32{1, 2, 3}}}}, nil
	})
	tools := b.tools(func(ctx *ai.ToolContext, p place) (string, error) {
		_, s := brokle.StartSpan(b.plugin.Join(ctx), "ask the sky")
		s.End()
		return "sunny in " + p.City, nil
	})
	flow := genkit.DefineFlow(b.g, "answer", func(ctx context.Context, q string) (string, error) {
		own, s := brokle.StartSpan(b.plugin.Join(ctx), "own")
		defer s.End()
		if _, err := library.Retrieve(own, &ai.RetrieverRequest{Query: ai.DocumentFromText(q, nil)}); err != nil {
			return "", err
		}
		if _, err := embedder.Embed(ctx, &ai.EmbedRequest{Input: []*ai.Document{ai.DocumentFromText(q, nil)}}); err != nil {
			return "", err
		}
		if _, err := genkit.Run(ctx, "think", func() (string, error) { return "hm", nil }); err != nil {
			return "", err
		}
		text := ""
		for v, err := range genkit.GenerateStream(ctx, b.g, ai.WithModelName("openai/m-tool"), ai.WithPrompt(q), ai.WithTools(tools...)) {
			if err != nil {
				return "", err
			}
			if v.Done {
				text = v.Response.Text()
			}
		}
		return text, nil
	})
	ctx, outer := b.Client.StartSpan(brokle.WithUser(t.Context(), "ada"), "request")
	if out, err := flow.Run(ctx, "Why is the sky blue?"); err != nil || out != "The sky is blue." {
		t.Fatalf("%q, %v", out, err)
	}
	outer.End()
	steps := b.steps()
	for name, want := range map[string][3]string{
		"answer":             {brokle.TypeChain, `"Why is the sky blue?"`, `"The sky is blue."`},
		"own/library":        {brokle.TypeRetrieval, `"Why is the sky blue?"`, `[{"content":[{"text":"air scatters"}]}]`},
		"embeddings vectors": {brokle.TypeEmbedding, `["Why is the sky blue?"]`, `{"dimensions":3,"embeddings":1}`},
		"think":              {brokle.TypeSpan, ``, `"hm"`},
		"get_weather":        {brokle.TypeTool, `{"city":"Oslo"}`, `"sunny in Oslo"`},
	} {
		if c := steps[name]; c == nil || c.Type != want[0] || string(c.Input) != want[1] || string(c.Output) != want[2] {
			t.Errorf("%s: %+v of %v", name, c, calltest.Steps(steps))
		}
	}
	calltest.Below(t, steps, "request", "answer", "own", "own/library")
	calltest.Below(t, steps, "answer", "embeddings vectors")
	calltest.Below(t, steps, "answer", "think")
	calltest.Below(t, steps, "answer", "generate", "chat m-tool")
	calltest.Below(t, steps, "generate", "get_weather", "ask the sky")
	if c := steps["chat m-tool"]; c.FinishReason != "tool_calls" || !strings.Contains(string(c.Output), `"toolRequest":{"input":{"city":"Oslo"},"name":"get_weather","ref":"call_1"}`) ||
		!strings.Contains(string(c.Input), `"tools":[{`) || *c.PromptTokens != 100 || *c.ReasoningTokens != 30 {
		t.Errorf("%+v", c.Observation)
	}
}

func TestRefusals(t *testing.T) {
	for _, status := range []int{400, 401, 429, 500} {
		b := newBench(t)
		if _, err := b.ask(t.Context(), fmt.Sprint("m-", status)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(status)) {
			t.Errorf("the program got %v", err)
		}
		c := b.steps()[fmt.Sprint("chat m-", status)]
		if c == nil || c.Level != brokle.LevelError || !strings.Contains(c.StatusMessage, fmt.Sprint(status)) || c.Input == nil {
			t.Errorf("%d: %+v", status, c)
		}
		b.plugin.Stop()
	}
}

// A stream that breaks is an error, one that the program leaves is aborted, and one that its context ends.
func TestStreamsThatDoNotEnd(t *testing.T) {
	stream := func(b *bench, ctx context.Context, model string, leave func() bool) (err error) {
		for _, err = range genkit.GenerateStream(ctx, b.g, ai.WithModelName("openai/"+model), ai.WithPrompt("Why?")) {
			if err != nil || leave() {
				break
			}
		}
		b.Provider.Release()
		return err
	}
	b := newBench(t)
	if err := stream(b, t.Context(), "m-cut", func() bool { return false }); err == nil {
		t.Error("the program got no error")
	}
	if c := b.steps()["chat m-cut"]; c == nil || c.Level != brokle.LevelError || !strings.Contains(c.StatusMessage, "unexpected EOF") {
		t.Errorf("%+v", c)
	}
	b.plugin.Stop()

	b = newBench(t)
	if err := stream(b, t.Context(), "m", func() bool { return true }); err != nil {
		t.Error(err)
	}
	for name, c := range b.steps() {
		if c.Status != "aborted" || c.Level != "" {
			t.Errorf("left: %s: %+v", name, c.Observation)
		}
	}
	b.plugin.Stop()

	b = newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := stream(b, ctx, "m-hold", func() bool { cancel(); return false }); err == nil {
		t.Error("the program got no error")
	}
	for name, c := range b.steps() {
		if c.Status != "aborted" || c.Level != "" {
			t.Errorf("cancelled: %s: %+v", name, c.Observation)
		}
	}
}

// The first piece reaches the program before the provider sends the second.
func TestAStreamIsNotHeldBack(t *testing.T) {
	b := newBench(t)
	text := ""
	for v, err := range genkit.GenerateStream(t.Context(), b.g, ai.WithModelName("openai/m-hold"), ai.WithPrompt("Why?")) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Provider.Release(); !v.Done {
			text += v.Chunk.Text()
		}
	}
	if c := b.steps()["chat m-hold"]; text != "The sky is blue." || c == nil || c.FinishReason != "stop" {
		t.Errorf("%q, %+v", text, c)
	}
}

func TestAToolThatFailsAndOneThatAsks(t *testing.T) {
	b := newBench(t)
	broken := errors.New("no such place")
	if _, err := b.ask(t.Context(), "m-tool", ai.WithTools(b.tools(func(*ai.ToolContext, place) (string, error) { return "", broken })...)); err == nil {
		t.Error("the program got no error")
	}
	steps := b.steps()
	for _, name := range []string{"get_weather", "generate"} {
		if c := steps[name]; c == nil || c.Level != brokle.LevelError || !strings.Contains(c.StatusMessage, "no such place") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	b.plugin.Stop()

	b = newBench(t)
	answer, err := b.ask(t.Context(), "m-tool", ai.WithTools(b.tools(func(ctx *ai.ToolContext, _ place) (string, error) {
		return "", ctx.Interrupt(&ai.InterruptOptions{Metadata: map[string]any{"ask": "may I?"}})
	})...))
	if err != nil || answer.FinishReason != ai.FinishReasonInterrupted {
		t.Errorf("%v, %+v", err, answer)
	}
	if c := b.steps()["get_weather"]; c.Level != "" || !strings.Contains(string(c.Attributes), `"genkit.interrupted":true`) {
		t.Errorf("%+v", c.Observation)
	}
}

// What each provider counts comes out alike.
func TestUsageAsProvidersCountIt(t *testing.T) {
	b := newBench(t)
	for name, u := range map[string]*ai.GenerationUsage{
		"googleai/g":  {InputTokens: 100, OutputTokens: 20, ThoughtsTokens: 30, CachedContentTokens: 80, TotalTokens: 150},
		"anthropic/a": {InputTokens: 20, OutputTokens: 50, CachedContentTokens: 80},
		"openai/o":    {InputTokens: 100, OutputTokens: 50, ThoughtsTokens: 30, CachedContentTokens: 80, TotalTokens: 150},
		"own/none":    {},
	} {
		genkit.DefineModelAction(b.g, name, nil, func(context.Context, *ai.ModelRequest, map[string]any, ai.ModelStreamCallback) (*ai.ModelResponse, error) {
			return &ai.ModelResponse{Usage: u, FinishReason: ai.FinishReasonStop, Message: ai.NewModelTextMessage("x")}, nil
		})
		if _, err := genkit.Generate(t.Context(), b.g, ai.WithModelName(name), ai.WithPrompt("Why?")); err != nil {
			t.Fatal(err)
		}
	}
	steps := b.steps()
	for name, provider := range map[string]string{"chat g": "google", "chat a": "anthropic", "chat o": "openai"} {
		if c := steps[name]; c.Provider != provider || *c.PromptTokens != 100 || *c.CompletionTokens != 50 || *c.CacheReadTokens != 80 {
			t.Errorf("%s: %+v", name, c.Observation)
		}
	}
	if c := steps["chat none"]; c.PromptTokens != nil {
		t.Errorf("%+v", c.Observation)
	}
}

// transport records what passes it, as broklehttp and the providers' integrations do.
type transport struct {
	r    *modelcall.Recorder
	next http.RoundTripper
}

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.r.Do(req, t.next.RoundTrip)
}

func TestOneCallIsOneGeneration(t *testing.T) {
	b := newBench(t)
	b.Base.Transport = transport{&modelcall.Recorder{Client: b.Client}, b.Base.Transport}
	if _, err := b.ask(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	b.plugin.Stop() // and then it is the transport's
	if _, err := b.ask(t.Context(), "m-then"); err != nil {
		t.Fatal(err)
	}
	steps := b.steps()
	calltest.Below(t, steps, "generate", "chat m")
	if len(steps) != 3 || steps["chat m-then"] == nil {
		t.Errorf("%v", calltest.Steps(steps))
	}
}

func TestCallsInGoroutinesBelowOneSpan(t *testing.T) {
	b := newBench(t)
	ctx, span := b.Client.StartSpan(t.Context(), "pool")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := b.ask(ctx, fmt.Sprint("m", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	span.End()
	steps := b.steps()
	for i := range 8 {
		if c := steps[fmt.Sprint("chat m", i)]; c == nil || c.TraceID != span.TraceID() {
			t.Errorf("m%d: %+v", i, c)
		}
	}
	if len(steps) != 17 {
		t.Errorf("%v", calltest.Steps(steps))
	}
}

func TestContentSwitchedOff(t *testing.T) {
	b := newBench(t, broklegenkit.WithContent(false))
	if _, err := b.ask(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ask(t.Context(), "m-400"); err == nil {
		t.Error("no error")
	}
	if c := b.steps()["chat m"]; c == nil || c.FinishReason != "stop" || *c.PromptTokens != 100 || c.Input != nil || c.Output != nil {
		t.Errorf("%+v", c)
	}
	for _, ev := range b.Srv.Events() {
		if s := string(ev.Payload); strings.Contains(s, "sky") || strings.Contains(s, "refused") {
			t.Errorf("%s", s)
		}
	}
}

// A secret of the configuration is not recorded, and without a client nothing is.
func TestKeysAndClosedClients(t *testing.T) {
	b := newBench(t)
	model := genkit.DefineModelAction(b.g, "own/m", nil, func(context.Context, *ai.ModelRequest, *ai.GenerationCommonConfig, ai.ModelStreamCallback) (*ai.ModelResponse, error) {
		return &ai.ModelResponse{Message: ai.NewModelTextMessage("x")}, nil
	})
	ask := func() {
		if _, err := genkit.Generate(t.Context(), b.g, ai.WithModel(model), ai.WithConfig(&ai.GenerationCommonConfig{APIKey: "sk-secret", TopK: 3}), ai.WithPrompt("Why?")); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if c := b.steps()["chat m"]; c == nil || string(c.ModelParameters) != `{"topK":3}` {
		t.Errorf("%+v", c)
	}
	before := len(b.Srv.Events())
	ask()
	if after := len(b.Srv.Events()); after != before {
		t.Errorf("%d events, then %d", before, after)
	}
	for _, ev := range b.Srv.Events() {
		if strings.Contains(string(ev.Payload), "sk-secret") {
			t.Errorf("%s", ev.Payload)
		}
	}
}
