package storetest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func failedEvent(id string) wire.BatchEventError {
	return wire.BatchEventError{
		EventID: id, Message: "Missing required field 'name'", Details: "a rule", Code: "missing_field", Retryable: id == "again",
	}
}

func testLogBatchReceipt(t *testing.T, b *logBench) {
	b.expect(t, b.batch("b", "d"), 2, 0)
	batch := b.batch("a", "b", "c", "d", "a")
	batch.Failed = []wire.BatchEventError{failedEvent("f"), failedEvent("")}
	b.clock.Advance(12 * time.Millisecond)
	b.expect(t, batch, 2, 3)
	want := &wire.BatchResponse{
		BatchID: batch.ID, ProcessedEvents: 2, DuplicateEvents: 3, FailedEvents: 2, ProcessingTimeMS: 12,
		Errors: batch.Failed, DuplicateEventIDs: []string{"b", "d", "a"},
	}
	for range 2 {
		job, err := b.log.BatchReceipt(context.Background(), "p", batch.ID)
		if err != nil {
			t.Fatal(err)
		}
		if job.Status != wire.JobCompleted || !reflect.DeepEqual(job.Result, want) || !job.CreatedAt.Equal(batch.ReceivedAt) {
			t.Fatalf("receipt %+v, result %+v", job, job.Result)
		}
		b.reopen(t)
	}
	b.clock.Advance(store.ReceiptTTL + time.Minute)
	if _, err := b.log.BatchReceipt(context.Background(), "p", batch.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after its time: %v", err)
	}
}

func testLogEventReceipt(t *testing.T, b *logBench) {
	batch := b.batch("a")
	batch.Failed = []wire.BatchEventError{failedEvent("again")}
	b.expect(t, batch, 1, 0)
	ctx := context.Background()
	for range 2 {
		got, err := b.log.EventReceipt(ctx, "p", "a")
		if err != nil || got.Status != "stored" || got.EventType != wire.EventCreate || got.BatchID != batch.ID || !got.At.Equal(b.clock.Now()) {
			t.Fatalf("%+v, %v", got, err)
		}
		got, err = b.log.EventReceipt(ctx, "p", "again")
		if err != nil || got.Status != "failed" || got.Error == nil || *got.Error != batch.Failed[0] || got.BatchID != batch.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		b.reopen(t)
	}
	b.expectIDs(t, []string{"a"}) // a failed event is nowhere else
	b.expect(t, b.batch("again"), 1, 0)
	if got, err := b.log.EventReceipt(ctx, "p", "again"); err != nil || got.Status != "stored" {
		t.Errorf("stored after it had failed: %+v, %v", got, err)
	}
	if _, err := b.log.EventReceipt(ctx, "p", "never"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// What was said of an event is said again wherever it is asked for, and not of a duplicate.
func testLogNotes(t *testing.T, b *logBench) {
	ctx := context.Background()
	b.expect(t, b.batch("c"), 1, 0)
	batch := b.batch("a", "b", "c")
	batch.Failed = []wire.BatchEventError{failedEvent("f"), failedEvent("again")}
	batch.Notes = []wire.EventNote{{EventID: "b", Note: "one"}, {EventID: "b", Note: "two"}, {EventID: "c", Note: "of a duplicate"}}
	b.expect(t, batch, 2, 1)
	for range 2 {
		job, err := b.log.BatchReceipt(ctx, "p", batch.ID)
		if err != nil || !reflect.DeepEqual(job.Result.Notes, batch.Notes[:2]) || !reflect.DeepEqual(job.Result.Errors, batch.Failed) {
			t.Fatalf("%+v, %v", job, err)
		}
		for id, want := range map[string][]string{"a": nil, "b": {"one", "two"}, "c": nil, "f": nil} {
			got, err := b.log.EventReceipt(ctx, "p", id)
			if err != nil || !reflect.DeepEqual(got.Notes, want) || (got.Status == "failed") != (id == "f") {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		recs, _, err := b.log.Read(ctx, 0, 10)
		if err != nil || len(recs) != 3 {
			t.Fatalf("%+v, %v", recs, err)
		}
		for i, want := range [][]string{nil, nil, {"one", "two"}} {
			if !reflect.DeepEqual(recs[i].Notes, want) {
				t.Errorf("%s has notes %q", recs[i].Event.ID, recs[i].Notes)
			}
		}
		b.reopen(t)
	}
}

func testLogNoEvents(t *testing.T, b *logBench) {
	batch := b.batch()
	batch.Failed = []wire.BatchEventError{failedEvent("f")}
	before := b.log.Head()
	b.expect(t, batch, 0, 0)
	if b.log.Head() != before+1 {
		t.Errorf("head moved from %d to %d", before, b.log.Head())
	}
	for range 2 {
		job, err := b.log.BatchReceipt(context.Background(), "p", batch.ID)
		if err != nil || job.Result.FailedEvents != 1 || job.Result.DuplicateEventIDs == nil {
			t.Fatalf("%+v, %v", job, err)
		}
		b.reopen(t)
	}
	b.expectIDs(t, nil)
}

func (b *logBench) job(id string) store.Job {
	return store.Job{
		ID: id, Project: "p", Environment: "staging", BatchID: "batch-of-" + id, ReceivedAt: b.clock.Now(),
		Body: []byte(`{"events":[{"event_id":"secret-of-` + id + `"}]}`),
	}
}

func testLogJobs(t *testing.T, b *logBench) {
	ctx := context.Background()
	jobs := []store.Job{b.job("j1"), b.job("j2"), b.job("j3")}
	jobs[1].Format = "another"
	for _, j := range jobs {
		if err := b.log.AddJob(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	b.reopen(t)
	pending, err := b.log.PendingJobs(ctx)
	if err != nil || !reflect.DeepEqual(pending, jobs) {
		t.Fatalf("pending %+v, %v", pending, err)
	}
	for _, get := range []func() (*wire.Job, error){
		func() (*wire.Job, error) { return b.log.JobReceipt(ctx, "p", "j1") },
		func() (*wire.Job, error) { return b.log.BatchReceipt(ctx, "p", "batch-of-j1") },
	} {
		job, err := get()
		if err != nil || job.Status != wire.JobPending || job.JobID != "j1" || job.Result != nil || job.CompletedAt != nil {
			t.Fatalf("pending receipt %+v, %v", job, err)
		}
	}
	b.clock.Advance(time.Second)
	done := b.batch("a", "b")
	done.Job, done.ID, done.ReceivedAt = "j1", "batch-of-j1", jobs[0].ReceivedAt
	b.expect(t, done, 2, 0)
	result := &wire.BatchResponse{BatchID: "batch-of-j2", Errors: []wire.BatchEventError{}, DuplicateEventIDs: []string{"x"}, DuplicateEvents: 1}
	if err := b.log.FailJob(ctx, "p", "j2", result, wire.ErrorBody{Code: "duplicate_events", Message: "m"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b.checkEnded(t, jobs[2], result)
		b.reopen(t)
	}
}

func (b *logBench) checkEnded(t *testing.T, pending store.Job, result *wire.BatchResponse) {
	t.Helper()
	ctx := context.Background()
	left, err := b.log.PendingJobs(ctx)
	if err != nil || len(left) != 1 || left[0].ID != pending.ID || !bytes.Equal(left[0].Body, pending.Body) {
		t.Fatalf("pending %+v, %v", left, err)
	}
	j1, err := b.log.JobReceipt(ctx, "p", "j1")
	if err != nil || j1.Status != wire.JobCompleted || j1.Result.ProcessedEvents != 2 || j1.Result.ProcessingTimeMS != 1000 || j1.CompletedAt == nil {
		t.Fatalf("j1 %+v, %v", j1, err)
	}
	j2, err := b.log.JobReceipt(ctx, "p", "j2")
	if err != nil || j2.Status != wire.JobFailed || j2.Error == nil || j2.Error.Code != "duplicate_events" || !reflect.DeepEqual(j2.Result, result) {
		t.Fatalf("j2 %+v, %v", j2, err)
	}
	if _, err := b.log.JobReceipt(ctx, "q", "j1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("job of another project: %v", err)
	}
}

func testLogEraseJob(t *testing.T, b *logBench) {
	ctx := context.Background()
	if err := b.log.AddJob(ctx, b.job("j1")); err != nil {
		t.Fatal(err)
	}
	if err := b.log.AddJob(ctx, b.job("j2")); err != nil {
		t.Fatal(err)
	}
	done := b.batch("secret-of-j1")
	done.Job = "j1"
	b.expect(t, done, 1, 0)
	if err := b.log.Erase(ctx, []entity.Seq{b.all(t)[0].Seq}); err != nil {
		t.Fatal(err)
	}
	b.reopen(t)
	if left, err := b.log.PendingJobs(ctx); err != nil || len(left) != 1 || left[0].ID != "j2" {
		t.Fatalf("pending %+v, %v", left, err)
	}
	if job, err := b.log.JobReceipt(ctx, "p", "j1"); err != nil || job.Status != wire.JobCompleted {
		t.Errorf("receipt of an erased job: %+v, %v", job, err)
	}
}
