package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
)

// The page before a server that keeps a million events: 125 000 traces of three
// observations and a score, over three days. `make rounds` has them all, `make test` a tenth.
func TestPageOfAMillionEvents(t *testing.T) {
	b := newBrowserTest(t)
	if testing.Short() {
		t.Skip("skipped with -short: it sends a million events")
	}
	const perBatch = 125
	traces := chance.Rounds(12_500)
	n := startNode(t, b.data)
	begin := time.Now().Add(-72 * time.Hour).Truncate(time.Second)
	sent := time.Now()
	var g errgroup.Group
	g.SetLimit(4)
	for first := 0; first < traces; first += perBatch {
		g.Go(func() error {
			req := &brokle.BatchRequest{}
			for i := first; i < first+perBatch; i++ {
				req.Events = append(req.Events, traceEvents(i, begin.Add(time.Duration(i)*(72*time.Hour/time.Duration(traces))))...)
			}
			answer, _, err := n.Post(t.Context(), http.DefaultClient, req)
			if err == nil && answer.ProcessedEvents != len(req.Events) {
				err = fmt.Errorf("processed %d of %d: %+v", answer.ProcessedEvents, len(req.Events), answer.Errors)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	waitEvents(t, n, 8*traces)
	t.Logf("%d events sent and readable after %s", 8*traces, time.Since(sent).Round(time.Second))
	t.Setenv("BROKLE_EVENTS", strconv.Itoa(8*traces))
	b.run(t, n, "test/million/first-row.test.mjs")
}

// traceEvents is the eight events of one trace.
func traceEvents(i int, at time.Time) []brokle.Event {
	trace := brokle.NewIDAt(at)
	var events []brokle.Event
	add := func(typ brokle.EventType, after time.Duration, payload map[string]any) {
		raw, err := json.Marshal(payload)
		if err != nil {
			panic(err) // a map of texts and numbers
		}
		events = append(events, brokle.Event{ID: brokle.NewIDAt(at), Type: typ, Payload: raw, Timestamp: brokle.At(at.Add(after))})
	}
	add(brokle.TraceCreate, 0, map[string]any{
		"id": trace, "name": fmt.Sprintf("support chat %d", i), "user_id": fmt.Sprintf("user_%d", i%5000), "session_id": fmt.Sprintf("session_%d", i/4),
	})
	for k := range 3 {
		id, took := brokle.NewIDAt(at), time.Duration(200+(i*37+k*911)%3000)*time.Millisecond
		add(brokle.ObservationCreate, 0, map[string]any{
			"id": id, "trace_id": trace, "type": "generation", "name": "answer", "model": []string{"gpt-4o", "claude-sonnet", "gpt-4o-mini"}[(i+k)%3],
			"input": []map[string]string{{"role": "user", "content": fmt.Sprintf("Question %d of customer %d: where is my order?", k, i)}},
		})
		add(brokle.ObservationComplete, took, map[string]any{
			"id": id, "output": fmt.Sprintf("It left the warehouse %d days ago.", i%9), "usage": map[string]int{"prompt_tokens": i % 2000, "completion_tokens": k * 100}, "total_cost": float64(i%700) / 1e5,
		})
	}
	add(brokle.QualityScoreCreate, time.Second, map[string]any{"trace_id": trace, "name": "helpful", "value": float64(i%10) / 10})
	return events
}
