//go:build unix

package modelcall_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// processTime is what the process used of processors, in nanoseconds.
func processTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkCall is what recording adds on the caller's goroutine to a chat of 1 KB, and to a stream of 50 tokens: the provider costs nothing here. cpu-ns/op
// is processor time, garbage collection with it, which depends less on who else is at work.
func BenchmarkCall(b *testing.B) {
	const answer = `{"id":"chatcmpl-1","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"The sky is blue."},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":50}}`
	var stream strings.Builder
	for i := range 50 {
		fmt.Fprintf(&stream, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"finish_reason\":null}]}\n\n", i)
	}
	stream.WriteString("data: [DONE]\n\n")
	body := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strings.Repeat("Why is the sky blue? ", 45) + `"}]}`
	for name, tc := range map[string]struct{ kind, text string }{"whole": {"application/json", answer}, "stream": {"text/event-stream", stream.String()}} {
		base := func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {tc.kind}}, Body: io.NopCloser(strings.NewReader(tc.text)), Request: req}, nil
		}
		run := func(b *testing.B, do modelcall.Next) {
			b.ReportAllocs()
			before := processTime(b)
			for b.Loop() {
				req, _ := http.NewRequest(http.MethodPost, "https://api.openai.com/v1/chat/completions", strings.NewReader(body))
				resp, err := do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			b.ReportMetric(float64(processTime(b)-before)/float64(b.N), "cpu-ns/op")
		}
		b.Run(name+"/plain", func(b *testing.B) { run(b, base) })
		b.Run(name+"/recorded", func(b *testing.B) {
			srv := brokletest.New()
			cfg := srv.Config()
			cfg.SampleRate = 1e-12 // events are made, and not sent: what sends them is another's time
			client, err := brokle.New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			r := &modelcall.Recorder{Client: client}
			run(b, func(req *http.Request) (*http.Response, error) { return r.Do(req, base) })
			b.StopTimer()
			_ = client.Close(b.Context())
		})
	}
}
