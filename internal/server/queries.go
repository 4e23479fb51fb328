package server

import (
	"context"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// ok is the 200 of a body, or the error.
func ok[T any](body *T, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: body}, nil
}

func getTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	format, full := q.Text("format"), q.Is("full")
	if format != "" && format != "otlp" {
		q.Fail("format", "must be otlp, or be left out")
	}
	if q.Err != nil {
		return nil, q.Err
	}
	if format != "" {
		return s.traceAsOTLP(ctx, c, id)
	}
	twins, err := s.o.Warehouse.Twins(ctx, c.caller.Project, store.EventRef{TraceID: id})
	if err != nil {
		return nil, err
	}
	copies := int64(payloadCopies)
	if full {
		copies = detailCopies
	}
	o, err := s.outline(ctx, c, outlining{id: id, twins: twins, copies: copies})
	if err != nil {
		return nil, err
	}
	return ok(o.trace(full), nil)
}

// ownEvents collects the entity's own events, which hold the payloads that the
// Warehouse's row does not. An entity without any is not found.
func (s *Server) ownEvents(ctx context.Context, c *call, kind entity.Kind, id string) (*entity.Fold, error) {
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, c.caller.Project, kind, []string{id})
	if err != nil {
		return nil, err
	}
	if len(seqs[id]) == 0 {
		return nil, store.ErrNotFound
	}
	recs, err := s.readAll(ctx, c, seqs[id])
	if err != nil {
		return nil, err
	}
	return entity.FoldOf(recs, kind, id)
}

// observation folds the observation id of the trace, or of the newest that has one. recs are what
// it was folded from, in the order of the fold.
func (s *Server) observation(ctx context.Context, c *call, id, traceID string) (row *entity.ObservationRow, recs []*entity.Record, err error) {
	fold, err := s.ownEvents(ctx, c, entity.ObservationKind, id)
	if err != nil {
		return nil, nil, err
	}
	row, err = fold.Observation(id, traceID)
	if err != nil {
		return nil, nil, err
	}
	return row, only(fold.Facts(), row.Seqs), nil
}

// askedObservation is the observation that a request names.
func (s *Server) askedObservation(ctx context.Context, c *call) (row *entity.ObservationRow, recs []*entity.Record, err error) {
	id, err := pathID(c)
	if err != nil {
		return nil, nil, err
	}
	q := query.Reader{Values: c.params}
	traceID := q.Text("trace_id")
	if q.Err != nil {
		return nil, nil, q.Err
	}
	c.question.copies = detailCopies
	return s.observation(ctx, c, id, traceID)
}

func getObservation(ctx context.Context, s *Server, c *call) (*answer, error) {
	row, recs, err := s.askedObservation(ctx, c)
	if err != nil {
		return nil, err
	}
	detail.Fill(&row.Observation, recs)
	if err := s.whole(ctx, c, row); err != nil {
		return nil, err
	}
	if row.TraceID == "" {
		return ok(&row.Observation, nil)
	}
	// Whether it counts depends on what is below it, which only its trace knows.
	page, err := query.ListObservations(ctx, s.o.Warehouse, c.caller.Project, store.Query{
		Filter: store.Filter{ID: row.ID, TraceID: row.TraceID}, Order: store.Order{Limit: 1},
	})
	if err != nil {
		return nil, err
	}
	if len(page.Data) > 0 {
		row.Counted = page.Data[0].Counted
	}
	return ok(&row.Observation, nil)
}
