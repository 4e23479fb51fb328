//go:build unix

package server

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var searchEvents = flag.Int("search.events", 20_000, "events that BenchmarkSearch searches")

// prose makes text of 30 000 words as often as words are in a language, and
// words of a known rarity: one event in 4, in 2000, and in 200 000 has
// "often", "seldom" and "needle".
type prose struct {
	rng  *rand.Rand
	zipf *rand.Zipf
	n    int
}

func (p *prose) words(n int) string {
	var b strings.Builder
	for range n {
		w := p.zipf.Uint64()
		for range 2 + w%3 {
			b.WriteString([]string{"ka", "lo", "mi", "ter", "an", "su", "pre", "vo", "ring", "est", "da", "ul", "ne", "qui", "bo", "sch", "ix"}[w%17])
			w /= 7
		}
		fmt.Fprintf(&b, "%x ", w)
	}
	return b.String()
}

// batch is a hundred observations of ten traces, about 900 bytes each.
func (p *prose) batch() *store.Batch {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(p.n) * 10 * time.Millisecond)
	b := &store.Batch{Project: "one", Environment: "default", ID: wire.NewIDAt(at), ReceivedAt: at, Dedup: store.Dedup{Enabled: true, TTL: time.Hour}}
	for range 100 {
		p.n++
		text := p.words(28)
		for word, every := range map[string]int{"often": 4, "seldom": 2000, "needle": 200_000} {
			if p.n%every == every/2 {
				text += word + " "
			}
		}
		payload := fmt.Appendf(nil, `{"id":"obs_%08x%08x","trace_id":"01K0ZV6C%016X","type":"llm","name":"generate answer","model":"gpt-4o-mini","provider":"openai","prompt_tokens":%d,"completion_tokens":%d,"total_cost":0.%05d,"metadata":{"user":"user_%d","region":"eu-west-1"},"input":{"messages":[{"role":"system","content":"You are a helpful support assistant."},{"role":"user","content":"%s"}]},"output":"%s"}`,
			p.rng.Uint32(), p.n, uint64(p.n/10)*0x9E3779B97F4A7C15, p.rng.IntN(2000), p.rng.IntN(700), p.rng.IntN(99999), p.rng.IntN(5000), text, p.words(30))
		b.Events = append(b.Events, wire.Event{ID: fmt.Sprintf("01K0ZV6B%08X%010X", p.rng.Uint32(), p.n), Type: wire.ObservationCreate, Payload: payload, Timestamp: wire.At(at)})
	}
	return b
}

// BenchmarkSearch searches -search.events events over HTTP, the newest 5 % of them
// without filters yet. It reports the 95th percentile, and the CPU time of the whole process.
func BenchmarkSearch(b *testing.B) {
	h := open(b, setup{})
	ctx, cancel := context.WithCancel(b.Context())
	p := &prose{rng: rand.New(rand.NewPCG(1, 2))}
	p.zipf = rand.NewZipf(p.rng, 1.15, 8, 30_000)
	for p.n < *searchEvents {
		if _, err := h.log.Append(ctx, p.batch()); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.idx.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	background := make(chan error, 1)
	go func() { background <- h.log.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-background; err != nil {
			b.Error(err)
		}
	}()
	size, files := h.filters(b)
	if size > 0 {
		b.Logf("%d filter files, %.1f bytes per event", files, float64(size)/float64(p.n))
	}
	for _, c := range []struct{ name, path string }{
		{"absent", "/v1/traces?q=unheardof"},
		{"needle", "/v1/traces?q=needle"},
		{"needle-observations", "/v1/observations?q=needle"},
		{"two-words", "/v1/traces?q=needle+often"},
		{"seldom", "/v1/traces?q=seldom"},
		{"often", "/v1/traces?q=often"},
		{"often-by-cost", "/v1/traces?q=often&sort=-total_cost"},
		{"phrase", "/v1/traces?q=%22support+assistant%22"},
		{"no-search", "/v1/traces?limit=50"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			before := cpu(b)
			for b.Loop() {
				begin := time.Now()
				if rep := h.get(c.path); rep.status != 200 {
					b.Fatalf("%d %s", rep.status, rep.body)
				}
				took = append(took, time.Since(begin))
			}
			b.ReportMetric(float64((cpu(b)-before).Milliseconds())/float64(len(took)), "cpu-ms/op")
			slices.Sort(took)
			b.ReportMetric(float64(took[(len(took)-1)*95/100].Milliseconds()), "p95-ms")
		})
	}
}

// filters waits until every sealed segment has its filter file, and sums them up.
func (h *house) filters(b *testing.B) (size int64, files int) {
	b.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range 600 {
		<-tick.C
		st := h.log.Stats()
		names, err := filepath.Glob(filepath.Join(h.logDir, "*.flt"))
		if err != nil {
			b.Fatal(err)
		}
		if len(names) < st.Segments-1 || st.Segments > 1 && st.RecompressedSegs == 0 {
			continue
		}
		for _, name := range names {
			var info syscall.Stat_t
			if err := syscall.Stat(name, &info); err != nil {
				b.Fatal(err)
			}
			size += info.Size
		}
		return size, len(names)
	}
	b.Fatal("the filters do not come")
	return 0, 0
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
