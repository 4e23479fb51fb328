package brokleeino_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/schema"
	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleeino"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a provider, eino's handler that records, and where the records go.
type bench struct {
	*calltest.Bench
	h *brokleeino.Handler
}

func newBench(t *testing.T, opts ...brokleeino.Option) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.h = brokleeino.New(append(opts, brokleeino.WithClient(b.Client))...)
	return b
}

// model is eino's component for OpenAI, of the provider.
func (b *bench) model(name string) *openai.ChatModel {
	b.T.Helper()
	temperature := float32(0.5)
	m, err := openai.NewChatModel(b.T.Context(), &openai.ChatModelConfig{APIKey: "sk-test", BaseURL: b.URL + "/v1", Model: name, HTTPClient: b.Base, Temperature: &temperature})
	if err != nil {
		b.T.Fatal(err)
	}
	return m
}

// alone is a context in which a component is called outside of any graph.
func (b *bench) alone(ctx context.Context) context.Context {
	return callbacks.InitCallbacks(ctx, &callbacks.RunInfo{Type: "OpenAI", Component: components.ComponentOfChatModel}, b.h)
}

// steps are what was recorded, after all streams were read; each has ended once, and all are of one trace.
func (b *bench) steps() map[string]*calltest.Call {
	b.T.Helper()
	if err := b.h.Wait(b.T.Context()); err != nil {
		b.T.Fatal(err)
	}
	byName := map[string]*calltest.Call{}
	for _, c := range b.Recorded() {
		name := c.Name
		for n := 2; byName[name] != nil; n++ {
			name = fmt.Sprint(c.Name, " ", n)
		}
		if byName[name] = c; c.Ends != 1 {
			b.T.Errorf("%s has ended %d times", name, c.Ends)
		}
	}
	return byName
}

// one is recorded of exactly one call.
func (b *bench) one() *calltest.Call {
	b.T.Helper()
	if err := b.h.Wait(b.T.Context()); err != nil {
		b.T.Fatal(err)
	}
	return b.One()
}

func question() []*schema.Message {
	return []*schema.Message{schema.UserMessage("Why is the sky blue?")}
}

type place struct {
	City string `json:"city"`
}

// weather are the tools that the stand-in calls.
func weather(t *testing.T, get func(context.Context, place) (string, error)) []tool.BaseTool {
	t.Helper()
	w, err := utils.InferTool("get_weather", "the weather of a city", get)
	if err != nil {
		t.Fatal(err)
	}
	clock, err := utils.InferTool("get_time", "the time", func(context.Context, struct{}) (string, error) { return "noon", nil })
	if err != nil {
		t.Fatal(err)
	}
	return []tool.BaseTool{w, clock}
}

// drain reads a stream of messages, and gives its text.
func drain(t *testing.T, s *schema.StreamReader[*schema.Message]) string {
	t.Helper()
	defer s.Close()
	text := ""
	for {
		m, err := s.Recv()
		if err == io.EOF {
			return text
		}
		if err != nil {
			t.Fatal(err)
		}
		text += m.Content
	}
}

func isCall(c *calltest.Call) bool { return c.Type == brokle.TypeGeneration }
