package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// ledger is what the clients were told: every batch sent, and what came back.
type ledger struct {
	mu      sync.Mutex // guards all below
	batches []*entry
	faults  []string
	retries int
}

// entry is one batch: the observations of one trace, so that one read gives them all back.
type entry struct {
	trace  string
	events []brokle.Event
	jobID  string
	tries  int
	told   bool // an answer arrived
}

func (l *ledger) add(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = append(l.batches, e)
}

func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// settle notes the answer to e and holds it against the promises: the counts
// add up; a first try has no duplicates; what was never stored is never called one.
func (l *ledger) settle(e *entry, answer *brokle.BatchResponse) {
	if n := answer.ProcessedEvents + answer.DuplicateEvents + answer.FailedEvents; answer.JobID == "" && n != len(e.events) {
		l.fault("batch of %d events: answer counts %d", len(e.events), n)
	}
	if e.tries == 1 && answer.DuplicateEvents > 0 {
		l.fault("first try of trace %s: %d duplicates", e.trace, answer.DuplicateEvents)
	}
	if answer.FailedEvents > 0 {
		l.fault("trace %s: %d failed: %+v", e.trace, answer.FailedEvents, answer.Errors)
	}
	e.told, e.jobID = true, answer.JobID
}

// newEntry is a batch of 1 to 40 observations of a new trace.
func newEntry(rng *rand.Rand) *entry {
	e := &entry{trace: "trace_" + fmt.Sprintf("%016x", rng.Uint64())}
	for i := range 1 + rng.IntN(40) {
		payload, _ := json.Marshal(map[string]any{
			"id": fmt.Sprintf("%s-%d", e.trace, i), "trace_id": e.trace, "name": "step", "type": "generation",
			"input": fmt.Sprintf("prompt %x é 世界", rng.Uint64()),
		})
		e.events = append(e.events, brokle.Event{ID: brokle.NewID(), Type: brokle.ObservationCreate, Payload: payload, Timestamp: brokle.At(time.Now())})
	}
	return e
}

// send posts e until an answer comes or ctx ends, with the same ids each time.
// at gives the server that is up now.
func (l *ledger) send(ctx context.Context, client *http.Client, at func() *rig.Node, e *entry, async bool) {
	for ctx.Err() == nil {
		e.tries++
		if e.tries > 1 {
			l.mu.Lock()
			l.retries++
			l.mu.Unlock()
		}
		reqCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		answer, status, err := at().Post(reqCtx, client, &brokle.BatchRequest{Events: e.events, AsyncMode: async})
		cancel()
		if err == nil {
			l.settle(e, answer)
			return
		}
		if status != 0 && status != http.StatusServiceUnavailable && ctx.Err() == nil {
			l.fault("trace %s: %v", e.trace, err)
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// check reads everything back: each event of a batch that got an answer is in
// the list once, and the payloads of 200 traces are equal to what was sent.
func (l *ledger) check(t *testing.T, n *rig.Node) {
	t.Helper()
	for _, f := range l.faults {
		t.Error(f)
	}
	total := 0
	for _, e := range l.batches {
		if e.jobID != "" {
			waitJob(t, n, e)
		}
		if e.told {
			total += len(e.events)
		}
	}
	waitEvents(t, n, total)
	l.checkList(t, n)
	for _, i := range chance.From(uint64(total), 0).Perm(len(l.batches))[:min(200, len(l.batches))] {
		if e := l.batches[i]; e.told {
			checkTrace(t, n, e)
		}
	}
	t.Logf("%d batches, %d events, %d retries", len(l.batches), total, l.retries)
}

// checkList pages through all observations and holds them against the ledger.
func (l *ledger) checkList(t *testing.T, n *rig.Node) {
	t.Helper()
	want := map[string]string{}
	for _, e := range l.batches {
		if e.told {
			maps.Copy(want, e.inputs(t))
		}
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		var page brokle.Page[brokle.Observation]
		n.GetJSON(t, "/v1/observations?limit=1000&cursor="+url.QueryEscape(cursor), &page)
		for _, o := range page.Data {
			if seen[o.ID] {
				t.Errorf("observation %s is listed twice", o.ID)
			}
			seen[o.ID] = true
			var sent string
			if err := json.Unmarshal([]byte(want[o.ID]), &sent); err != nil || sent != o.InputPreview {
				t.Errorf("observation %s: sent %q, listed %q", o.ID, want[o.ID], o.InputPreview)
			}
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	for id := range want {
		if !seen[id] {
			t.Errorf("observation %s was acknowledged and is not listed", id)
		}
	}
}

// inputs is what e sent: observation id to its input, raw JSON.
func (e *entry) inputs(t *testing.T) map[string]string {
	t.Helper()
	want := map[string]string{}
	for _, ev := range e.events {
		var p struct {
			ID    string
			Input json.RawMessage
		}
		if err := json.Unmarshal(ev.Payload, &p); err != nil {
			t.Fatal(err)
		}
		want[p.ID] = string(p.Input)
	}
	return want
}

func waitJob(t *testing.T, n *rig.Node, e *entry) {
	t.Helper()
	var job brokle.Job
	for range 10 {
		n.GetJSON(t, "/v1/telemetry/jobs/"+e.jobID+"?wait=5s", &job)
		if job.Status == brokle.JobCompleted || job.Status == brokle.JobFailed {
			break
		}
	}
	if job.Status != brokle.JobCompleted || job.Result == nil {
		t.Fatalf("job %s: %+v", e.jobID, job)
	}
	// A retried asynchronous batch is a second job of the same ids.
	if got := job.Result.ProcessedEvents + job.Result.DuplicateEvents; got != len(e.events) {
		t.Errorf("job %s: %d of %d events accounted for: %+v", e.jobID, got, len(e.events), job.Result)
	}
}

func checkTrace(t *testing.T, n *rig.Node, e *entry) {
	t.Helper()
	var trace brokle.Trace
	n.GetJSON(t, "/v1/traces/"+e.trace, &trace)
	got := map[string]string{}
	for _, o := range trace.Observations {
		got[o.ID] = string(o.Input)
	}
	want := e.inputs(t)
	if len(trace.Observations) != len(want) || !maps.Equal(got, want) {
		t.Errorf("trace %s: sent %d observations %v, read %d %v", e.trace, len(want),
			slices.Sorted(maps.Keys(want)), len(trace.Observations), slices.Sorted(maps.Keys(got)))
	}
}
