package brokleanthropic_test

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

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/bedrock"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/vertex"
	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleanthropic"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

// Google's credentials, of which Vertex's package makes use, start a goroutine when they are imported.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// bench is a provider, Anthropic's client of it that is recorded, and where the records go.
type bench struct {
	*calltest.Bench
	anthropic anthropic.Client
}

func newBench(t *testing.T, opts ...brokleanthropic.Option) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.anthropic = anthropic.NewClient(b.with(opts, option.WithAPIKey("sk-test"), option.WithBaseURL(b.URL))...)
	return b
}

// with are the options of a client that is recorded: the middleware stands before those that say who is called.
func (b *bench) with(opts []brokleanthropic.Option, more ...option.RequestOption) []option.RequestOption {
	middleware := option.WithMiddleware(brokleanthropic.Middleware(append(opts, brokleanthropic.WithClient(b.Client))...))
	return append([]option.RequestOption{middleware, option.WithHTTPClient(b.Base), option.WithMaxRetries(0)}, more...)
}

func question(model string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: anthropic.Model(model), MaxTokens: 100, System: []anthropic.TextBlockParam{{Text: "Be short."}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Why is the sky blue?"))}}
}

// requireAnswer fails the test unless c is a call of model that was answered with thinking and a text.
func requireAnswer(t *testing.T, c *calltest.Call, model, provider string) {
	t.Helper()
	var out struct {
		Content []struct{ Type, Text, Thinking string }
	}
	_ = json.Unmarshal(c.Output, &out)
	if len(out.Content) != 2 || out.Content[0].Thinking != "Air scatters." || out.Content[1].Text != "The sky is blue." {
		t.Errorf("output %s", c.Output)
	}
	if c.Name != "chat "+model || c.Type != brokle.TypeGeneration || c.RequestedModel != model || c.Model != model || c.Provider != provider || c.ResponseID != "msg_1" || c.FinishReason != "end_turn" ||
		!strings.Contains(string(c.Input), "Be short.") || !strings.Contains(string(c.Input), "Why is the sky blue?") || !sameCounts(c.Usage) {
		t.Errorf("%+v", c.Observation)
	}
}

func sameCounts(usage json.RawMessage) bool {
	var u map[string]int
	return json.Unmarshal(usage, &u) == nil && u["input_tokens"] == 20 && u["cache_read_input_tokens"] == 80 && u["cache_creation_input_tokens"] == 10 && u["output_tokens"] == 50
}

// accumulate reads a stream as programs do.
func accumulate(t *testing.T, ctx context.Context, c *anthropic.Client, model string) (anthropic.Message, error) {
	t.Helper()
	stream := c.Messages.NewStreaming(ctx, question(model))
	defer stream.Close()
	var m anthropic.Message
	for stream.Next() {
		if err := m.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	return m, stream.Err()
}

func TestMessages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m, err := b.anthropic.Messages.New(t.Context(), question("claude-x"))
	if err != nil || len(m.Content) != 2 || m.Usage.CacheReadInputTokens != 80 {
		t.Fatalf("%v, %+v", err, m)
	}
	c := b.One()
	requireAnswer(t, c, "claude-x", "anthropic")
	if c.TimeToFirstTokenMS != nil {
		t.Error("what came at once has no first token")
	}
}

func TestMessagesStreamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m, err := accumulate(t, t.Context(), &b.anthropic, "claude-x")
	if err != nil || len(m.Content) != 2 || m.Content[1].Text != "The sky is blue." {
		t.Fatalf("%v, %+v", err, m)
	}
	c := b.One()
	requireAnswer(t, c, "claude-x", "anthropic")
	if c.TimeToFirstTokenMS == nil || c.Status != "" {
		t.Errorf("%+v", c.Observation)
	}
}

func TestToolsInPieces(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m, err := accumulate(t, t.Context(), &b.anthropic, "claude-tool")
	if err != nil || len(m.Content) != 2 || string(m.Content[0].Input) != `{"city": "Oslo"}` {
		t.Fatalf("%v, %+v", err, m)
	}
	c := b.One()
	var out struct {
		Content []struct {
			ID, Name string
			Input    map[string]string
		}
	}
	if err := json.Unmarshal(c.Output, &out); err != nil || len(out.Content) != 2 || out.Content[0].Input["city"] != "Oslo" || out.Content[1].Name != "get_time" || c.FinishReason != "tool_use" {
		t.Errorf("%v: %s %s", err, c.Output, c.FinishReason)
	}
}

// By Bedrock and Vertex a call is the same, and who runs it is told by the address.
func TestBedrockAndVertex(t *testing.T) {
	t.Parallel()
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
	})
	token := &google.Credentials{ProjectID: "p", TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})}
	for name, tc := range map[string]struct {
		by             option.RequestOption
		model          string
		whole, streams string
	}{
		"bedrock": {bedrock.WithConfig(aws.Config{Region: "eu-west-1", Credentials: credentials}), "anthropic.claude-x", "/model/anthropic.claude-x/invoke", "/model/anthropic.claude-x/invoke-with-response-stream"},
		"vertex": {vertex.WithCredentials(t.Context(), "europe-west1", "p", token), "claude-x",
			"/v1/projects/p/locations/europe-west1/publishers/anthropic/models/claude-x:rawPredict", "/v1/projects/p/locations/europe-west1/publishers/anthropic/models/claude-x:streamRawPredict"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Base.Transport = elsewhere{b.URL, b.Base.Transport}
			c := anthropic.NewClient(b.with(nil, tc.by, option.WithHTTPClient(b.Base))...)
			if _, err := c.Messages.New(t.Context(), question(tc.model)); err != nil {
				t.Fatal(err)
			}
			if m, err := accumulate(t, t.Context(), &c, tc.model); err != nil || len(m.Content) != 2 {
				t.Fatalf("%v, %+v", err, m)
			}
			if got := b.Provider.Requests(); got[0].Path != tc.whole || got[1].Path != tc.streams {
				t.Errorf("asked at %s and %s", got[0].Path, got[1].Path)
			}
			all := b.Recorded()
			if len(all) != 2 || all[1].TimeToFirstTokenMS == nil {
				t.Fatalf("%d calls: %+v", len(all), all)
			}
			for _, c := range all {
				requireAnswer(t, c, tc.model, name)
			}
		})
	}
}

// elsewhere sends every request to one server, whatever its address says.
type elsewhere struct {
	url  string
	base http.RoundTripper
}

func (e elsewhere) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host = "http", strings.TrimPrefix(e.url, "http://")
	return e.base.RoundTrip(out)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for status, typ := range map[int]string{400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"} {
		b := newBench(t)
		_, err := b.anthropic.Messages.New(t.Context(), question(fmt.Sprint("m-", status)))
		var refused *anthropic.Error
		if !errors.As(err, &refused) || refused.StatusCode != status {
			t.Errorf("the program got %v", err)
		}
		if c := b.One(); c.Level != brokle.LevelError || c.ErrorType != typ || c.StatusMessage != fmt.Sprint("refused with ", status) {
			t.Errorf("%d: %+v", status, c.Observation)
		}
	}
}

func TestStreamsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := accumulate(t, t.Context(), &b.anthropic, "m-cut"); err == nil {
		t.Error("the program got no error")
	}
	if c := b.One(); c.Level != brokle.LevelError || !strings.Contains(string(c.Output), "Air scatters.") {
		t.Errorf("%+v", c.Observation)
	}
	for name, leave := range map[string]func(close, cancel func()){"closed": func(close, _ func()) { close() }, "cancelled": func(_, cancel func()) { cancel() }} {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream := b.anthropic.Messages.NewStreaming(ctx, question("m-hold"))
		for stream.Next() && stream.Current().Delta.Thinking != "Air " {
		}
		leave(func() { stream.Close() }, cancel)
		if err := b.Srv.Wait(t.Context(), 3); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		stream.Close()
		if c := b.One(); c.Status != "aborted" || !strings.Contains(string(c.Output), `"Air "`) || !strings.Contains(string(c.Usage), `"input_tokens":20`) {
			t.Errorf("%s: %+v", name, c.Observation)
		}
	}
}

func TestCallsInGoroutinesAndWithoutContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, brokleanthropic.WithContent(false), brokleanthropic.WithOptions(brokle.Tags("pool")))
	ctx, span := b.Client.StartSpan(t.Context(), "pool")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := b.anthropic.Messages.New(ctx, question(fmt.Sprint("m", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	span.End()
	below := map[string]bool{}
	for _, c := range b.Recorded() {
		if c.ParentObservationID == span.ID() && c.Ends == 1 && c.Model == c.RequestedModel && c.Input == nil && c.Output == nil && sameCounts(c.Usage) && c.Tags[0] == "pool" {
			below[c.Model] = true
		}
	}
	if len(below) != 8 {
		t.Errorf("below the span: %v", below)
	}
}

func Example() {
	provider := httptest.NewServer(standin.New()) // stands for Anthropic
	defer provider.Close()
	srv := brokletest.New()
	recorder, err := brokle.New(srv.Config()) // brokle.New(brokle.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	brokle.SetDefault(recorder)
	defer brokle.SetDefault(nil)

	client := anthropic.NewClient(option.WithBaseURL(provider.URL), option.WithAPIKey("sk-…"),
		option.WithMiddleware(brokleanthropic.Middleware())) // the one line
	answer, err := client.Messages.New(context.Background(), anthropic.MessageNewParams{
		Model: "claude-sonnet-4-5", MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Why is the sky blue?"))},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Content[1].Text)
	_ = recorder.Close(context.Background())
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "call recorded")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// Output:
	// The sky is blue.
	// 1 call recorded
}
