package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// ingesting is what comes in while others read, and how a client fares that sends a little.
type ingesting struct {
	events  int64
	healthy []time.Duration // its answers, sorted
	peak    int64           // resident bytes
}

func (i *ingesting) p(percent int) time.Duration { return i.healthy[(len(i.healthy)-1)*percent/100] }

// Many readers of much keep their bound while events come in, beside which a client that sends a little goes on. How much slower it gets is told, with
// the same without readers beside it: the machine decides.
func TestReadersBesideIngest(t *testing.T) {
	if testing.Short() {
		t.Skip("stores and reads hundreds of megabytes")
	}
	cmd := serveCommand(t.TempDir())
	n, err := rig.Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Kill()
	fillTrace(t, n, 210, 500_000)
	const lasts = 5 * time.Second
	alone := ingest(t, n, lasts)
	ctx, stop := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	var whole, bytesRead atomic.Int64
	paths := []string{"/v1/traces/big", "/v1/traces/big?full=true", "/v1/traces/big?format=otlp", "/v1/telemetry/events?limit=1000"}
	const readers = 32
	for i := range readers {
		reading.Go(func() {
			for ctx.Err() == nil {
				is, read, err := readWhole(ctx, n, paths[i%len(paths)])
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				if bytesRead.Add(read); is {
					whole.Add(1)
				}
			}
		})
	}
	beside := ingest(t, n, lasts)
	stop()
	reading.Wait()
	t.Logf("alone %d events, p50 %v, p99 %v, %d MiB at the peak", alone.events, alone.p(50), alone.p(99), alone.peak>>20)
	t.Logf("beside %d readers (%d whole answers, %d MB) %d events, p50 %v, p99 %v, %d MiB at the peak: p99 × %.2f", readers, whole.Load(), bytesRead.Load()/1e6,
		beside.events, beside.p(50), beside.p(99), beside.peak>>20, float64(beside.p(99))/float64(alone.p(99)))
	const bound = 450 << 20
	if beside.peak > max(bound, alone.peak+4*readers<<20) {
		t.Errorf("%d MiB resident with readers, %d without", beside.peak>>20, alone.peak>>20)
	}
}

// ingest sends up to 20 000 events a second for so long.
func ingest(t *testing.T, n *rig.Node, lasts time.Duration) *ingesting {
	t.Helper()
	residentNow(t, n)
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	in := &ingesting{}
	var sent atomic.Int64
	var sending sync.WaitGroup
	text := strings.Repeat("some words of a prompt ", 30)
	send := func(name string, events int, every time.Duration, answered func(time.Duration)) {
		name = fmt.Sprint(name, "-", time.Now().UnixNano()) // of this run: nothing known is touched again
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			req := &brokle.BatchRequest{}
			for e := range events {
				req.Events = append(req.Events, brokle.Event{
					ID: fmt.Sprintf("%s-%d-%d", name, i, e), Type: brokle.ObservationCreate,
					Payload: fmt.Appendf(nil, `{"id":"%s-%d-%d","trace_id":"t-%s-%d","name":"call","type":"generation","model":"m","prompt_tokens":10,"input":%q}`, name, i, e, name, i, text),
				})
			}
			began := time.Now()
			if _, status, err := n.Post(ctx, http.DefaultClient, req); err == nil && status == http.StatusOK {
				sent.Add(int64(events))
				answered(time.Since(began))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}
	for i := range 8 {
		sending.Go(func() { send(fmt.Sprint("many", i), 100, 40*time.Millisecond, func(time.Duration) {}) })
	}
	send("few", 10, 10*time.Millisecond, func(took time.Duration) { in.healthy = append(in.healthy, took) })
	sending.Wait()
	if len(in.healthy) == 0 {
		t.Fatal("nothing was taken")
	}
	slices.Sort(in.healthy)
	in.events, in.peak = sent.Load(), peakOf(t, n)
	return in
}
