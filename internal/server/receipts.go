package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// getJob is GET /v1/telemetry/jobs/{id}; ?wait=5s answers as soon as the job has
// ended, or with how far it is when the time is over.
func getJob(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query{values: c.params}
	var wait time.Duration
	if v := q.text("wait"); v != "" {
		if wait, err = time.ParseDuration(v); err != nil || wait < 0 {
			q.fail("wait", "must be a duration such as 5s")
		}
	}
	if q.err != nil {
		return nil, q.err
	}
	job, err := s.job(ctx, c, id)
	if err != nil || wait == 0 || ended(job) {
		return ok(job, err)
	}
	waiting, cancel := context.WithTimeout(ctx, min(wait, s.o.MaxWait))
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	if err := s.o.Ingest.WaitJob(waiting, c.caller.Project, id); err != nil && waiting.Err() == nil {
		return nil, err
	}
	return ok(s.job(ctx, c, id))
}

// job is the receipt of a job, with what only ingest knows: that it is at work on it.
func (s *Server) job(ctx context.Context, c *call, id string) (*brokle.Job, error) {
	job, err := s.o.Receipts.JobReceipt(ctx, c.caller.Project, id)
	if err == nil && job.Status == brokle.JobPending && s.o.Ingest.JobWorking(c.caller.Project, id) {
		job.Status = brokle.JobProcessing
	}
	return job, err
}

func ended(j *brokle.Job) bool {
	return j.Status == brokle.JobCompleted || j.Status == brokle.JobFailed
}

func getBatch(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	return ok(s.o.Receipts.BatchReceipt(ctx, c.caller.Project, id))
}

// getEvent answers from the receipts while they are kept, then from the event itself.
func getEvent(ctx context.Context, s *Server, c *call) (*answer, error) {
	id := c.r.PathValue("id")
	if !brokle.ValidID(id) {
		return nil, store.ErrNotFound
	}
	receipt, err := s.o.Receipts.EventReceipt(ctx, c.caller.Project, id)
	if !errors.Is(err, store.ErrNotFound) {
		return ok(receipt, err)
	}
	seq, err := s.o.Warehouse.EventSeq(ctx, c.caller.Project, id)
	if err != nil {
		return nil, err
	}
	recs, err := s.o.Log.Get(ctx, []store.Seq{seq})
	if err != nil {
		return nil, err
	}
	if len(recs) == 0 || recs[0].Project != c.caller.Project {
		return nil, store.ErrNotFound
	}
	return &answer{status: http.StatusOK, body: &brokle.EventReceipt{
		EventID: id, Status: "stored", EventType: recs[0].Event.Type, BatchID: recs[0].BatchID, At: recs[0].ReceivedAt,
		Notes: recs[0].Notes,
	}}, nil
}
