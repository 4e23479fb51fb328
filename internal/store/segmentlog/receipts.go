package segmentlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// batchAt returns the block and the batch that the index calls seq. Blocks that
// were trimmed or are damaged have no receipt: store.ErrNotFound.
func (l *Log) batchAt(seq entity.Seq) (*block, *batch, error) {
	b, err := l.find(seq, true)
	if err != nil {
		return nil, nil, err
	}
	if b != nil {
		if t, _ := b.find(seq); t != nil && t.first+entity.Seq(t.span()) > seq {
			return b, t, nil
		}
	}
	return nil, nil, store.ErrNotFound
}

// BatchReceipt implements store.Receipts.
func (l *Log) BatchReceipt(_ context.Context, project, batchID string) (*wire.Job, error) {
	return call(l, "batch receipt", func() (*wire.Job, error) {
		seq, ok, err := l.index.Batch(project, batchID)
		return l.receipt(project, seq, ok, err)
	})
}

// JobReceipt implements store.Receipts.
func (l *Log) JobReceipt(_ context.Context, project, jobID string) (*wire.Job, error) {
	return call(l, "job receipt", func() (*wire.Job, error) {
		seq, ok, err := l.index.Job(project, jobID)
		return l.receipt(project, seq, ok, err)
	})
}

// receipt rebuilds the answer that the batch at seq was given, when the index knows it.
func (l *Log) receipt(project string, seq entity.Seq, known bool, err error) (*wire.Job, error) {
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, store.ErrNotFound
	}
	b, t, err := l.batchAt(seq)
	if err != nil {
		return nil, err
	}
	if t.project != project {
		return nil, store.ErrNotFound
	}
	job := &wire.Job{JobID: t.job, BatchID: t.id, Status: wire.JobPending, CreatedAt: micros(t.received)}
	if b.kind == kindJob {
		return job, nil
	}
	done := micros(t.committed)
	job.CompletedAt = &done
	if b.kind == kindJobFailure {
		return job, fail(job, b.body)
	}
	n, duplicates := b.stored(t)
	job.Status = wire.JobCompleted
	job.Result = &wire.BatchResponse{
		BatchID: t.id, JobID: t.job, ProcessedEvents: n, DuplicateEvents: len(duplicates), FailedEvents: len(t.failed),
		ProcessingTimeMS:  max(time.Duration(t.committed-t.received)*time.Microsecond, 0).Milliseconds(),
		Errors:            append([]wire.BatchEventError{}, t.failed...),
		DuplicateEventIDs: append([]string{}, duplicates...),
	}
	for i := range t.notes {
		if !slices.Contains(duplicates, t.notes[i].EventID) {
			job.Result.Notes = append(job.Result.Notes, t.notes[i])
		}
	}
	return job, nil
}

// fail completes the receipt of a job that stored nothing.
func fail(job *wire.Job, body []byte) error {
	var f jobFailure
	if err := json.Unmarshal(body, &f); err != nil {
		return fmt.Errorf("failure of job: %w", err)
	}
	job.Status, job.Result, job.Error = wire.JobFailed, f.Result, &f.Error
	return nil
}

// EventReceipt implements store.Receipts. An event that was stored counts as
// stored, also when a later attempt with its id failed. An erased or expired one is not found.
func (l *Log) EventReceipt(_ context.Context, project, eventID string) (*wire.EventReceipt, error) {
	return call(l, "event receipt", func() (*wire.EventReceipt, error) { return l.eventReceipt(project, eventID) })
}

func (l *Log) eventReceipt(project, eventID string) (*wire.EventReceipt, error) {
	e, ok, err := l.index.Event(project, eventID)
	if err != nil {
		return nil, err
	}
	if ok {
		b, t, err := l.batchAt(e.Seq)
		if err != nil {
			return nil, err
		}
		_, i := b.find(e.Seq)
		if i < 0 || !b.shown(t, i, l.hidden.Load()) || t.project != project {
			return nil, store.ErrNotFound
		}
		return &wire.EventReceipt{
			EventID: eventID, Status: "stored", EventType: b.events[i].Type, BatchID: t.id, At: micros(t.committed),
			Notes: t.notesOf(eventID),
		}, nil
	}
	seq, ok, err := l.index.FailedEvent(project, eventID)
	if err != nil {
		return nil, err
	}
	if ok {
		_, t, err := l.batchAt(seq)
		if err != nil {
			return nil, err
		}
		for i := range t.failed {
			if t.failed[i].EventID == eventID && t.project == project {
				return &wire.EventReceipt{
					EventID: eventID, Status: "failed", BatchID: t.id, At: micros(t.committed), Error: &t.failed[i],
				}, nil
			}
		}
	}
	return nil, store.ErrNotFound
}

// PendingJobs implements store.Jobs. A request that is damaged is reported and left out.
func (l *Log) PendingJobs(ctx context.Context) ([]store.Job, error) {
	return call(l, "pending jobs", func() ([]store.Job, error) {
		seqs := l.index.PendingJobs()
		jobs := make([]store.Job, 0, len(seqs))
		for _, seq := range seqs {
			b, err := l.find(seq, true)
			if err = errors.Join(err, ctx.Err()); err != nil {
				return nil, err
			}
			if b == nil || b.kind != kindJob {
				continue
			}
			t := &b.batches[0]
			jobs = append(jobs, store.Job{
				ID: t.job, Project: t.project, Environment: t.env, BatchID: t.id, ReceivedAt: micros(t.received),
				KeyID: t.key, Format: t.format, Body: b.body,
			})
		}
		return jobs, nil
	})
}
