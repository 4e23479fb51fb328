package broklegenai_test

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
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"
	"go.uber.org/goleak"
	"google.golang.org/genai"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklegenai"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

// Google's credentials start a goroutine when they are imported.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// bench is a provider, Google's client of it that is recorded, and where the records go.
type bench struct {
	*calltest.Bench
	genai *genai.Client
}

func newBench(t *testing.T, opts ...broklegenai.Option) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.genai = b.open(&genai.ClientConfig{Backend: genai.BackendGeminiAPI, APIKey: "k-test", HTTPClient: b.recorded(opts...)})
	return b
}

func (b *bench) recorded(opts ...broklegenai.Option) *http.Client {
	return broklegenai.HTTPClient(b.Base, append(opts, broklegenai.WithClient(b.Client))...)
}

func (b *bench) open(cfg *genai.ClientConfig) *genai.Client {
	b.T.Helper()
	cfg.HTTPOptions.BaseURL = b.URL
	c, err := genai.NewClient(b.T.Context(), cfg)
	if err != nil {
		b.T.Fatal(err)
	}
	return c
}

func short() *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText("Be short.", ""), Temperature: genai.Ptr[float32](0.5), CachedContent: "cachedContents/c1"}
}

func question() []*genai.Content { return genai.Text("Why is the sky blue?") }

func counts(t *testing.T, c *calltest.Call) (u map[string]any) {
	t.Helper()
	if err := json.Unmarshal(c.Usage, &u); err != nil {
		t.Fatalf("%v: %s", err, c.Usage)
	}
	return u
}

// sorted is a JSON text with the members of its objects in the order of their names.
func sorted(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

const answered = `{"candidates":[{"content":{"parts":[{"text":"Air scatters.","thought":true},{"text":"The sky is blue."}],"role":"model"},"finishReason":"STOP","index":0}]}`

// requireAnswer fails the test unless c is a call of model that was answered with a thought and a text.
func requireAnswer(t *testing.T, c *calltest.Call, model, provider string) {
	t.Helper()
	if c.Name != "generate_content "+model || c.Type != brokle.TypeGeneration || c.RequestedModel != model || c.Model != model || c.Provider != provider || c.ResponseID != "gem_1" || c.FinishReason != "STOP" ||
		!strings.Contains(string(c.Input), "Be short.") || !strings.Contains(string(c.Input), "Why is the sky blue?") || sorted(c.Output) != answered || !strings.Contains(string(c.ModelParameters), `"cachedContent"`) {
		t.Errorf("%+v: %s, %s, %s", c.Observation, c.Input, c.Output, c.ModelParameters)
	}
	if u := counts(t, c); u["promptTokenCount"] != 100. || u["cachedContentTokenCount"] != 80. || u["candidatesTokenCount"] != 20. || u["thoughtsTokenCount"] != 30. {
		t.Errorf("%v", u)
	}
}

func TestGenerateContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r, err := b.genai.Models.GenerateContent(t.Context(), "gemini-2.5-flash", question(), short())
	if err != nil || r.Text() != "The sky is blue." || r.UsageMetadata.CachedContentTokenCount != 80 {
		t.Fatalf("%v, %+v", err, r)
	}
	c := b.One()
	requireAnswer(t, c, "gemini-2.5-flash", "google")
	if c.TimeToFirstTokenMS != nil {
		t.Error("what came at once has no first token")
	}
}

func TestGenerateContentStream(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	said := ""
	for r, err := range b.genai.Models.GenerateContentStream(t.Context(), "gemini-2.5-flash", question(), short()) {
		if err != nil {
			t.Fatal(err)
		}
		said += r.Text()
	}
	if said != "The sky is blue." {
		t.Errorf("the program got %q", said)
	}
	c := b.One()
	requireAnswer(t, c, "gemini-2.5-flash", "google")
	if c.TimeToFirstTokenMS == nil || c.Status != "" {
		t.Errorf("%+v", c.Observation)
	}
}

func TestFunctionCalls(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(b *bench, cfg *genai.GenerateContentConfig) (calls []*genai.FunctionCall, err error){
		"at once": func(b *bench, cfg *genai.GenerateContentConfig) ([]*genai.FunctionCall, error) {
			r, err := b.genai.Models.GenerateContent(t.Context(), "m-tool", question(), cfg)
			return r.FunctionCalls(), err
		},
		"streamed": func(b *bench, cfg *genai.GenerateContentConfig) (calls []*genai.FunctionCall, err error) {
			for r, err := range b.genai.Models.GenerateContentStream(t.Context(), "m-tool", question(), cfg) {
				if err != nil {
					return nil, err
				}
				calls = append(calls, r.FunctionCalls()...)
			}
			return calls, nil
		},
	} {
		b := newBench(t)
		calls, err := ask(b, &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "get_weather"}, {Name: "get_time"}}}}})
		if err != nil || len(calls) != 2 || calls[0].Args["city"] != "Oslo" {
			t.Fatalf("%s: %v, %+v", name, err, calls)
		}
		if c := b.One(); !strings.Contains(string(c.Output), `{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}}`) || !strings.Contains(string(c.Input), `"get_time"`) {
			t.Errorf("%s: %s, %s", name, c.Input, c.Output)
		}
	}
}

// Sound goes in, an image comes between texts: what is said of them is kept, in order, and not they themselves.
func TestMedia(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	parts := []*genai.Part{genai.NewPartFromText("What is this?"), genai.NewPartFromBytes([]byte(strings.Repeat("sound", 2000)), "audio/wav")}
	r, err := b.genai.Models.GenerateContent(t.Context(), "m-media", []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}, nil)
	if err != nil || len(r.Candidates[0].Content.Parts) != 3 || len(r.Candidates[0].Content.Parts[1].InlineData.Data) != 6000 {
		t.Fatalf("%v, %+v", err, r)
	}
	c := b.One()
	const want = `[{"text":"It is blue."},{"inlineData":{"data":"(a medium, 8000 bytes)","mimeType":"image/png"}},{"text":"As drawn."}]`
	if !strings.Contains(sorted(c.Output), want) || len(c.Input) > 500 || !strings.Contains(string(c.Input), "audio/wav") {
		t.Errorf("%s, %s", c.Input, c.Output)
	}
	if u := counts(t, c); u["toolUsePromptTokenCount"] != 40. || fmt.Sprint(u["promptTokensDetails"]) != "[map[modality:TEXT tokenCount:70] map[modality:AUDIO tokenCount:30]]" {
		t.Errorf("%v", u)
	}
}

func TestABlockedPromptIsAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for r, err := range b.genai.Models.GenerateContentStream(t.Context(), "m-blocked", question(), nil) {
		if err != nil || r.PromptFeedback.BlockReason != genai.BlockedReasonProhibitedContent {
			t.Fatalf("%v, %+v", err, r)
		}
	}
	if c := b.One(); c.FinishReason != "PROHIBITED_CONTENT" || c.Level != "" || sorted(c.Output) != `{"candidates":[],"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}` {
		t.Errorf("%+v, %s", c.Observation, c.Output)
	}
}

// What generates nothing is no call; embeddings and images are, on both backends, which ask for them by other paths.
func TestEmbeddingsImagesAndCounting(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	vertex := b.open(&genai.ClientConfig{Backend: genai.BackendVertexAI, Project: "p", Location: "l", HTTPClient: b.recorded()})
	two := []*genai.Content{question()[0], question()[0]}
	for _, c := range []*genai.Client{b.genai, vertex} {
		if n, err := c.Models.CountTokens(t.Context(), "m", question(), nil); err != nil || n.TotalTokens != 12 {
			t.Fatalf("%v, %+v", err, n)
		}
		if e, err := c.Models.EmbedContent(t.Context(), "text-embedding-005", two, nil); err != nil || len(e.Embeddings) != 2 || len(e.Embeddings[0].Values) != 3 {
			t.Fatalf("%v, %+v", err, e)
		}
	}
	if i, err := vertex.Models.GenerateImages(t.Context(), "imagen-4.0-generate-001", "a sky", nil); err != nil || len(i.GeneratedImages[0].Image.ImageBytes) != 6000 {
		t.Fatalf("%v, %+v", err, i)
	}
	if e, err := vertex.Models.EmbedContent(t.Context(), "gemini-embedding-2", question(), nil); err != nil || len(e.Embeddings) != 1 {
		t.Fatalf("%v, %+v", err, e)
	}
	got := ""
	for _, c := range b.Recorded() {
		if !strings.Contains(string(c.Input), "sky") || len(c.Output) > 200 || c.Ends != 1 {
			t.Errorf("%s: %s, %s", c.Name, c.Input, c.Output)
		}
		got += fmt.Sprintln(c.Provider, c.Type, c.Name, sorted(c.Output), sorted(c.Usage))
	}
	const image = `[{"bytesBase64Encoded":"(a medium, 8000 bytes)","mimeType":"image/png"}]`
	if want := `google embedding embeddings text-embedding-005 {"dimensions":3,"embeddings":2} 
vertex embedding embeddings text-embedding-005 {"dimensions":3,"embeddings":2} {"promptTokenCount":12}
vertex generation image_generation imagen-4.0-generate-001 ` + image + ` 
vertex embedding embeddings gemini-embedding-2 {"dimensions":3,"embeddings":1} 
`; got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// The token stays with the transport that has it: it is put on the request before ours, and reaches the provider, not the records.
func TestCredentialsOfVertexAreTheClientsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hc := b.recorded()
	creds := auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: token{}})
	if err := httptransport.AddAuthorizationMiddleware(hc, creds); err != nil { // what genai's UseDefaultCredentials does with those that it finds
		t.Fatal(err)
	}
	c := b.open(&genai.ClientConfig{Backend: genai.BackendVertexAI, Project: "p", Location: "l", HTTPClient: hc})
	if r, err := c.Models.GenerateContent(t.Context(), "gemini-2.5-flash", question(), short()); err != nil || r.Text() != "The sky is blue." {
		t.Fatalf("%v, %+v", err, r)
	}
	sent := b.Provider.Requests()[0]
	if got := sent.Header.Get("Authorization"); got != "Bearer secret-token" || sent.Path != "/v1beta1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent" {
		t.Errorf("%q at %s", got, sent.Path)
	}
	requireAnswer(t, b.One(), "gemini-2.5-flash", "vertex")
	for _, ev := range b.Srv.Events() {
		if strings.Contains(string(ev.Payload), "secret-token") {
			t.Errorf("recorded: %s", ev.Payload)
		}
	}
}

type token struct{}

func (token) Token(context.Context) (*auth.Token, error) {
	return &auth.Token{Value: "secret-token", Type: "Bearer", Expiry: time.Now().Add(time.Hour)}, nil
}

// The program gets the errors of its client, and each try is an observation.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for status, typ := range map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 529: "UNAVAILABLE"} {
		b := newBench(t)
		_, err := b.genai.Models.GenerateContent(t.Context(), fmt.Sprint("m-", status), question(), nil)
		var refused genai.APIError
		if !errors.As(err, &refused) || refused.Code != status || refused.Message != fmt.Sprint("refused with ", status) {
			t.Errorf("the program got %v", err)
		}
		if c := b.One(); c.Level != brokle.LevelError || c.ErrorType != typ || c.StatusMessage != refused.Message {
			t.Errorf("%d: %+v", status, c.Observation)
		}
	}
	b := newBench(t)
	again := &genai.GenerateContentConfig{HTTPOptions: &genai.HTTPOptions{RetryOptions: &genai.HTTPRetryOptions{Attempts: genai.Ptr[int32](2), InitialDelay: genai.Ptr(0.001), Jitter: genai.Ptr(0.001)}}}
	if _, err := b.genai.Models.GenerateContent(t.Context(), "m-500", question(), again); err == nil {
		t.Error("no error")
	}
	all := b.Recorded()
	if len(all) != 2 || len(b.Provider.Requests()) != 2 || !strings.Contains(string(all[1].Input), "Why is the sky blue?") || all[1].Ends != 1 {
		t.Fatalf("%d calls, %d requests", len(all), len(b.Provider.Requests()))
	}
}

func TestStreamsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var failed error
	for _, err := range b.genai.Models.GenerateContentStream(t.Context(), "m-cut", question(), nil) {
		failed = err
	}
	if failed == nil {
		t.Error("the program got no error")
	}
	if c := b.One(); c.Level != brokle.LevelError || !strings.Contains(string(c.Output), "The sky") {
		t.Errorf("%+v, %s", c.Observation, c.Output)
	}
	for name, cancels := range map[string]bool{"left": false, "cancelled": true} {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, err := range b.genai.Models.GenerateContentStream(ctx, "m-hold", question(), nil) {
			if !cancels {
				break
			}
			if cancel(); err != nil {
				break
			}
		}
		if err := b.Srv.Wait(t.Context(), 3); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c := b.One(); c.Status != "aborted" || c.Level != "" || !strings.Contains(string(c.Output), `"Air scatters."`) {
			t.Errorf("%s: %+v, %s", name, c.Observation, c.Output)
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
			if _, err := b.genai.Models.GenerateContent(ctx, fmt.Sprint("m", i), question(), nil); err != nil {
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

func TestContentSwitchedOff(t *testing.T) {
	t.Parallel()
	off := []broklegenai.Option{broklegenai.WithContent(false), broklegenai.WithOptions(brokle.Tags("vision"))}
	b := newBench(t, off...)
	vertex := b.open(&genai.ClientConfig{Backend: genai.BackendVertexAI, Project: "p", Location: "l", HTTPClient: b.recorded(off...)})
	for _, model := range []string{"m", "m-blocked", "imagen-m"} {
		var err error
		if strings.HasPrefix(model, "imagen") {
			_, err = vertex.Models.GenerateImages(t.Context(), model, "a sky", nil)
		} else {
			_, err = b.genai.Models.GenerateContent(t.Context(), model, question(), short())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	all := b.Recorded()
	for _, c := range all {
		if text, _ := json.Marshal(c); c.Input != nil || c.Output != nil || c.RequestedModel == "" || c.Tags[0] != "vision" || strings.Contains(string(text), "sky") || strings.Contains(string(text), "short") {
			t.Errorf("%s", text)
		}
	}
	if len(all) != 3 || len(all[0].Usage) == 0 || all[0].FinishReason != "STOP" {
		t.Errorf("%d calls", len(all))
	}
}

// A client that is closed, and a base of which only a copy is changed.
func TestWhatIsNotRecordedPassesUntouched(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	base := &http.Client{Transport: b.Base.Transport, Timeout: time.Minute}
	if c := broklegenai.HTTPClient(base); base.Transport != b.Base.Transport || c.Timeout != time.Minute {
		t.Error("the base was changed, or not copied")
	}
	if all := b.Recorded(); len(all) != 0 { // which closes the client
		t.Errorf("%v", all)
	}
	if r, err := b.genai.Models.GenerateContent(t.Context(), "m", question(), nil); err != nil || r.Text() != "The sky is blue." {
		t.Errorf("%v, %+v", err, r)
	}
}

func Example() {
	provider := httptest.NewServer(standin.New()) // stands for the Gemini API
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
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: "…", HTTPOptions: genai.HTTPOptions{BaseURL: provider.URL},
		HTTPClient: broklegenai.HTTPClient(nil), // the one line
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := client.Models.GenerateContent(ctx, "gemini-2.5-flash", genai.Text("Why is the sky blue?"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Text())
	_ = recorder.Close(ctx)
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "call recorded")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// Output:
	// The sky is blue.
	// 1 call recorded
}
