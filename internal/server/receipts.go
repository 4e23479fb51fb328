package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// getJob is GET /v1/telemetry/jobs/{id}; ?wait=5s answers as soon as the job has
// ended, or with how far it is when the time is over.
func getJob(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	var wait time.Duration
	if v := q.Text("wait"); v != "" {
		if wait, err = time.ParseDuration(v); err != nil || wait < 0 {
			q.Fail("wait", "must be a duration such as 5s")
		}
	}
	if q.Err != nil {
		return nil, q.Err
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
func (s *Server) job(ctx context.Context, c *call, id string) (*wire.Job, error) {
	job, err := s.o.Receipts.JobReceipt(ctx, c.caller.Project, id)
	if err == nil && job.Status == wire.JobPending && s.o.Ingest.JobWorking(c.caller.Project, id) {
		job.Status = wire.JobProcessing
	}
	return job, err
}

func ended(j *wire.Job) bool {
	return j.Status == wire.JobCompleted || j.Status == wire.JobFailed
}

func getBatch(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	return ok(s.o.Receipts.BatchReceipt(ctx, c.caller.Project, id))
}

// getEvent answers from the receipts while they are kept, and from the events
// themselves, which may be several of one id.
func getEvent(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := givenID(c)
	if err != nil {
		return nil, err
	}
	if !wire.ValidID(id) {
		return nil, store.ErrNotFound
	}
	receipt, err := s.o.Receipts.EventReceipt(ctx, c.caller.Project, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	facts, err := s.facts(ctx, c, id)
	switch {
	case err != nil && receipt == nil:
		return nil, err
	case err != nil: // what the Log alone knows is better than nothing
		receipt.Notes = append(receipt.Notes, "the events of this id cannot be looked up now; ask again")
		return ok(receipt, nil)
	case len(facts) == 0 && receipt == nil:
		return nil, store.ErrNotFound
	case len(facts) == 0:
		return ok(receipt, nil)
	}
	if receipt == nil || receipt.Status != "stored" { // a later attempt with the id changes nothing
		last := facts[len(facts)-1]
		receipt = &wire.EventReceipt{
			EventID: id, Status: "stored", EventType: last.Event.Type, BatchID: last.BatchID, At: last.ReceivedAt,
		}
	}
	return ok(receipt, s.describe(ctx, c, receipt, facts))
}

// facts returns the events that were stored under the id, in the order of acceptance.
func (s *Server) facts(ctx context.Context, c *call, id string) ([]entity.Record, error) {
	seqs, err := store.EventSeqs(ctx, s.o.Warehouse, c.caller.Project, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	recs, err := s.readAll(ctx, c, seqs)
	return slices.DeleteFunc(recs, func(r entity.Record) bool { return r.Project != c.caller.Project }), err
}

// describe adds to a receipt what its events say.
func (s *Server) describe(ctx context.Context, c *call, receipt *wire.EventReceipt, facts []entity.Record) error {
	for i := range facts {
		rec := &facts[i]
		for _, note := range rec.Notes {
			if !slices.Contains(receipt.Notes, note) {
				receipt.Notes = append(receipt.Notes, note)
			}
		}
		fact := wire.EventFact{EventType: rec.Event.Type, BatchID: rec.BatchID, At: rec.ReceivedAt}
		if fields, failure := extract.Extract(&rec.Event); failure == nil {
			trace, _ := fields.Get(entity.TraceID)
			fact.EntityID, fact.TraceID = fields.EntityID, trace.Text
			note, err := s.openTrace(ctx, c, fields)
			if err != nil {
				return err
			}
			if note != "" && !slices.Contains(receipt.Notes, note) {
				receipt.Notes = append(receipt.Notes, note)
			}
		}
		if len(facts) > 1 {
			receipt.Facts = append(receipt.Facts, fact)
		}
	}
	return nil
}

// openTrace says of which trace's observation an event speaks that names an
// observation but no trace, when several traces have one; else it says nothing.
func (s *Server) openTrace(ctx context.Context, c *call, fields *entity.Fields) (string, error) {
	if v, _ := fields.Get(entity.TraceID); v.Text != "" {
		return "", nil
	}
	id := ""
	switch fields.Kind {
	case entity.ObservationKind:
		id = fields.EntityID
	case entity.ScoreKind:
		v, _ := fields.Get(entity.ObservationID)
		id = v.Text
	}
	if id == "" {
		return "", nil
	}
	page, err := query.ListObservations(ctx, s.o.Warehouse, c.caller.Project, store.Query{Filter: store.Filter{ID: id}, Order: store.Order{Limit: 2}})
	if err != nil || len(page.Data) < 2 {
		return "", err
	}
	o, err := s.observe(ctx, c, id, "", 0) // no payloads
	if errors.Is(err, store.ErrNotFound) { // erased meanwhile
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return "names no trace, and several have an observation of this id: it counts for the newest, which is of trace " + strconv.Quote(o.TraceID), nil
}
