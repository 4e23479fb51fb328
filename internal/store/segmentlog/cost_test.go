package segmentlog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// BenchmarkStored is the whole way of an event in the Log, from Append to its packed form with filters: what it
// costs of CPU, and what of disk.
func BenchmarkStored(b *testing.B) {
	const events, senders = 100, 8
	l := openTest(b, nil, b.TempDir(), Options{})
	batches := generations(b, 1000, events)
	ctx, stop := context.WithCancel(context.Background())
	var run, send sync.WaitGroup
	run.Go(func() {
		if err := l.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	before := cpu(b)
	b.ResetTimer()
	var next atomic.Int64
	for range senders {
		send.Go(func() {
			for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
				batch := *batches[n%len(batches)]
				batch.ID = fmt.Sprint("batch", n)
				batch.Events = slices.Clone(batch.Events)
				for i := range batch.Events {
					x := n*events + i
					batch.Events[i].ID = fmt.Sprintf("01K0ZV6B%08X%010X", uint32(x)*2654435761, x)
				}
				if _, err := l.Append(ctx, &batch); err != nil {
					b.Error(err)
				}
			}
		})
	}
	send.Wait()
	appended := cpu(b) - before
	stop()
	run.Wait()
	sealNow(b, l)
	packWithFilters(b, l)
	all := cpu(b) - before
	n := float64(b.N * events)
	b.ReportMetric(float64(appended.Nanoseconds())/n, "cpu-ns/appended")
	b.ReportMetric(float64(all.Nanoseconds())/n, "cpu-ns/packed")
	b.ReportMetric(float64(l.Stats().DiskBytes)/n, "disk-B/event")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// generations are batches of finished generations of about 900 bytes, whose text compresses about as prose does.
func generations(b *testing.B, batches, events int) []*store.Batch {
	const letters = "etaoinshrdlucmfwypvbgkjqxz"
	rng := rand.New(rand.NewPCG(3, 4))
	words := make([]string, 6000)
	for i := range words {
		for range 2 + rng.IntN(9) {
			words[i] += string(letters[min(rng.IntN(26), rng.IntN(26))])
		}
	}
	prose := func(chars int) string {
		var s strings.Builder
		for s.Len() < chars {
			s.WriteString(words[int(float64(len(words))*rng.Float64()*rng.Float64()*rng.Float64())] + " ")
		}
		return s.String()
	}
	models := []string{"gpt-4o-mini", "claude-sonnet-4", "llama-3.3-70b", "mistral-large"}
	out := make([]*store.Batch, batches)
	for n := range out {
		out[n] = testBatch("", 0, 0)
		for i := range events {
			ev := wire.Event{ID: fmt.Sprint(i), Type: wire.ObservationCreate, Timestamp: wire.At(time.Now())}
			ev.Payload = fmt.Appendf(nil, `{"trace_id":"01K0ZV6C%08X%08X","type":"generation","name":"chat","model":"%s","provider":"openai","input":[{"role":"user","content":"%s"}],"output":{"role":"assistant","content":"%s"},"prompt_tokens":%d,"completion_tokens":%d,"total_cost":%.6f,"latency_ms":%d,"metadata":{"region":"eu-west-%d","attempt":%d},"model_parameters":{"temperature":0.%d}}`,
				rng.Uint32(), rng.Uint32(), models[rng.IntN(4)], prose(230), prose(240), 50+rng.IntN(900), 20+rng.IntN(400), rng.Float64()/100,
				200+rng.IntN(4000), 1+rng.IntN(3), rng.IntN(3), rng.IntN(10))
			fields, failure := extract.Extract(&ev)
			if failure != nil {
				b.Fatal(failure)
			}
			out[n].Events, out[n].Rows = append(out[n].Events, ev), append(out[n].Rows, fields.AppendRow(nil))
		}
	}
	return out
}
