package brokleeino_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/prompt"
	"github.com/cloudwego/eino/components/retriever"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/flow/agent"
	"github.com/cloudwego/eino/flow/agent/react"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
)

type library struct{}

func (library) Retrieve(context.Context, string, ...retriever.Option) ([]*schema.Document, error) {
	return []*schema.Document{(&schema.Document{ID: "d1", Content: "air scatters"}).WithScore(0.9)}, nil
}

type vectors struct{}

func (vectors) EmbedStrings(_ context.Context, texts []string, _ ...embedding.Option) ([][]float64, error) {
	return make([][]float64, len(texts)), nil
}

// A chain of every component is one tree of steps, each with what went in and came out.
func TestAChain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	chain, err := compose.NewChain[string, string]().
		AppendRetriever(library{}).
		AppendLambda(compose.InvokableLambda(func(_ context.Context, docs []*schema.Document) (map[string]any, error) {
			return map[string]any{"facts": docs[0].Content}, nil
		}), compose.WithNodeName("facts")).
		AppendChatTemplate(prompt.FromMessages(schema.FString, schema.SystemMessage("You know: {facts}"), schema.UserMessage("Why is the sky blue?"))).
		AppendChatModel(b.model("gpt-4o-mini")).
		AppendLambda(compose.InvokableLambda(func(_ context.Context, m *schema.Message) ([]string, error) { return []string{m.Content}, nil }), compose.WithNodeName("texts")).
		AppendEmbedding(vectors{}).
		AppendLambda(compose.InvokableLambda(func(_ context.Context, v [][]float64) (string, error) { return "done", nil }), compose.WithNodeName("count")).
		Compile(t.Context(), compose.WithGraphName("answer"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := chain.Invoke(brokle.WithUser(t.Context(), "ada"), "sky", compose.WithCallbacks(b.h)); err != nil || out != "done" {
		t.Fatalf("%q, %v", out, err)
	}
	steps := b.steps()
	for name, want := range map[string][3]string{
		"answer":              {brokle.TypeChain, `"sky"`, `"done"`},
		"libraryRetriever":    {brokle.TypeRetrieval, `"sky"`, `[{"content":"air scatters","id":"d1","score":0.9}]`},
		"facts":               {brokle.TypeSpan, `[{"content":"air scatters","id":"d1","score":0.9}]`, `{"facts":"air scatters"}`},
		"DefaultChatTemplate": {brokle.TypeSpan, `{"facts":"air scatters"}`, `[{"role":"system","content":"You know: air scatters"},{"role":"user","content":"Why is the sky blue?"}]`},
		"chat gpt-4o-mini":    {brokle.TypeGeneration, `[{"role":"system","content":"You know: air scatters"},{"role":"user","content":"Why is the sky blue?"}]`, `{"role":"assistant","content":"The sky is blue."}`},
		"texts":               {brokle.TypeSpan, `{"role":"assistant","content":"The sky is blue."}`, `["The sky is blue."]`},
		"vectorsEmbedding":    {brokle.TypeEmbedding, `["The sky is blue."]`, `{"dimensions":0,"embeddings":1}`},
		"count":               {brokle.TypeSpan, `{"dimensions":0,"embeddings":1}`, `"done"`},
	} {
		if name != "answer" {
			calltest.Below(t, steps, "answer", name)
		}
		if c := steps[name]; c != nil && (c.Type != want[0] || string(c.Input) != want[1] || string(c.Output) != want[2]) {
			t.Errorf("%s: %s of %s gave %s", name, c.Type, c.Input, c.Output)
		}
	}
	if len(steps) != 8 {
		t.Errorf("recorded %v", calltest.Steps(steps))
	}
	if tr := string(b.Srv.OfType(brokle.TraceCreate)[0].Payload); !strings.Contains(tr, `"user_id":"ada"`) || !strings.Contains(tr, `"name":"answer"`) {
		t.Errorf("trace %s", tr)
	}
}

// What streams through a graph reaches the program as it comes; a node that takes a stream has it recorded as well.
func TestStreamsThroughAGraph(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	upper := compose.TransformableLambda(func(_ context.Context, in *schema.StreamReader[*schema.Message]) (*schema.StreamReader[string], error) {
		return schema.StreamReaderWithConvert(in, func(m *schema.Message) (string, error) { return strings.ToUpper(m.Content), nil }), nil
	})
	chain, err := compose.NewChain[[]*schema.Message, string]().AppendChatModel(b.model("m-hold")).AppendLambda(upper, compose.WithNodeName("upper")).Compile(t.Context(), compose.WithGraphName("loud"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := chain.Stream(t.Context(), question(), compose.WithCallbacks(b.h))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if first, err := s.Recv(); err != nil || first != "THE" {
		t.Fatalf("%q, %v", first, err)
	}
	b.Provider.Release()
	for err == nil {
		_, err = s.Recv()
	}
	if err != io.EOF {
		t.Error(err)
	}
	steps := b.steps()
	calltest.Below(t, steps, "loud", "upper")
	calltest.Below(t, steps, "loud", "chat m-hold")
	if in, out := string(steps["upper"].Input), string(steps["upper"].Output); out != `"THE SKY IS BLUE."` || steps["loud"] == nil || string(steps["loud"].Output) != out {
		t.Errorf("in %s, out %s", in, out)
	}
	if steps["chat m-hold"].TimeToFirstTokenMS == nil || *steps["chat m-hold"].PromptTokens != 100 {
		t.Errorf("%+v", steps["chat m-hold"].Observation)
	}
	came := false
	for _, ev := range b.Srv.OfType(brokle.ObservationUpdate) {
		came = came || strings.Contains(string(ev.Payload), steps["upper"].ID) && strings.Contains(string(ev.Payload), "The sky is blue.")
	}
	if !came {
		t.Error("the input of upper was not recorded")
	}
}

// turns is a model that asks for tools first, and answers when it has them.
type turns struct {
	first, then model.ToolCallingChatModel
}

func (m turns) of(in []*schema.Message) model.ToolCallingChatModel {
	if in[len(in)-1].Role == schema.Tool {
		return m.then
	}
	return m.first
}

func (m turns) Generate(ctx context.Context, in []*schema.Message, opts ...model.Option) (*schema.Message, error) {
	return m.of(in).Generate(ctx, in, opts...)
}

func (m turns) Stream(ctx context.Context, in []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	return m.of(in).Stream(ctx, in, opts...)
}

func (m turns) WithTools(tools []*schema.ToolInfo) (model.ToolCallingChatModel, error) {
	first, err := m.first.WithTools(tools)
	return turns{first, m.then}, err
}

func (turns) IsCallbacksEnabled() bool { return true }
func (turns) GetType() string          { return "OpenAI" }

func sunny(_ context.Context, p place) (string, error) { return "sunny in " + p.City, nil }

func TestAReActAgent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a, err := react.NewAgent(t.Context(), &react.AgentConfig{ToolCallingModel: turns{b.model("m-tool"), b.model("m")}, ToolsConfig: compose.ToolsNodeConfig{Tools: weather(t, sunny)}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Generate(t.Context(), question(), agent.WithComposeOptions(compose.WithCallbacks(b.h)))
	if err != nil || answer.Content != "The sky is blue." {
		t.Fatalf("%v, %v", answer, err)
	}
	steps := b.steps()
	calltest.Below(t, steps, "ReActAgent", "chat m-tool")
	calltest.Below(t, steps, "ReActAgent", "Tools", "get_weather")
	calltest.Below(t, steps, "ReActAgent", "Tools", "get_time")
	calltest.Below(t, steps, "ReActAgent", "chat m")
	if c := steps["get_weather"]; c.Type != brokle.TypeTool || string(c.Input) != `{"city":"Oslo"}` || string(c.Output) != `"sunny in Oslo"` || !strings.Contains(string(c.Attributes), `"gen_ai.tool.call.id":"call_1"`) {
		t.Errorf("%s: %s gave %s, %s", c.Type, c.Input, c.Output, c.Attributes)
	}
	if steps["ReActAgent"].Type != brokle.TypeAgent || len(steps) != 6 {
		t.Errorf("%v", calltest.Steps(steps))
	}
	if in := string(steps["chat m"].Input); !strings.Contains(in, `"role":"tool","name":"get_weather","content":"sunny in Oslo","tool_call_id":"call_1"`) {
		t.Errorf("in %s", in)
	}
}

// An agent of the ADK, streamed, is an agent with its calls and tools below it, and its last message as output.
func TestAnAgentOfTheADK(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a, err := adk.NewChatModelAgent(t.Context(), &adk.ChatModelAgentConfig{Name: "sage", Description: "knows", Instruction: "Be short.", Model: turns{b.model("m-tool"), b.model("m")},
		ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: compose.ToolsNodeConfig{Tools: weather(t, sunny)}}})
	if err != nil {
		t.Fatal(err)
	}
	events := adk.NewRunner(t.Context(), adk.RunnerConfig{Agent: a, EnableStreaming: true}).Run(t.Context(), question(), adk.WithCallbacks(b.h))
	last := ""
	for {
		e, ok := events.Next()
		if !ok {
			break
		}
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		if m, err := e.Output.MessageOutput.GetMessage(); err == nil {
			last = m.Content
		}
	}
	if last != "The sky is blue." {
		t.Errorf("it said %q", last)
	}
	steps := b.steps()
	c := steps["sage"]
	if c == nil || c.Type != brokle.TypeAgent || !strings.Contains(string(c.Input), "Why is the sky blue?") || !strings.Contains(string(c.Output), "The sky is blue.") || c.ParentObservationID != "" {
		t.Fatalf("%v: %+v", calltest.Steps(steps), c)
	}
	calls, tools := 0, 0
	for name, one := range steps {
		if one.TraceID != c.TraceID {
			t.Errorf("%s is in another trace", name)
		}
		switch one.Type {
		case brokle.TypeGeneration:
			calls++
		case brokle.TypeTool:
			tools++
		}
	}
	if calls != 2 || tools != 2 {
		t.Errorf("%v", calltest.Steps(steps))
	}
}

// A tool that fails fails all above it, each with the error; the program gets it.
func TestAToolThatFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	broken := errors.New("no such place")
	a, err := react.NewAgent(t.Context(), &react.AgentConfig{ToolCallingModel: turns{b.model("m-tool"), b.model("m")},
		ToolsConfig: compose.ToolsNodeConfig{Tools: weather(t, func(context.Context, place) (string, error) { return "", broken })}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Generate(t.Context(), question(), agent.WithComposeOptions(compose.WithCallbacks(b.h))); !errors.Is(err, broken) {
		t.Errorf("the program got %v", err)
	}
	steps := b.steps()
	for _, name := range []string{"get_weather", "Tools", "ReActAgent"} {
		if c := steps[name]; c == nil || c.Level != brokle.LevelError || !strings.Contains(c.StatusMessage, "no such place") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := steps["chat m-tool"]; c.Level != "" || c.FinishReason != "tool_calls" {
		t.Errorf("%+v", c.Observation)
	}
}

// What waits for somebody is no error.
func TestAnInterrupt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	chain, err := compose.NewChain[string, string]().
		AppendLambda(compose.InvokableLambda(func(ctx context.Context, _ string) (string, error) { return "", compose.Interrupt(ctx, "may I?") }), compose.WithNodeName("ask")).
		Compile(t.Context(), compose.WithGraphName("careful"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = chain.Invoke(t.Context(), "x", compose.WithCallbacks(b.h))
	if _, ok := compose.ExtractInterruptInfo(err); !ok {
		t.Fatalf("the program got %v", err)
	}
	steps := b.steps()
	calltest.Below(t, steps, "careful", "ask")
	for name, c := range steps {
		if c.Level != "" || c.StatusMessage != "" || !strings.Contains(string(c.Attributes), `"eino.interrupted":true`) {
			t.Errorf("%s: %+v", name, c.Observation)
		}
	}
}
