package brokleeino_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleeino"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
)

func TestACallOfAModel(t *testing.T) {
	t.Parallel()
	b := newBench(t, brokleeino.WithOptions(brokle.Tags("t")))
	answer, err := b.model("gpt-4o-mini").Generate(b.alone(t.Context()), question())
	if err != nil || answer.Content != "The sky is blue." {
		t.Fatalf("%v, %+v", err, answer)
	}
	c := b.one()
	if c.Name != "chat gpt-4o-mini" || c.Type != brokle.TypeGeneration || c.RequestedModel != "gpt-4o-mini" || c.Provider != "openai" || c.ResponseID != "chatcmpl-1" ||
		c.FinishReason != "stop" || *c.PromptTokens != 100 || *c.CompletionTokens != 50 || *c.CacheReadTokens != 80 || *c.ReasoningTokens != 30 || c.Tags[0] != "t" {
		t.Errorf("%+v", c.Observation)
	}
	if in, out, params := string(c.Input), string(c.Output), string(c.ModelParameters); in != `[{"role":"user","content":"Why is the sky blue?"}]` ||
		out != `{"role":"assistant","content":"The sky is blue."}` || params != `{"temperature":0.5}` {
		t.Errorf("in %s, out %s, %s", in, out, params)
	}
}

func TestAStreamedCallOfTools(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m, err := b.model("m-tool").WithTools([]*schema.ToolInfo{{Name: "get_weather", Desc: "the weather", ParamsOneOf: schema.NewParamsOneOfByParams(map[string]*schema.ParameterInfo{"city": {Type: schema.String}})}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Stream(b.alone(t.Context()), question())
	if err != nil {
		t.Fatal(err)
	}
	drain(t, s)
	c := b.one()
	if c.FinishReason != "tool_calls" || c.TimeToFirstTokenMS == nil || *c.PromptTokens != 100 || *c.ReasoningTokens != 30 || c.Status != "" {
		t.Errorf("%+v", c.Observation)
	}
	if out := string(c.Output); !strings.Contains(out, `"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"`) || !strings.Contains(out, `"get_time"`) {
		t.Errorf("out %s", out)
	}
	if in := string(c.Input); !strings.Contains(in, `"tools":[{"function":{"description":"the weather","name":"get_weather","parameters":{`) {
		t.Errorf("in %s", in)
	}
}

// The program gets eino's errors, and the call has them.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 429, 500} {
		for _, streamed := range []bool{false, true} {
			b := newBench(t)
			var err error
			if m := b.model(fmt.Sprint("m-", status)); streamed {
				_, err = m.Stream(b.alone(t.Context()), question())
			} else {
				_, err = m.Generate(b.alone(t.Context()), question())
			}
			if err == nil || !strings.Contains(err.Error(), fmt.Sprint("refused with ", status)) {
				t.Errorf("the program got %v", err)
			}
			if c := b.one(); c.Level != brokle.LevelError || !strings.HasSuffix(c.ErrorType, "APIError") || !strings.Contains(c.StatusMessage, fmt.Sprint(status)) {
				t.Errorf("%d: %+v", status, c.Observation)
			}
		}
	}
}

func TestAStreamThatBreaks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s, err := b.model("m-cut").Stream(b.alone(t.Context()), question())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		_, err = s.Recv()
	}
	if c := b.one(); c.Level != brokle.LevelError || !strings.Contains(c.StatusMessage, "unexpected EOF") || !strings.Contains(string(c.Output), "The sky") {
		t.Errorf("%+v", c.Observation)
	}
}

// Of a stream that the program leaves, eino goes on to read the copy of the handler: it ends with the provider's answer, or with the context.
func TestStreamsThatAreLeft(t *testing.T) {
	t.Parallel()
	first := func(b *bench, ctx context.Context) *schema.StreamReader[*schema.Message] {
		s, err := b.model("m-hold").Stream(b.alone(ctx), question())
		if err != nil {
			t.Fatal(err)
		}
		if m, err := s.Recv(); err != nil || m.Content != "The" {
			t.Fatalf("%v, %v", m, err)
		}
		return s
	}
	b := newBench(t)
	first(b, t.Context()).Close()
	b.Provider.Release()
	if c := b.one(); c.Status != "" || c.FinishReason != "stop" || !strings.Contains(string(c.Output), "The sky is blue.") {
		t.Errorf("closed: %+v", c.Observation)
	}

	b = newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := first(b, ctx)
	cancel()
	if err := b.Srv.Wait(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if c := b.one(); c.Status != "aborted" || c.Level != "" || !strings.Contains(string(c.Output), `"The"`) {
		t.Errorf("cancelled: %+v", c.Observation)
	}
}

// A context that ends while the rest of its stream still comes has not ended it.
func TestAContextThatEndsBeforeItsStream(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const n = 5000
	for range 10 {
		on := make(chan struct{})
		source := compose.StreamableLambda(func(context.Context, string) (*schema.StreamReader[string], error) {
			r, w := schema.Pipe[string](1)
			go func() {
				defer w.Close()
				w.Send("x ", nil)
				<-on
				for range n - 1 {
					w.Send("x ", nil)
				}
			}()
			return r, nil
		})
		chain, err := compose.NewChain[string, string]().AppendLambda(source).Compile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s, err := chain.Stream(ctx, "", compose.WithCallbacks(b.h))
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		close(on)
		for err == nil {
			_, err = s.Recv()
		}
		s.Close()
	}
	for name, c := range b.steps() {
		if c.Status != "" || len(c.Output) != 2*n+2 {
			t.Errorf("%s: %d bytes, %s", name, len(c.Output), c.Status)
		}
	}
}

// A component that fails before it says that it starts is a step that failed, and not the one above it.
func TestAnErrorWithoutAStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	chain, err := compose.NewChain[[]*schema.Message, *schema.Message]().AppendChatModel(b.model("m"), compose.WithNodeName("ask")).Compile(t.Context(), compose.WithGraphName("answer"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Stream(t.Context(), question(), compose.WithCallbacks(b.h), compose.WithChatModelOption(model.WithToolChoice(schema.ToolChoiceForced))); err == nil {
		t.Fatal("the program got no error")
	}
	steps := b.steps()
	calltest.Below(t, steps, "answer", "ask")
	for name, c := range steps {
		if c.Level != brokle.LevelError || !strings.Contains(c.StatusMessage, "tool") {
			t.Errorf("%s: %+v", name, c.Observation)
		}
	}
}

// The first piece reaches the program before the provider sends the second.
func TestAStreamIsNotHeldBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s, err := b.model("m-hold").Stream(b.alone(t.Context()), question())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Recv(); err != nil || m.Content != "The" {
		t.Fatalf("%v, %v", m, err)
	}
	b.Provider.Release()
	drain(t, s)
	if c := b.one(); !strings.Contains(string(c.Output), "The sky is blue.") {
		t.Errorf("%s", c.Output)
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

// around is a model that has another one do its work, and has callbacks of its own because eino gives it some.
type around struct{ *openai.ChatModel }

func (around) IsCallbacksEnabled() bool { return false }

func (a around) Generate(ctx context.Context, in []*schema.Message, opts ...model.Option) (*schema.Message, error) {
	return a.ChatModel.Generate(ctx, in, opts...)
}

// However many of what records sees a call, it counts once.
func TestOneCallIsOneGeneration(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Base.Transport = transport{&modelcall.Recorder{Client: b.Client}, b.Base.Transport}
	chain, err := compose.NewChain[[]*schema.Message, *schema.Message]().AppendChatModel(around{b.model("m")}).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Invoke(t.Context(), question(), compose.WithCallbacks(b.h, b.h)); err != nil {
		t.Fatal(err)
	}
	var calls, others []string
	for name, c := range b.steps() {
		if isCall(c) && c.PromptTokens != nil {
			calls = append(calls, name)
		} else {
			others = append(others, name)
		}
	}
	if len(calls) != 1 || len(others) != 2 || calls[0] != "chat m" {
		t.Errorf("calls %v, others %v", calls, others)
	}
	spans := 0
	for _, ev := range b.Srv.OfType(brokle.ObservationUpdate) {
		if strings.Contains(string(ev.Payload), `"type":"span"`) {
			spans++
		}
	}
	if spans != 1 {
		t.Errorf("%d of the models said that they are around another", spans)
	}
}

func TestCallsInGoroutinesBelowOneSpan(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, span := b.Client.StartSpan(t.Context(), "pool")
	var wg sync.WaitGroup
	for i := range 8 {
		m := b.model(fmt.Sprint("m", i))
		wg.Go(func() {
			if i%2 == 0 {
				if _, err := m.Generate(b.alone(ctx), question()); err != nil {
					t.Error(err)
				}
				return
			}
			s, err := m.Stream(b.alone(ctx), question())
			if err != nil {
				t.Error(err)
				return
			}
			drain(t, s)
		})
	}
	wg.Wait()
	span.End()
	steps := b.steps()
	for i := range 8 {
		calltest.Below(t, steps, "pool", fmt.Sprint("chat m", i))
	}
	if len(steps) != 9 {
		t.Errorf("recorded %v", calltest.Steps(steps))
	}
}

func TestContentSwitchedOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, brokleeino.WithContent(false))
	s, err := b.model("m").Stream(b.alone(t.Context()), question())
	if err != nil {
		t.Fatal(err)
	}
	drain(t, s)
	if _, err := b.model("m-400").Generate(b.alone(t.Context()), question()); err == nil {
		t.Error("no error")
	}
	for name, c := range b.steps() {
		if c.Input != nil || c.Output != nil || c.RequestedModel == "" || c.StatusMessage != "" {
			t.Errorf("%s: %+v", name, c.Observation)
		}
		if name == "chat m" && (c.FinishReason != "stop" || *c.PromptTokens != 100) {
			t.Errorf("%s: %+v", name, c.Observation)
		}
	}
	for _, ev := range b.Srv.Events() {
		if s := string(ev.Payload); strings.Contains(s, "sky") || strings.Contains(s, "refused") {
			t.Errorf("%s", s)
		}
	}
}

// Without a client, or with one that is closed, the handler is not asked.
func TestOffWithoutAClient(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.Client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	info := &callbacks.RunInfo{}
	for _, timing := range []callbacks.CallbackTiming{callbacks.TimingOnStart, callbacks.TimingOnEnd, callbacks.TimingOnError, callbacks.TimingOnStartWithStreamInput, callbacks.TimingOnEndWithStreamOutput} {
		if b.h.Needed(t.Context(), info, timing) {
			t.Errorf("needed at %d", timing)
		}
	}
	if m, err := b.model("m").Generate(b.alone(t.Context()), question()); err != nil || m.Content == "" {
		t.Errorf("%v, %v", m, err)
	}
	if evs := b.Srv.Events(); len(evs) != 0 {
		t.Errorf("%d events", len(evs))
	}
}
