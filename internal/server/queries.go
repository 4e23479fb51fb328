package server

import (
	"context"
	"net/http"

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
	format, full, fields := q.Text("format"), q.Is("full"), q.Text("fields")
	if format != "" && format != "otlp" {
		q.Fail("format", "must be otlp, or be left out")
	}
	switch {
	case fields != "" && fields != fieldsTree && fields != fieldsTrace:
		q.Fail("fields", "must be tree or trace, or be left out")
	case fields != "" && (format != "" || full):
		q.Fail("fields", "goes with neither format nor full")
	}
	switch {
	case q.Err != nil:
		return nil, q.Err
	case format != "":
		return s.traceAsOTLP(ctx, c, id)
	case fields == fieldsTree:
		return ok(s.tree(ctx, c, id))
	}
	copies := int64(payloadCopies)
	if full {
		copies = detailCopies
	}
	o, err := s.outline(ctx, c, outlining{id: id, marked: true, copies: copies})
	if err != nil {
		return nil, err
	}
	if fields == fieldsTrace {
		return ok(o.alone(), nil)
	}
	return ok(o.trace(full), nil)
}

// entityEvents are the events of an entity; one without any is not found.
func (s *Server) entityEvents(ctx context.Context, c *call, kind entity.Kind, id string) ([]entity.Seq, error) {
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, c.caller.Project, kind, []string{id})
	if err == nil && len(seqs[id]) == 0 {
		err = store.ErrNotFound
	}
	return seqs[id], err
}

// wholeObservation is the observation that a request names: its row, and all that it was folded from, in the order of the fold.
func (s *Server) wholeObservation(ctx context.Context, c *call) (row *entity.ObservationRow, recs []*entity.Record, err error) {
	id, traceID, err := observationOf(c)
	if err != nil {
		return nil, nil, err
	}
	seqs, err := s.entityEvents(ctx, c, entity.ObservationKind, id)
	if err != nil {
		return nil, nil, err
	}
	c.question.copies = detailCopies
	all, err := s.readAll(ctx, c, seqs)
	if err != nil {
		return nil, nil, err
	}
	return foldObservation(all, id, traceID)
}

// foldObservation folds the observation of the trace, or the newest when traceID is "". recs are what it was folded from, in the order of the fold.
func foldObservation(all []entity.Record, id, traceID string) (row *entity.ObservationRow, recs []*entity.Record, err error) {
	fold, err := entity.FoldOf(all, entity.ObservationKind, id)
	if err != nil {
		return nil, nil, err
	}
	if row, err = fold.Observation(id, traceID); err != nil {
		return nil, nil, err
	}
	return row, only(fold.Facts(), row.Seqs), nil
}

// observationOf is which observation a request names; traceID is "" for the newest.
func observationOf(c *call) (id, traceID string, err error) {
	if id, err = pathID(c); err != nil {
		return "", "", err
	}
	q := query.Reader{Values: c.params}
	return id, q.Text("trace_id"), q.Err
}
