package server

import (
	"context"
	"errors"
	"math"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// sessionParams are those of sessions and of users.
func sessionParams() []string {
	return []string{"from", "to", "name", "user_id", "session_id", "environment", "tag", "model", "has_error", "sort", "limit", "cursor"}
}

func environmentParams() []string { return []string{"from", "to", "sort", "limit", "cursor"} }

func listSessions(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	sq := store.SessionQuery{Filter: q.filter(), Order: q.order()}
	if q.err != nil {
		return nil, q.err
	}
	return ok(s.o.Warehouse.Sessions(ctx, c.caller.Project, sq))
}

func listUsers(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	uq := store.UserQuery{Filter: q.filter(), Order: q.order()}
	if q.err != nil {
		return nil, q.err
	}
	return ok(s.o.Warehouse.Users(ctx, c.caller.Project, uq))
}

func listEnvironments(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	f := q.filter()
	eq := store.EnvironmentQuery{From: f.From, To: f.To, Order: q.order()}
	if q.err != nil {
		return nil, q.err
	}
	return ok(s.o.Warehouse.Environments(ctx, c.caller.Project, eq))
}

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
	q := query{values: c.params}
	cursor := q.text("cursor")
	if q.err != nil {
		return nil, q.err
	}
	of := store.Filter{SessionID: id}
	if err := c.question.need(ctx, weightOf(maxSessionTraces, maxSessionBytes)); err != nil {
		return nil, err
	}
	page, err := s.o.Warehouse.Sessions(ctx, c.caller.Project, store.SessionQuery{Filter: of, Order: store.Order{Limit: 1}})
	if err != nil {
		return nil, err
	}
	if len(page.Data) == 0 {
		return nil, store.ErrNotFound
	}
	session := wire.Session{SessionSummary: page.Data[0]}
	tq := store.TraceQuery{Filter: of, Order: store.Order{By: "start_time", Asc: true, Limit: maxSessionTraces, Cursor: cursor}}
	session.Traces, session.NextCursor, err = s.sessionTraces(ctx, c, tq)
	return ok(&session, err)
}

// sessionTraces is a page of traces with input and output. When they are too
// large together, as many as fit are asked for again: that page has the right cursor.
func (s *Server) sessionTraces(ctx context.Context, c *call, tq store.TraceQuery) ([]wire.SessionTrace, *string, error) {
	page, err := s.o.Warehouse.Traces(ctx, c.caller.Project, tq)
	if err != nil {
		return nil, nil, err
	}
	traces, err := s.withPayloads(ctx, c, page.Data, maxSessionBytes)
	if err != nil || len(traces) == len(page.Data) {
		return traces, page.NextCursor, err
	}
	tq.Limit = len(traces)
	if page, err = s.o.Warehouse.Traces(ctx, c.caller.Project, tq); err != nil {
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
	seqs, err := s.o.Warehouse.EntityEvents(ctx, c.caller.Project, entity.TraceKind, ids)
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
