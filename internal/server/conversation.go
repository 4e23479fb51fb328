package server

import (
	"context"
	"errors"
	"math"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Bounds of one answer of a session: its traces come with their payloads.
const (
	maxSessionTraces = 200
	maxSessionBytes  = 16 << 20 // of payloads; one trace comes however large it is
)

// getTraceSession is the session with its traces, oldest first, as many as fit.
func getTraceSession(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	cursor := q.Text("cursor")
	if q.Err != nil {
		return nil, q.Err
	}
	of := store.Filter{SessionID: id}
	if err := c.question.need(ctx, weightOf(maxSessionTraces, maxSessionBytes)); err != nil {
		return nil, err
	}
	page, err := query.ListSessions(ctx, s.o.Warehouse, c.caller.Project, store.Query{Filter: of, Order: store.Order{Limit: 1}})
	if err != nil {
		return nil, err
	}
	if len(page.Data) == 0 {
		return nil, store.ErrNotFound
	}
	session := wire.Session{SessionSummary: page.Data[0]}
	tq := store.Query{Filter: of, Order: store.Order{By: "start_time", Asc: true, Limit: maxSessionTraces, Cursor: cursor}}
	session.Traces, session.NextCursor, err = s.sessionTraces(ctx, c, tq)
	return ok(&session, err)
}

// sessionTraces is a page of traces with input and output. When they are too
// large together, as many as fit are asked for again: that page has the right cursor.
func (s *Server) sessionTraces(ctx context.Context, c *call, tq store.Query) ([]wire.SessionTrace, *string, error) {
	page, err := query.ListTraces(ctx, s.o.Warehouse, c.caller.Project, tq)
	if err != nil {
		return nil, nil, err
	}
	traces, err := s.withPayloads(ctx, c, page.Data, maxSessionBytes)
	if err != nil || len(traces) == len(page.Data) {
		return traces, page.NextCursor, err
	}
	tq.Limit = len(traces)
	if page, err = query.ListTraces(ctx, s.o.Warehouse, c.caller.Project, tq); err != nil {
		return nil, nil, err
	}
	traces, err = s.withPayloads(ctx, c, page.Data, math.MaxInt)
	return traces, page.NextCursor, err
}

// withPayloads reads input and output of the first traces whose payloads have at
// most room bytes together, and of one in any case.
func (s *Server) withPayloads(ctx context.Context, c *call, summaries []wire.TraceSummary, room int) ([]wire.SessionTrace, error) {
	ids := make([]string, len(summaries))
	for i := range summaries {
		ids[i] = summaries[i].ID
	}
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, c.caller.Project, entity.TraceKind, ids)
	if err != nil {
		return nil, err
	}
	c.question.forget() // of an earlier try
	traces := make([]wire.SessionTrace, 0, len(summaries))
	for i, id := range ids {
		recs, err := s.readAll(ctx, c, seqs[id])
		if err != nil {
			return nil, err
		}
		trace := wire.SessionTrace{TraceSummary: summaries[i]}
		folded, err := entity.FoldTrace(recs, id)
		if err == nil {
			trace.Input, trace.Output = folded.Input, folded.Output
		} else if !errors.Is(err, store.ErrNotFound) { // a trace may have no event of its own
			return nil, err
		}
		if room -= len(trace.Input) + len(trace.Output); room < 0 && i > 0 {
			break
		}
		traces = append(traces, trace)
	}
	return traces, nil
}
