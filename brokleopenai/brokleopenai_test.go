package brokleopenai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleopenai"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a provider, OpenAI's client of it that is recorded, and where the records go.
type bench struct {
	*calltest.Bench
	openai openai.Client
}

func newBench(t *testing.T, opts ...brokleopenai.Option) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.openai = openai.NewClient(append(b.plain(), option.WithMiddleware(brokleopenai.Middleware(append(opts, brokleopenai.WithClient(b.Client))...)))...)
	return b
}

// plain are the options of a client that is not recorded.
func (b *bench) plain() []option.RequestOption {
	return []option.RequestOption{option.WithBaseURL(b.URL + "/v1"), option.WithAPIKey("sk-test"), option.WithHTTPClient(b.Base), option.WithMaxRetries(0)}
}

func question(model string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Why is the sky blue?")},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}}
}

func TestChat(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	answer, err := b.openai.Chat.Completions.New(t.Context(), question("gpt-4o-mini"))
	if err != nil || answer.Choices[0].Message.Content != "The sky is blue." || answer.Usage.TotalTokens != 150 {
		t.Fatalf("%v, %+v", err, answer)
	}
	c := b.One()
	if c.Name != "chat gpt-4o-mini" || c.Type != brokle.TypeGeneration || c.RequestedModel != "gpt-4o-mini" || c.Model != "gpt-4o-mini-2024-07-18" || c.Provider != "openai" ||
		c.ResponseID != "chatcmpl-1" || c.FinishReason != "stop" || !strings.Contains(string(c.Input), "Why is") || !strings.Contains(string(c.Output), "blue") || !strings.Contains(string(c.Usage), `"cached_tokens":80`) {
		t.Errorf("%+v", c.Observation)
	}
}

func TestChatStreamedWithTools(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stream := b.openai.Chat.Completions.NewStreaming(t.Context(), question("m-tool"))
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		acc.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil || len(acc.Choices) != 1 || len(acc.Choices[0].Message.ToolCalls) != 2 {
		t.Fatalf("%v, %+v", err, acc)
	}
	stream.Close()
	c := b.One()
	var out struct {
		ToolCalls []struct {
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
	}
	if err := json.Unmarshal(c.Output, &out); err != nil || len(out.ToolCalls) != 2 || out.ToolCalls[0].Function.Arguments != `{"city":"Oslo"}` || out.ToolCalls[1].Function.Name != "get_time" {
		t.Errorf("%v: %s", err, c.Output)
	}
	if c.FinishReason != "tool_calls" || c.TimeToFirstTokenMS == nil || !strings.Contains(string(c.Usage), `"reasoning_tokens":30`) || c.Status != "" {
		t.Errorf("%+v", c.Observation)
	}
}

func TestResponsesEmbeddingsImages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if r, err := b.openai.Responses.New(t.Context(), responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Why?")}}); err != nil || r.OutputText() != "The sky is blue." {
		t.Fatalf("%v, %+v", err, r)
	}
	stream := b.openai.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Why?")}})
	for stream.Next() {
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if e, err := b.openai.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "e", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}}}); err != nil || len(e.Data) != 2 {
		t.Fatalf("%v, %+v", err, e)
	}
	if i, err := b.openai.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "i", Prompt: "a sky"}); err != nil || len(i.Data[0].B64JSON) != 8000 {
		t.Fatalf("%v, %+v", err, i)
	}
	all := b.Recorded()
	if len(all) != 4 {
		t.Fatalf("%d calls", len(all))
	}
	for i, want := range []string{"chat m generation stop", "chat m generation stop", "embeddings e embedding ", "image_generation i generation "} {
		if c := all[i]; c.Name+" "+c.Type+" "+c.FinishReason != want || len(c.Usage) == 0 || len(c.Output) == 0 || len(c.Output) > 300 || c.Ends != 1 {
			t.Errorf("%+v, want %s", c.Observation, want)
		}
	}
}

func TestAzure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := openai.NewClient(azure.WithEndpoint(b.URL, "2024-10-21"), azure.WithAPIKey("k"), azure.WithUnsafeAllowHTTP(), option.WithHTTPClient(b.Base), option.WithMaxRetries(0),
		option.WithMiddleware(brokleopenai.Middleware(brokleopenai.WithClient(b.Client), brokleopenai.WithOptions(brokle.Tags("azure")))))
	if _, err := c.Chat.Completions.New(t.Context(), question("mine")); err != nil {
		t.Fatal(err)
	}
	if got := b.Provider.Requests()[0].Path; got != "/openai/deployments/mine/chat/completions" {
		t.Errorf("asked at %s", got)
	}
	if c := b.One(); c.RequestedModel != "mine" || c.FinishReason != "stop" || c.Tags[0] != "azure" {
		t.Errorf("%+v", c.Observation)
	}
}

// The program gets the errors of its client, and each try is an observation.
func TestRefusalsAndRepetitions(t *testing.T) {
	t.Parallel()
	for status, typ := range map[int]string{400: "invalid_request_error", 401: "invalid_request_error", 429: "rate_limit_exceeded", 500: "server_error", 529: "server_error"} {
		b := newBench(t)
		_, err := b.openai.Chat.Completions.New(t.Context(), question(fmt.Sprint("m-", status)))
		var refused *openai.Error
		if !errors.As(err, &refused) || refused.StatusCode != status || !strings.Contains(refused.Message, "refused with") {
			t.Errorf("the program got %v", err)
		}
		if c := b.One(); c.Level != brokle.LevelError || c.ErrorType != typ || c.StatusMessage != fmt.Sprint("refused with ", status) {
			t.Errorf("%d: %+v", status, c.Observation)
		}
	}
	b := newBench(t)
	if _, err := b.openai.Chat.Completions.New(t.Context(), question("m-500"), option.WithMaxRetries(1), option.WithMaxRetryDelay(1)); err == nil {
		t.Error("no error")
	}
	all := b.Recorded()
	if len(all) != 2 || len(b.Provider.Requests()) != 2 || !strings.Contains(string(all[1].Attributes), `"http.response.status_code":500`) {
		t.Fatalf("%d calls, %d requests", len(all), len(b.Provider.Requests()))
	}
	if first, second := string(all[0].Input), string(all[1].Input); first != second || !strings.Contains(first, "Why is the sky blue?") {
		t.Errorf("input %s, then %s", first, second)
	}
}

func TestStreamsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stream := b.openai.Chat.Completions.NewStreaming(t.Context(), question("m-cut"))
	for stream.Next() {
	}
	if stream.Err() == nil {
		t.Error("the program got no error")
	}
	stream.Close()
	if c := b.One(); c.Level != brokle.LevelError || !strings.Contains(string(c.Output), "The sky") {
		t.Errorf("%+v", c.Observation)
	}
	for name, leave := range map[string]func(close, cancel func()){"closed": func(close, _ func()) { close() }, "cancelled": func(_, cancel func()) { cancel() }} {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream := b.openai.Chat.Completions.NewStreaming(ctx, question("m-hold"))
		for stream.Next() && stream.Current().Choices[0].Delta.Content != "The" {
		}
		leave(func() { stream.Close() }, cancel)
		if err := b.Srv.Wait(t.Context(), 3); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		stream.Close()
		if c := b.One(); c.Status != "aborted" || c.Level != "" || !strings.Contains(string(c.Output), `"The"`) {
			t.Errorf("%s: %+v", name, c.Observation)
		}
	}
}

func TestCallsInGoroutinesBelowOneSpan(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, span := b.Client.StartSpan(t.Context(), "pool")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := b.openai.Chat.Completions.New(ctx, question(fmt.Sprint("m", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	span.End()
	below := map[string]bool{}
	for _, c := range b.Recorded() {
		if c.ParentObservationID == span.ID() && c.TraceID == span.TraceID() && c.Ends == 1 && c.Model == c.RequestedModel {
			below[c.Model] = true
		}
	}
	if len(below) != 8 {
		t.Errorf("below the span: %v", below)
	}
}

func TestContentSwitchedOffAndMasked(t *testing.T) {
	t.Parallel()
	b := newBench(t, brokleopenai.WithContent(false))
	if _, err := b.openai.Chat.Completions.New(t.Context(), question("m")); err != nil {
		t.Fatal(err)
	}
	if c := b.One(); c.Input != nil || c.Output != nil || c.Model != "m" || len(c.Usage) == 0 || c.FinishReason != "stop" {
		t.Errorf("%+v", c.Observation)
	}
	b = newBench(t)
	cfg := b.Srv.Config()
	cfg.Mask = func(_ brokle.EventType, p json.RawMessage) (json.RawMessage, error) {
		return json.RawMessage(strings.ReplaceAll(string(p), "sky", "###")), nil
	}
	masked, err := brokle.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := openai.NewClient(append(b.plain(), option.WithMiddleware(brokleopenai.Middleware(brokleopenai.WithClient(masked))))...)
	if answer, err := c.Chat.Completions.New(t.Context(), question("m")); err != nil || !strings.Contains(answer.Choices[0].Message.Content, "sky") {
		t.Errorf("the program got %v, %v", answer, err)
	}
	if err := masked.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ev := range b.Srv.Require(3) {
		if strings.Contains(string(ev.Payload), "sky") {
			t.Errorf("unmasked: %s", ev.Payload)
		}
	}
	_ = b.Client.Close(t.Context())
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

	client := openai.NewClient(option.WithBaseURL(provider.URL+"/v1"), option.WithAPIKey("sk-…"),
		option.WithMiddleware(brokleopenai.Middleware())) // the one line
	answer, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{
		Model: "gpt-4o-mini", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Why is the sky blue?")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Choices[0].Message.Content)
	_ = recorder.Close(context.Background())
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "call recorded")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// Output:
	// The sky is blue.
	// 1 call recorded
}
