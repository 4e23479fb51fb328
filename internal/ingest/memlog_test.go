package ingest_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	format "github.com/brokle-ai/brokle-go/internal/wireformat/batch"
	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// memLog is a Log and Jobs in memory that keeps their contracts: it decides and
// stores in one step, remembers ids for their ttl by its own clock, and completes
// a job with the batch that names it. fault, when set, is asked before each write.
type memLog struct {
	store.Log // the methods that ingest does not use
	now       func() time.Time
	fault     func(*store.Batch) error

	mu      sync.Mutex // guards all below
	marks   map[[2]string]time.Time
	batches []*store.Batch
	records []entity.Record
	jobs    []store.Job
	results map[string]string // job → "completed" or the code of its failure
	done    int               // results written, to see that none is written twice
}

func newMemLog() *memLog {
	return &memLog{now: time.Now, marks: map[[2]string]time.Time{}, results: map[string]string{}}
}

func (l *memLog) Append(ctx context.Context, b *store.Batch) ([]store.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != nil {
		if err := l.fault(b); err != nil {
			return nil, err
		}
	}
	outcomes := make([]store.Outcome, len(b.Events))
	fresh := map[string]bool{}
	conflict := false
	for i, ev := range b.Events {
		outcomes[i] = store.Stored
		until, marked := l.marks[[2]string{b.Project, ev.ID}]
		if b.Dedup.Enabled && (fresh[ev.ID] || marked && l.now().Before(until)) {
			outcomes[i], conflict = store.Duplicate, true
		}
		fresh[ev.ID] = true
	}
	if conflict && b.Dedup.FailOnDuplicate {
		return outcomes, store.ErrDuplicate
	}
	for i, ev := range b.Events {
		if outcomes[i] == store.Stored {
			l.records = append(l.records, entity.Record{Seq: entity.Seq(len(l.records) + 1), Project: b.Project,
				Environment: b.Environment, BatchID: b.ID, ReceivedAt: b.ReceivedAt, Event: ev, Row: b.Rows[i]})
			if b.Dedup.Enabled {
				l.marks[[2]string{b.Project, ev.ID}] = l.now().Add(b.Dedup.TTL)
			}
		}
	}
	l.batches = append(l.batches, b)
	if b.Job != "" {
		l.finish(b.Job, "completed")
	}
	return outcomes, nil
}

func (l *memLog) finish(job, how string) {
	l.results[job] = how
	l.done++
}

func (l *memLog) AddJob(_ context.Context, j store.Job) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != nil {
		if err := l.fault(nil); err != nil {
			return err
		}
	}
	l.jobs = append(l.jobs, j)
	return nil
}

func (l *memLog) PendingJobs(context.Context) ([]store.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.jobs), func(j store.Job) bool { return l.results[j.ID] != "" }), nil
}

func (l *memLog) FailJob(_ context.Context, _, jobID string, _ *wire.BatchResponse, why wire.ErrorBody) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish(jobID, why.Code)
	return nil
}

func (l *memLog) stored() []entity.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

func (l *memLog) result(jobID string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.results[jobID]
}

// decode reads a request as the server does, with this header X-Environment.
func decode[T string | []byte](body T, environment string) (*ingest.Request, error) {
	return format.Format{}.Decode(&wireformat.Incoming{
		Header: http.Header{"X-Environment": {environment}}, Limits: wireformat.Limits{}.WithDefaults(), Body: []byte(body)})
}

// jobs reads the requests of jobs.
func jobs() func(store.Job) (*ingest.Request, error) {
	return formats.All().Jobs(wireformat.Limits{})
}

// post decodes and submits, as the server does.
func post(t *testing.T, in *ingest.Ingest, project, body string) (*wire.BatchResponse, error) {
	t.Helper()
	r, err := decode(body, "")
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return in.Submit(t.Context(), project, r)
}

func mustPost(t *testing.T, in *ingest.Ingest, project, body string) *wire.BatchResponse {
	t.Helper()
	resp, err := post(t, in, project, body)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	return resp
}

// adds checks that the counts add up to n and are those of the lists.
func adds(t *testing.T, resp *wire.BatchResponse, n int) {
	t.Helper()
	if resp.ProcessedEvents+resp.DuplicateEvents+resp.FailedEvents != n || len(resp.Errors) != resp.FailedEvents ||
		len(resp.DuplicateEventIDs) != resp.DuplicateEvents || resp.Errors == nil || resp.DuplicateEventIDs == nil {
		t.Errorf("the counts of %d events do not add up: %+v", n, resp)
	}
}

// allStored is a Log that costs nothing, to measure what stands before it.
type allStored struct{ store.Log }

func (allStored) Append(_ context.Context, b *store.Batch) ([]store.Outcome, error) {
	outcomes := make([]store.Outcome, len(b.Events))
	for i := range outcomes {
		outcomes[i] = store.Stored
	}
	return outcomes, nil
}
