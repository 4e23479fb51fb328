package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

type recording struct{ modelcall.Recorder }

func (r *recording) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.Do(req, http.DefaultTransport.RoundTrip)
}

// What our integrations record of a call of each provider is shown by the server as the same: models, counts, messages, finish reason,
// and a cost by the price book.
func TestRecordedCallsMeanTheSame(t *testing.T) {
	n := startNode(t, t.TempDir())
	client, err := brokle.New(brokle.Config{APIKey: rig.Key, Host: n.URL})
	if err != nil {
		t.Fatal(err)
	}
	provider := httptest.NewServer(standin.New())
	defer provider.Close()
	const (
		chat     = `{"model":"%s","messages":[{"role":"system","content":"Be short."},{"role":"user","content":"Why?"}],"stream":%t,"stream_options":{"include_usage":true}}`
		messages = `{"model":"%s","system":"Be short.","messages":[{"role":"user","content":"Why?"}],"stream":%t}`
		openAI   = `{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"cache_read_tokens":80,"reasoning_tokens":30,"cost_source":"computed","token_source":"reported","status":"ok"}`
		claude   = `{"prompt_tokens":110,"completion_tokens":50,"cache_read_tokens":80,"cache_write_tokens":10,"cost_source":"computed"}`
		gemini   = `{"prompt_tokens":100,"completion_tokens":50,"cache_read_tokens":80,"reasoning_tokens":30,"finish_reason":"stop"}`
	)
	for name, tc := range map[string]struct{ path, body, want, says string }{
		"chat":      {"/v1/chat/completions", fmt.Sprintf(chat, "gpt-4o-mini", false), openAI, "system user assistant: The sky is blue."},
		"stream":    {"/v1/chat/completions", fmt.Sprintf(chat, "gpt-4o-mini", true), openAI, "system user assistant: The sky is blue."},
		"responses": {"/v1/responses", `{"model":"gpt-4o-mini","instructions":"Be short.","input":"Why?"}`, openAI, "system user assistant: The sky is blue."},
		"messages":  {"/v1/messages", fmt.Sprintf(messages, "claude-sonnet-4-5", false), claude, "system user assistant: The sky is blue."},
		"mstream":   {"/v1/messages", fmt.Sprintf(messages, "claude-sonnet-4-5", true), claude, "system user assistant: The sky is blue."},
		"gemini": {"/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", `{"systemInstruction":{"parts":[{"text":"Be short."}]},"contents":[{"role":"user","parts":[{"text":"Why?"}]}]}`,
			gemini, "system user assistant: The sky is blue."},
		"media": {"/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash-media:generateContent", `{"contents":[{"role":"user","parts":[{"text":"Why?"}]}]}`,
			`{"provider":"vertex","prompt_tokens":140,"completion_tokens":20,"audio_input_tokens":30,"total_tokens":160,"finish_reason":"stop"}`, "user assistant: As drawn."},
		"blocked": {"/v1beta/models/gemini-2.5-flash-blocked:generateContent", `{"contents":[{"role":"user","parts":[{"text":"Why?"}]}]}`,
			`{"prompt_tokens":100,"finish_reason":"content_filter","finish_reason_original":"PROHIBITED_CONTENT","status":"ok"}`, "user"},
		"refused": {"/v1/chat/completions", fmt.Sprintf(chat, "gpt-4o-mini-429", true), `{"status":"error","error_type":"rate_limit_exceeded","requested_model":"gpt-4o-mini-429"}`, "system user"},
	} {
		c := http.Client{Transport: &recording{modelcall.Recorder{Client: client, Options: []brokle.Option{brokle.ID(name)}}}}
		resp, err := c.Post(provider.URL+tc.path, "application/json", strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err := client.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		n.GetJSON(t, "/v1/observations/"+name, &got)
		requireMembers(t, name, got, tc.want)
		in, _ := got["messages_in"].([]any)
		out, _ := got["messages_out"].([]any)
		said := ""
		for _, m := range append(in, out...) {
			said += m.(map[string]any)["role"].(string) + " "
		}
		if said = strings.TrimSpace(said); len(out) > 0 {
			parts := out[len(out)-1].(map[string]any)["parts"].([]any)
			said += ": " + fmt.Sprint(parts[len(parts)-1].(map[string]any)["text"])
		}
		if said != tc.says {
			t.Errorf("%s: messages are %q, want %q: in %v out %v", name, said, tc.says, in, out)
		}
	}
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
