package modelcall_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// transport is a RoundTripper that records.
type transport struct {
	r    *modelcall.Recorder
	base http.RoundTripper
}

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.r.Do(req, t.base.RoundTrip)
}

// bench is a provider, a client that records its calls, and where the records go.
type bench struct {
	*calltest.Bench
	http *http.Client // its calls are recorded
	r    *modelcall.Recorder
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.r = &modelcall.Recorder{Client: b.Client}
	b.http = &http.Client{Transport: transport{b.r, b.Base.Transport}}
	return b
}

func (b *bench) post(ctx context.Context, path, body string) (*http.Response, error) {
	b.T.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL+path, strings.NewReader(body))
	if err != nil {
		b.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return b.http.Do(req)
}

// recorded closes the client and returns what it sent of each observation, folded in the order of the events.
func (b *bench) recorded() (all []map[string]any) {
	b.T.Helper()
	if err := b.Client.Close(context.Background()); err != nil {
		b.T.Fatal(err)
	}
	at := map[string]int{}
	for _, ev := range b.Srv.Events() {
		var p map[string]any
		if err := json.Unmarshal(ev.Payload, &p); err != nil {
			b.T.Fatal(err)
		}
		id, _ := p["id"].(string)
		if ev.Type != brokle.ObservationCreate && ev.Type != brokle.ObservationComplete {
			continue
		}
		i, known := at[id]
		if !known {
			i = len(all)
			at[id] = i
			all = append(all, map[string]any{"ended": 0})
		}
		if ev.Type == brokle.ObservationComplete {
			all[i]["ended"] = all[i]["ended"].(int) + 1
		}
		for key, v := range p {
			if inner, ok := v.(map[string]any); ok && key == "attributes" && all[i][key] != nil {
				for k, v := range inner {
					all[i][key].(map[string]any)[k] = v
				}
				continue
			}
			all[i][key] = v
		}
	}
	return all
}

// one is recorded of exactly one call, which has ended once.
func (b *bench) one() map[string]any {
	b.T.Helper()
	all := b.recorded()
	if len(all) != 1 || all[0]["ended"] != 1 {
		b.T.Fatalf("%d observations, want 1 that has ended: %v", len(all), all)
	}
	return all[0]
}

// requireMembers fails the test unless got has the members of want, a JSON object. "" in it means: not there.
func requireMembers(t *testing.T, got map[string]any, want string) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(want), &members); err != nil {
		t.Fatal(err)
	}
	for key, v := range members {
		a, _ := json.Marshal(v)
		b, _ := json.Marshal(got[key])
		if string(a) != string(b) && (v != "" || got[key] != nil) {
			t.Errorf("%s is %s, want %s", key, b, a)
		}
	}
}

const (
	chatRequest     = `{"model":"%s","messages":[{"role":"user","content":"Why is the sky blue?"}],"temperature":0.5,"stream":%t,"stream_options":{"include_usage":true}}`
	messagesRequest = `{"model":"%s","max_tokens":100,"system":"Be short.","messages":[{"role":"user","content":"Why is the sky blue?"}],"stream":%t}`
	responseRequest = `{"model":"%s","instructions":"Be short.","input":"Why is the sky blue?","stream":%t}`
	geminiRequest   = `{"contents":[{"role":"user","parts":[{"text":"Why?"}]}],"generationConfig":{"temperature":0.5}}`

	openAIUsed = `"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":0}}`
	claudeUsed = `"usage":{"input_tokens":20,"cache_creation_input_tokens":10,"cache_read_input_tokens":80,"output_tokens":50}`
	geminiUsed = `"usage":{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":150}`
	toolsOut   = `"output":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"id":"call_2","type":"function","function":{"name":"get_time","arguments":"{}"}}]}`
	claudeOut  = `"output":{"role":"assistant","content":[{"type":"thinking","thinking":"Air scatters.","signature":"sig"},{"type":"text","text":"The sky is blue."}]}`
	geminiOut  = `"output":{"candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model","parts":[{"text":"Air scatters.","thought":true},{"text":"The sky is blue."}]}}]}`
)

// calls are calls of every shape, and what is recorded of them.
var calls = map[string]struct{ path, body, want string }{
	"chat": {"/v1/chat/completions", fmt.Sprintf(chatRequest, "gpt-4o-mini", false), `{"type":"generation","name":"chat gpt-4o-mini","requested_model":"gpt-4o-mini",
		"model":"gpt-4o-mini-2024-07-18","provider":"openai","response_id":"chatcmpl-1","finish_reason":"stop","service_tier":"default","input":[{"role":"user","content":"Why is the sky blue?"}],
		"model_parameters":{"temperature":0.5,"stream_options":{"include_usage":true}},"output":{"role":"assistant","content":"The sky is blue.","refusal":null},"level":"","time_to_first_token_ms":"",` + openAIUsed + `}`},
	"chat, streamed": {"/openai/v1/chat/completions", fmt.Sprintf(chatRequest, "gpt-4o-mini", true), `{"name":"chat gpt-4o-mini","model":"gpt-4o-mini-2024-07-18","response_id":"chatcmpl-1","service_tier":"default",
		"finish_reason":"stop","output":{"role":"assistant","content":"The sky is blue."},"status":"",` + openAIUsed + `}`},
	"chat, streamed without usage": {"/chat/completions", `{"model":"m","messages":[],"stream":true}`, `{"finish_reason":"stop","usage":"","output":{"role":"assistant","content":"The sky is blue."}}`},
	"chat with tools":              {"/v1/chat/completions", fmt.Sprintf(chatRequest, "m-tool", false), `{"finish_reason":"tool_calls",` + toolsOut + `,` + openAIUsed + `}`},
	"chat with tools, streamed":    {"/v1/chat/completions", fmt.Sprintf(chatRequest, "m-tool", true), `{"finish_reason":"tool_calls",` + toolsOut + `,` + openAIUsed + `}`},
	"chat of Azure": {"/openai/deployments/mine/chat/completions?api-version=2024-10-21", `{"messages":[],"tools":[{"type":"function"}]}`,
		`{"name":"chat mine","requested_model":"mine","input":{"messages":[],"tools":[{"type":"function"}]}}`},
	"responses": {"/v1/responses", fmt.Sprintf(responseRequest, "gpt-4o-mini", false), `{"name":"chat gpt-4o-mini","service_tier":"default","response_id":"resp_1","finish_reason":"stop","model":"gpt-4o-mini-2024-07-18",
		"input":{"instructions":"Be short.","input":"Why is the sky blue?"},"usage":{"input_tokens":100,"output_tokens":50,"total_tokens":150,"input_tokens_details":{"cached_tokens":80},"output_tokens_details":{"reasoning_tokens":30}},
		"output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"The sky is blue.","annotations":[]}]}]}`},
	"responses, streamed": {"/v1/responses", fmt.Sprintf(responseRequest, "gpt-4o-mini", true), `{"finish_reason":"stop","response_id":"resp_1",
		"output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"The sky is blue.","annotations":[]}]}]}`},
	"responses with a tool": {"/v1/responses", fmt.Sprintf(responseRequest, "m-tool", true), `{"finish_reason":"tool_calls",
		"output":[{"type":"function_call","id":"fc_1","call_id":"call_1","status":"completed","name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}]}`},
	"embeddings": {"/v1/embeddings", `{"model":"e","input":["a","b"]}`, `{"type":"embedding","name":"embeddings e","model":"e","input":["a","b"],"output":{"embeddings":2,"dimensions":3},"usage":{"prompt_tokens":12,"total_tokens":12}}`},
	"images": {"/v1/images/generations", `{"model":"i","prompt":"a sky","size":"1024x1024"}`, `{"type":"generation","name":"image_generation i","input":"a sky","model_parameters":{"size":"1024x1024"},
		"output":[{"b64_json":"(a medium, 8000 bytes)","revised_prompt":"a blue sky"}],"usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30}}`},
	"messages": {"/v1/messages", fmt.Sprintf(messagesRequest, "claude", false), `{"name":"chat claude","provider":"anthropic","response_id":"msg_1","model":"claude","finish_reason":"end_turn",
		"input":{"system":"Be short.","messages":[{"role":"user","content":"Why is the sky blue?"}]},"model_parameters":{"max_tokens":100},` + claudeOut + `,` + claudeUsed + `}`},
	"messages, streamed": {"/v1/messages", fmt.Sprintf(messagesRequest, "claude", true), `{"response_id":"msg_1","model":"claude","finish_reason":"end_turn",` + claudeOut + `,` + claudeUsed + `}`},
	"messages with tools": {"/v1/messages", fmt.Sprintf(messagesRequest, "claude-tool", true), `{"finish_reason":"tool_use",` + claudeUsed + `,
		"output":{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Oslo"}},{"type":"tool_use","id":"toolu_2","name":"get_time","input":{}}]}}`},
	"messages of Vertex": {"/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict", `{"messages":[]}`, `{"provider":"anthropic"}`},
	"gemini": {"/v1beta/models/gemini-3:generateContent", geminiRequest, `{"name":"generate_content gemini-3","provider":"google","requested_model":"gemini-3","model":"gemini-3","response_id":"gem_1","finish_reason":"STOP",
		"input":[{"role":"user","parts":[{"text":"Why?"}]}],"model_parameters":{"generationConfig":{"temperature":0.5}},` + geminiOut + `,` + geminiUsed + `}`},
	"gemini, streamed":           {"/v1beta/models/gemini-3:streamGenerateContent?alt=sse", geminiRequest, `{"finish_reason":"STOP",` + geminiOut + `,` + geminiUsed + `}`},
	"gemini, streamed as a list": {"/v1beta/models/gemini-3:streamGenerateContent", geminiRequest, `{"finish_reason":"STOP",` + geminiOut + `,` + geminiUsed + `}`},
	"gemini with tools": {"/v1beta/models/gemini-3-tool:streamGenerateContent?alt=sse", geminiRequest, `{"output":{"candidates":[{"index":0,"finishReason":"STOP",
		"content":{"role":"model","parts":[{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}},{"functionCall":{"name":"get_time","args":{}}}]}}]}}`},
	"gemini with media": {"/v1beta/models/m-media:generateContent", geminiRequest, `{"output":{"candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model",
		"parts":[{"text":"It is blue."},{"inlineData":{"mimeType":"image/png","data":"(a medium, 8000 bytes)"}},{"text":"As drawn."}]}}]}}`},
	"gemini blocks": {"/v1beta/models/m-blocked:streamGenerateContent?alt=sse", geminiRequest, `{"finish_reason":"PROHIBITED_CONTENT","level":"","status":"","output":{"candidates":[],"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}}`},
	"gemini embeds many": {"/v1beta/models/e:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}`,
		`{"type":"embedding","provider":"google","output":{"embeddings":2,"dimensions":3}}`},
	"vertex": {"/v1/projects/p/locations/l/publishers/google/models/gemini-3:generateContent", geminiRequest, `{"name":"generate_content gemini-3","provider":"vertex",` + geminiOut + `}`},
	"vertex embeds": {"/v1/publishers/google/models/text-embedding-005:predict", `{"instances":[{"content":"a"},{"content":"b"}]}`,
		`{"type":"embedding","name":"embeddings text-embedding-005","provider":"vertex","input":[{"content":"a"},{"content":"b"}],"output":{"embeddings":2,"dimensions":3},"usage":{"promptTokenCount":12}}`},
	"imagen": {"/v1beta/models/imagen-4:predict", `{"instances":[{"prompt":"a sky"}],"parameters":{"sampleCount":1}}`, `{"type":"generation","name":"image_generation imagen-4","provider":"google","input":[{"prompt":"a sky"}],
		"model_parameters":{"parameters":{"sampleCount":1}},"output":[{"mimeType":"image/png","bytesBase64Encoded":"(a medium, 8000 bytes)"}]}`},
	"gemini embeds": {"/v1beta/models/e:embedContent", `{"content":{"parts":[{"text":"a"}]}}`, `{"type":"embedding","output":{"embeddings":1,"dimensions":3}}`},
}

// A call of each shape is recorded as what it is, and the program gets the bytes that it gets without us.
func TestCallsOfEveryShapeAreRecordedAndNotChanged(t *testing.T) {
	t.Parallel()
	for name, tc := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			resp, err := b.post(t.Context(), tc.path, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			b.http.Transport = b.http.Transport.(transport).base
			plain, err := b.post(t.Context(), tc.path, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := io.ReadAll(plain.Body)
			plain.Body.Close()
			if !bytes.Equal(got, want) || len(want) == 0 || resp.Request.Body != nil && fmt.Sprintf("%T", resp.Request.Body) != fmt.Sprintf("%T", plain.Request.Body) {
				t.Errorf("the program got %q, want %q", got, want)
			}
			sent := b.Provider.Requests()
			if sent[0].Raw != sent[1].Raw || fmt.Sprint(sent[0].Header) != fmt.Sprint(sent[1].Header) {
				t.Errorf("the provider got %q %v, want %q %v", sent[0].Raw, sent[0].Header, sent[1].Raw, sent[1].Header)
			}
			o := b.one()
			requireMembers(t, o, tc.want)
			if streamed := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") && !strings.Contains(tc.path, "-blocked"); streamed != (o["time_to_first_token_ms"] != nil) {
				t.Errorf("time to first token %v", o["time_to_first_token_ms"])
			}
			if o["attributes"].(map[string]any)["http.response.status_code"] != 200.0 {
				t.Errorf("attributes %v", o["attributes"])
			}
		})
	}
}

func TestRefusalsAreErrorsOfTheProvidersKind(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ path, body, want string }{
		{"/v1/chat/completions", fmt.Sprintf(chatRequest, "m-400", false), `{"level":"ERROR","error_type":"invalid_request_error","status_message":"refused with 400","output":""}`},
		{"/v1/chat/completions", fmt.Sprintf(chatRequest, "m-401", true), `{"level":"ERROR","error_type":"invalid_request_error","status_message":"refused with 401"}`},
		{"/v1/chat/completions", fmt.Sprintf(chatRequest, "m-429", true), `{"level":"ERROR","error_type":"rate_limit_exceeded","status_message":"refused with 429"}`},
		{"/v1/responses", fmt.Sprintf(responseRequest, "m-500", true), `{"level":"ERROR","error_type":"server_error"}`},
		{"/v1/messages", fmt.Sprintf(messagesRequest, "m-400", false), `{"level":"ERROR","error_type":"invalid_request_error"}`},
		{"/v1/messages", fmt.Sprintf(messagesRequest, "m-401", false), `{"level":"ERROR","error_type":"authentication_error"}`},
		{"/v1/messages", fmt.Sprintf(messagesRequest, "m-429", true), `{"level":"ERROR","error_type":"rate_limit_error"}`},
		{"/v1/messages", fmt.Sprintf(messagesRequest, "m-529", true), `{"level":"ERROR","error_type":"overloaded_error","status_message":"refused with 529"}`},
		{"/v1beta/models/m-500:generateContent", geminiRequest, `{"level":"ERROR","error_type":"INTERNAL","status_message":"refused with 500"}`},
	} {
		b := newBench(t)
		resp, err := b.post(t.Context(), tc.path, tc.body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !bytes.Contains(text, []byte("refused")) || resp.StatusCode < 400 {
			t.Errorf("the program got %d %s", resp.StatusCode, text)
		}
		requireMembers(t, b.one(), tc.want)
	}
	b := newBench(t) // closed unread, as a client does that tries again
	resp, err := b.post(t.Context(), "/v1/chat/completions", fmt.Sprintf(chatRequest, "m-429", true))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	requireMembers(t, b.one(), `{"level":"ERROR","error_type":"429","status_message":"Too Many Requests"}`)
}

// A stream that breaks is an error, with what came of it; one that the program leaves is aborted.
func TestStreamsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ path, body, cut, left string }{
		{"/v1/chat/completions", chatRequest, `{"role":"assistant","content":"The sky"}`, `{"role":"assistant","content":"The"}`},
		{"/v1/responses", responseRequest, `{"role":"assistant","content":"The sky"}`, `{"role":"assistant","content":"The"}`},
		{"/v1/messages", messagesRequest, `{"role":"assistant","content":[{"type":"thinking","thinking":"Air scatters.","signature":""}]}`, `{"role":"assistant","content":[{"type":"thinking","thinking":"Air ","signature":""}]}`},
	} {
		t.Run(tc.path, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			resp, err := b.post(t.Context(), tc.path, fmt.Sprintf(tc.body, "m-cut", true))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the program got %v", err)
			}
			resp.Body.Close()
			requireMembers(t, b.one(), `{"level":"ERROR","status":"","status_message":"unexpected EOF","output":`+tc.cut+`}`)

			for name, leave := range map[string]func(resp *http.Response, cancel func()){
				"closed":                  func(resp *http.Response, _ func()) { resp.Body.Close() },
				"cancelled":               func(_ *http.Response, cancel func()) { cancel() },
				"cancelled while it read": func(resp *http.Response, cancel func()) { cancel(); _, _ = io.ReadAll(resp.Body) },
			} {
				b := newBench(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				resp, err := b.post(ctx, tc.path, fmt.Sprintf(tc.body, "m-hold", true))
				if err != nil {
					t.Fatal(err)
				}
				readUntil(t, resp.Body, "delta", tc.left)
				leave(resp, cancel)
				if err := b.Srv.Wait(t.Context(), 3); err != nil { // trace, start and end come without another call of ours
					t.Fatalf("%s: %v", name, err)
				}
				resp.Body.Close()
				requireMembers(t, b.one(), `{"level":"","status":"aborted","output":`+tc.left+`}`)
			}
		})
	}
}

// readUntil reads a stream up to its first token: the text of want is in it.
func readUntil(t *testing.T, r io.Reader, _, want string) {
	t.Helper()
	token := "Air "
	if !strings.Contains(want, token) {
		token = "The"
	}
	var got []byte
	for !bytes.Contains(got, []byte(`"`+token+`"`)) {
		p := make([]byte, 100)
		n, err := r.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
	rest := make([]byte, 1)
	for !bytes.HasSuffix(got, []byte("\n\n")) {
		if _, err := io.ReadFull(r, rest); err != nil {
			t.Fatal(err)
		}
		got = append(got, rest...)
	}
}

// The first token reaches the program before the provider sends the second: nothing is held back.
func TestAStreamIsNotHeldBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	resp, err := b.post(t.Context(), "/v1/chat/completions", fmt.Sprintf(chatRequest, "m-hold", true))
	if err != nil {
		t.Fatal(err)
	}
	readUntil(t, resp.Body, "", "")
	b.Provider.Release()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	requireMembers(t, b.one(), `{"finish_reason":"stop","status":"","output":{"role":"assistant","content":"The sky is blue."}}`)
}

func TestWithoutContentNothingThatWasSaidIsRecorded(t *testing.T) {
	t.Parallel()
	for name, tc := range calls {
		b := newBench(t)
		b.r.NoContent = true
		resp, err := b.post(t.Context(), tc.path, tc.body)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
		resp.Body.Close()
		o := b.one()
		text, _ := json.Marshal(o)
		for _, said := range []string{"sky", "Air", "Oslo", "get_", "Why", "short", `"a"`, "tools"} {
			if bytes.Contains(text, []byte(said)) {
				t.Errorf("%s: %q was recorded: %s", name, said, text)
			}
		}
		if o["input"] != nil || o["output"] != nil || o["model"] == nil && o["requested_model"] == nil && !strings.Contains(tc.path, "claude") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Who gets no answer has an error, and who gave up none.
func TestCallsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refused := errors.New("connection refused")
	b.http.Transport = transport{b.r, failing{refused}}
	if _, err := b.post(t.Context(), "/v1/chat/completions", fmt.Sprintf(chatRequest, "m", false)); !errors.Is(err, refused) {
		t.Errorf("the program got %v", err)
	}
	requireMembers(t, b.one(), `{"level":"ERROR","status_message":"connection refused","requested_model":"m"}`)

	b = newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.post(ctx, "/v1/chat/completions", fmt.Sprintf(chatRequest, "m", false)); !errors.Is(err, context.Canceled) {
		t.Errorf("the program got %v", err)
	}
	requireMembers(t, b.one(), `{"level":"","status":"aborted"}`)

	b = newBench(t)
	ctx, cancel = context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := b.post(ctx, "/v1/chat/completions", fmt.Sprintf(chatRequest, "m", false)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the program got %v", err)
	}
	requireMembers(t, b.one(), `{"level":"ERROR","error_type":"DeadlineExceeded"}`)
}

type failing struct{ err error }

func (f failing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	return nil, f.err
}

// Calls at once, below one span, are each their own; a recorder within a recorder records nothing of its own.
func TestParallelCallsAreEachTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.r.Client = nil
	b.http.Transport = transport{b.r, b.http.Transport}
	ctx, span := b.Client.StartSpan(t.Context(), "pool")
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			resp, err := b.post(ctx, "/v1/chat/completions", fmt.Sprintf(chatRequest, fmt.Sprint("m", i), i%2 == 0))
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.ReadAll(resp.Body)
			resp.Body.Close()
		})
	}
	wg.Wait()
	span.End()
	names := map[any]bool{}
	all := b.recorded()
	for _, o := range all {
		names[o["name"]] = true
		if o["name"] != "pool" && (o["parent_observation_id"] != span.ID() || o["ended"] != 1 || o["model"] != o["requested_model"]) {
			t.Errorf("%v", o)
		}
	}
	if len(names) != 17 || len(all) != 17 {
		t.Errorf("recorded %d: %v", len(all), names)
	}
}

// What is no call, and what nobody records, passes untouched.
func TestWhatIsNoCallPasses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, path := range []string{"/v1/models", "/api/responses", "/messages", "/completions", "/v1/messages/count_tokens", "/v1/files", "/v1beta/models/m:countTokens", "/v1/projects/p/locations/l/endpoints/7:predict"} {
		resp, err := b.post(t.Context(), path, `{"model":"m"}`)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if all := b.recorded(); len(all) != 0 { // which closes the client, and so
		t.Errorf("recorded %v", all)
	}
	seen := 0
	next := func(req *http.Request) (*http.Response, error) { seen++; return nil, errors.New("no") }
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x.test/v1/chat/completions", strings.NewReader("{}"))
	got := req
	_, _ = b.r.Do(req, func(r *http.Request) (*http.Response, error) { got = r; return next(r) })
	if got != req || seen != 1 {
		t.Error("a closed client still watches")
	}
}

// A body longer than what is copied passes whole; what its end says is still read.
func TestLongBodiesPassWholeAndAreReadInPart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	answer := `{"object":"list","data":[{"embedding":[` + strings.TrimSuffix(strings.Repeat("0.25,", 2<<20), ",") + `]}],"model":"e-1","usage":{"prompt_tokens":7,"total_tokens":7}}`
	b.http.Transport = transport{b.r, answering{answer}}
	body := `{"model":"e","input":"` + strings.Repeat("data:image/png;base64,AAAA", 300_000) + `","user":"late"}`
	resp, err := b.post(t.Context(), "/v1/embeddings", body)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(got) != answer {
		t.Errorf("%d bytes passed, want %d", len(got), len(answer))
	}
	requireMembers(t, b.one(), `{"requested_model":"e","model":"e-1","input":"","output":"","usage":{"prompt_tokens":7,"total_tokens":7},
		"attributes":{"brokle.input_cut":true,"brokle.output_cut":true,"http.response.status_code":200}}`)
}

type answering struct{ body string }

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}
