package broklelangchain_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/prompts"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/tools"
	"github.com/tmc/langchaingo/vectorstores"
	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklelangchain"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

// Google's credentials start a goroutine when they are imported.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// bench is a provider, a handler, and where the records go.
type bench struct {
	*calltest.Bench
	h callbacks.Handler
}

func newBench(t *testing.T, opts ...broklelangchain.Option) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.h = broklelangchain.Handler(append(opts, broklelangchain.WithClient(b.Client))...)
	return b
}

// recording is what broklehttp.Transport does with calls of models.
type recording struct {
	modelcall.Recorder
	base http.RoundTripper
}

func (r *recording) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.Do(req, r.base.RoundTrip)
}

// recorded is an HTTP client that records.
func (b *bench) recorded() *http.Client {
	return &http.Client{Transport: &recording{modelcall.Recorder{Client: b.Client}, b.Base.Transport}}
}

func (b *bench) openAI(model string, c *http.Client) *openai.LLM {
	b.T.Helper()
	llm, err := openai.New(openai.WithToken("sk-test"), openai.WithBaseURL(b.URL+"/v1"), openai.WithModel(model), openai.WithHTTPClient(c), openai.WithCallback(b.h))
	if err != nil {
		b.T.Fatal(err)
	}
	return llm
}

func (b *bench) anthropic(c *http.Client) *anthropic.LLM {
	b.T.Helper()
	llm, err := anthropic.New(anthropic.WithToken("sk-test"), anthropic.WithBaseURL(b.URL+"/v1"), anthropic.WithModel("claude-x"), anthropic.WithHTTPClient(c))
	if err != nil {
		b.T.Fatal(err)
	}
	llm.CallbacksHandler = b.h
	return llm
}

func (b *bench) chain(llm llms.Model) *chains.LLMChain {
	return chains.NewLLMChain(llm, prompts.NewPromptTemplate("Why is {{.what}} blue?", []string{"what"}), chains.WithCallback(b.h))
}

// tree is what was recorded and has ended: a line for each step, indented below the one above it, in the order of their beginnings.
func (b *bench) tree() string {
	b.T.Helper()
	all := b.Recorded()
	var s strings.Builder
	var below func(parent string, depth int)
	below = func(parent string, depth int) {
		for _, c := range all {
			if c.ParentObservationID == parent {
				if c.Ends != 1 {
					b.T.Errorf("%s ended %d times", c.Name, c.Ends)
				}
				fmt.Fprintf(&s, "%s%s %s %s.\n", strings.Repeat("  ", depth), c.Type, c.Name, c.Level)
				below(c.ID, depth+1)
			}
		}
	}
	below("", 0)
	return s.String()
}

func (b *bench) requireTree(want string) {
	b.T.Helper()
	want = strings.TrimLeft(want, "\n")
	if got := b.tree(); got != want {
		b.T.Errorf("recorded:\n%swant:\n%s", got, want)
	}
}

func TestAChainOfAModel(t *testing.T) {
	t.Parallel()
	b := newBench(t, broklelangchain.WithModel("openai", "gpt-4o-mini"), broklelangchain.WithOptions(brokle.Tags("lc")))
	ctx, span := b.Client.StartSpan(t.Context(), "request")
	if got, err := chains.Run(ctx, b.chain(b.openAI("gpt-4o-mini", b.Base)), "the sky"); err != nil || got != "The sky is blue." {
		t.Fatalf("%v, %q", err, got)
	}
	span.End()
	all := b.Recorded()
	if len(all) != 3 {
		t.Fatalf("%d steps", len(all))
	}
	c, m := all[1], all[2]
	if c.Type != brokle.TypeChain || c.ParentObservationID != span.ID() || string(c.Input) != `{"what":"the sky"}` || string(c.Output) != `{"text":"The sky is blue."}` || c.Ends != 1 || c.Tags[0] != "lc" {
		t.Errorf("%+v: %s, %s", c.Observation, c.Input, c.Output)
	}
	if m.Type != brokle.TypeGeneration || m.ParentObservationID != c.ID || m.RequestedModel != "gpt-4o-mini" || m.Provider != "openai" || m.FinishReason != "stop" || m.Ends != 1 ||
		string(m.Input) != `[{"role":"user","content":"Why is the sky blue?"}]` || string(m.Output) != `{"role":"assistant","content":"The sky is blue."}` {
		t.Errorf("%+v: %s, %s", m.Observation, m.Input, m.Output)
	}
	if *m.PromptTokens != 100 || *m.CompletionTokens != 50 || *m.CacheReadTokens != 80 || *m.ReasoningTokens != 30 {
		t.Errorf("%+v", m.Observation)
	}
}

// A call that the HTTP client below records, too, is one: begun by the callback, ended by the answer, whichever callbacks the library makes.
func TestACallThatIsSeenTwiceIsOne(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		llm  func(b *bench) llms.Model
		want string
		fail bool
	}{
		"openai":          {llm: func(b *bench) llms.Model { return b.openAI("gpt-4o-mini", b.recorded()) }, want: "gpt-4o-mini gpt-4o-mini-2024-07-18 openai chatcmpl-1 stop"},
		"openai, refused": {llm: func(b *bench) llms.Model { return b.openAI("m-429", b.recorded()) }, want: "m-429  openai   ERROR rate_limit_exceeded refused with 429", fail: true},
		"openai, cut off": {llm: func(b *bench) llms.Model { return b.openAI("m-500", b.recorded()) }, want: "m-500  openai   ERROR server_error refused with 500", fail: true},
		"anthropic":       {llm: func(b *bench) llms.Model { return b.anthropic(b.recorded()) }, want: "claude-x claude-x anthropic msg_1 end_turn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			_, err := chains.Call(t.Context(), b.chain(tc.llm(b)), map[string]any{"what": "the sky"})
			if (err != nil) != tc.fail && name != "anthropic" { // whose thoughts are its first choice, and empty
				t.Fatal(err)
			}
			all := b.Recorded()
			if len(all) != 2 || all[1].ParentObservationID != all[0].ID || all[1].Ends != 1 || all[0].Ends != 1 {
				t.Fatalf("%d steps: %+v", len(all), all)
			}
			m := all[1].Observation
			if got := strings.TrimSpace(strings.Join([]string{m.RequestedModel, m.Model, m.Provider, m.ResponseID, m.FinishReason, m.Level, m.ErrorType, m.StatusMessage}, " ")); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if !tc.fail && (len(m.Usage) == 0 || m.PromptTokens != nil || !strings.Contains(string(m.Output), "blue")) {
				t.Errorf("%s, %s", m.Usage, m.Output)
			}
		})
	}
}

// What the library makes no callback for ends with its chain.
func TestEndsThatAreNotTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := chains.Call(t.Context(), b.chain(b.openAI("m-429", b.Base)), map[string]any{"what": "the sky"}); err == nil {
		t.Fatal("no error")
	}
	b.requireTree(`
chain chain ERROR.
  generation chat WARN.
`)
}

func TestRetrievers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := vectorstores.ToRetriever(store{}, 1)
	r.CallbacksHandler = b.h
	qa := chains.NewRetrievalQA(chains.NewStuffDocuments(b.chain(b.openAI("m", b.Base))), r)
	qa.CombineDocumentsChain.(chains.StuffDocuments).LLMChain.Prompt = prompts.NewPromptTemplate("{{.context}} {{.question}}", []string{"context", "question"})
	ctx, span := b.Client.StartSpan(t.Context(), "request")
	if _, err := chains.Run(ctx, qa, "Why?"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.GetRelevantDocuments(ctx, "broken"); err == nil {
		t.Fatal("no error")
	}
	if _, err := b.openAI("m", b.Base).Call(ctx, "Why?"); err != nil {
		t.Fatal(err)
	}
	span.End()
	for _, c := range b.Recorded() {
		if c.Type == brokle.TypeRetrieval && c.Level == "" && (string(c.Input) != `"Why?"` || !strings.Contains(string(c.Output), `[{"content":"Air scatters blue.","metadata":{"page":7},"score":0.5}]`)) {
			t.Errorf("%s, %s", c.Input, c.Output)
		}
	}
	b.requireTree(`
span request .
  retrieval retrieve .
  chain chain .
    generation chat .
  retrieval retrieve WARN.
  generation chat .
`)
}

// store finds one document.
type store struct{ vectorstores.VectorStore }

func (store) SimilaritySearch(_ context.Context, query string, _ int, _ ...vectorstores.Option) ([]schema.Document, error) {
	if query == "broken" {
		return nil, errors.New("no index")
	}
	return []schema.Document{{PageContent: "Air scatters blue.", Metadata: map[string]any{"page": 7}, Score: 0.5}}, nil
}

// script answers OpenAI's chat with these texts, one after another.
func script(t *testing.T, texts ...string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if len(texts) == 0 {
			t.Error("asked once more")
			return
		}
		_, _ = fmt.Fprintf(w, `{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5}}`, texts[0])
		texts = texts[1:]
	}))
	t.Cleanup(s.Close)
	return s
}

// weather is a tool of a program, without callbacks.
type weather struct{}

func (weather) Name() string                                 { return "weather" }
func (weather) Description() string                          { return "tells the weather" }
func (weather) Call(context.Context, string) (string, error) { return "rain", nil }

func TestAnAgentWithTools(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.URL = script(t, "Thought: ask\nAction: weather\nAction Input: Oslo", "Thought: count\nAction: calculator\nAction Input: 2+2", "Thought: again\nAction: calculator\nAction Input: 2+",
		"Thought: ask\nAction: weather\nAction Input: Bergen", "Thought: done\nFinal Answer: rain").URL
	llm := b.openAI("m", b.Base)
	agent := agents.NewOneShotAgent(llm, []tools.Tool{weather{}, tools.Calculator{CallbacksHandler: b.h}})
	got, err := chains.Run(t.Context(), agents.NewExecutor(agent, agents.WithCallbacksHandler(b.h)), "Rain?")
	if err != nil || strings.TrimSpace(got) != "rain" {
		t.Fatalf("%v, %q", err, got)
	}
	for _, c := range b.Recorded() {
		if c.Name == "calculator" && c.Level == "" && (string(c.Input) != `"2+2"` || string(c.Output) != `"4"`) || c.Name == "weather" && string(c.Input) != `"Oslo"` && string(c.Input) != `"Bergen"` {
			t.Errorf("%s: %s, %s", c.Name, c.Input, c.Output)
		}
	}
	b.requireTree(`
chain chain .
  generation chat .
  tool weather .
  generation chat .
  tool calculator .
  generation chat .
  tool calculator WARN.
    generation chat .
  tool weather .
  generation chat .
`)
}

// Chains at once on one context: each call of a model lies below its own chain.
func TestChainsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, span := b.Client.StartSpan(t.Context(), "pool")
	inputs := make([]map[string]any, 24)
	for i := range inputs {
		inputs[i] = map[string]any{"what": fmt.Sprint("thing ", i)}
	}
	llm := b.openAI("m", b.recorded())
	if _, err := chains.Apply(ctx, b.chain(llm), inputs, 8); err != nil {
		t.Fatal(err)
	}
	span.End()
	asked := map[string]string{}
	all := b.Recorded()
	for _, c := range all {
		if c.Type == brokle.TypeChain && c.ParentObservationID == span.ID() && c.Ends == 1 {
			asked[c.ID] = string(c.Input)
		}
	}
	for _, c := range all {
		if c.Type == brokle.TypeGeneration {
			thing := strings.TrimSuffix(strings.TrimPrefix(asked[c.ParentObservationID], `{"what":"`), `"}`)
			if c.Ends != 1 || thing == "" || !strings.Contains(string(c.Input), `"Why is `+thing+` blue?"`) {
				t.Errorf("%s lies below %s", c.Input, asked[c.ParentObservationID])
			}
		}
	}
	if len(all) != 1+2*24 || len(asked) != 24 {
		t.Errorf("%d steps, %d chains", len(all), len(asked))
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, span := b.Client.StartSpan(t.Context(), "request")
	if _, err := chains.Run(ctx, b.chain(b.openAI("m", b.Base)), "the sky", chains.WithCallback(b.h)); err != nil {
		t.Fatal(err)
	}
	span.End()
	if m := b.Recorded()[2]; m.TimeToFirstTokenMS == nil || m.FinishReason != "stop" || *m.PromptTokens != 100 || m.Ends != 1 {
		t.Errorf("%+v", m.Observation)
	}
}

func TestToolsAndMedia(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	llm := b.openAI("m-tool", b.Base)
	ms := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Be short."),
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("What is this?"), llms.BinaryPart("image/png", make([]byte, 5000))}},
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "c1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "look", Arguments: "{}"}}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "c1", Name: "look", Content: "a sky"}}},
	}
	if r, err := llm.GenerateContent(t.Context(), ms); err != nil || len(r.Choices[0].ToolCalls) != 2 {
		t.Fatalf("%v, %+v", err, r)
	}
	m := b.One()
	const in = `[{"role":"system","content":"Be short."},{"role":"user","content":[{"text":"What is this?","type":"text"},{"text":"(image/png, 5000 bytes)","type":"text"}]},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}}]},{"role":"tool","content":"a sky","tool_call_id":"c1","name":"look"}]`
	if string(m.Input) != in || m.FinishReason != "tool_calls" || !strings.Contains(string(m.Output), `"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}`) {
		t.Errorf("%s, %s", m.Input, m.Output)
	}
}

func TestContentSwitchedOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, broklelangchain.WithContent(false))
	for _, llm := range []llms.Model{b.openAI("m", b.Base), b.openAI("m", b.recorded()), b.openAI("m-429", b.recorded())} {
		_, _ = chains.Run(t.Context(), b.chain(llm), "the sky")
	}
	if err := b.Client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ev := range b.Srv.Events() {
		for _, said := range []string{"sky", "blue", "refused", "Why"} {
			if strings.Contains(string(ev.Payload), said) {
				t.Errorf("%q was recorded: %s", said, ev.Payload)
			}
		}
	}
}

func Example() {
	provider := httptest.NewServer(standin.New()) // stands for OpenAI
	defer provider.Close()
	srv := brokletest.New()
	recorder, err := brokle.New(srv.Config()) // brokle.New(brokle.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	brokle.SetDefault(recorder)
	defer brokle.SetDefault(nil)

	ctx := context.Background()
	h := broklelangchain.Handler() // the one line, and h given to what is to be recorded
	llm, err := openai.New(openai.WithToken("sk-…"), openai.WithBaseURL(provider.URL+"/v1"), openai.WithModel("gpt-4o-mini"), openai.WithCallback(h))
	if err != nil {
		fmt.Println(err)
		return
	}
	prompt := prompts.NewPromptTemplate("Why is {{.what}} blue?", []string{"what"})
	answer, err := chains.Run(ctx, chains.NewLLMChain(llm, prompt, chains.WithCallback(h)), "the sky")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer)
	_ = recorder.Close(ctx)
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "steps recorded")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// Output:
	// The sky is blue.
	// 2 steps recorded
}
