package sdk

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/brokle-ai/brokle-go/brokleopenai"
)

// thinking is how long the stand-in takes for its first token: as long as a quick provider on the same continent, and not at
// all, where what is added shows best.
var thinking = []time.Duration{0, 50 * time.Millisecond}

// tokens of an answer, one a millisecond where the stand-in thinks.
const tokens = 20

// provider speaks OpenAI's server-sent events, each flushed as it comes.
func provider(tb testing.TB, think time.Duration) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		pause := think
		for i := range tokens {
			time.Sleep(pause) // 0 returns at once
			pause = min(think, time.Millisecond)
			fmt.Fprintf(w, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"finish_reason\":null}]}\n\n", i)
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":250,\"completion_tokens\":20,\"total_tokens\":270}}\n\ndata: [DONE]\n\n")
	}))
	tb.Cleanup(srv.Close)
	return srv.URL
}

// firstToken asks for a stream, reads it to its end, and says how long its first piece took and how long all did.
func firstToken(b *testing.B, c *openai.Client) (first, all time.Duration) {
	start := time.Now()
	stream := c.Chat.Completions.NewStreaming(context.Background(), openai.ChatCompletionNewParams{Model: "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(strings.Repeat("Why is the sky blue? ", 45))}})
	n := 0
	for ; stream.Next(); n++ {
		if n == 0 {
			first = time.Since(start)
		}
	}
	if err := stream.Err(); err != nil || n != tokens+1 {
		b.Fatal(n, err)
	}
	return first, time.Since(start)
}

// BenchmarkFirstToken is how long a program waits for the first token of a stream by openai-go with brokleopenai's middleware and
// without it: medians of calls that take turns, while the client delivers what it recorded. Run with -benchtime 200x.
func BenchmarkFirstToken(b *testing.B) {
	for _, think := range thinking {
		b.Run(fmt.Sprintf("thinks-%v", think), func(b *testing.B) {
			s := &sink{recorded: true}
			client := newBrokle(b, setting{host: newSink(b, s), queue: queue, bytes: 1 << 30})
			opts := []option.RequestOption{option.WithBaseURL(provider(b, think) + "/v1"), option.WithAPIKey("sk-bench")}
			bare := openai.NewClient(opts...)
			recorded := openai.NewClient(append(opts, option.WithMiddleware(brokleopenai.Middleware(brokleopenai.WithClient(client))))...)
			sides := [2]*openai.Client{&bare, &recorded}
			var first, all [2][]time.Duration
			for i := range b.N + 10 {
				for turn := range 2 {
					side := (i + turn) % 2
					f, a := firstToken(b, sides[side])
					if i >= 10 { // connections are open
						first[side], all[side] = append(first[side], f), append(all[side], a)
					}
				}
			}
			closeBrokle(b, setting{}, client)
			if n := s.calls.Load(); n != int64(b.N+10) {
				b.Fatalf("%d of %d calls arrived", n, b.N+10)
			}
			bareFirst, firstToo := median(first[0]), median(first[1])
			b.ReportMetric(bareFirst, "µs-first-bare")
			b.ReportMetric(firstToo, "µs-first-recorded")
			b.ReportMetric((firstToo/bareFirst-1)*100, "%-first")
			b.ReportMetric((median(all[1])/median(all[0])-1)*100, "%-all")
		})
	}
}

// median in microseconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Nanoseconds()) / 1000
}
