package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

func traceParams() []string {
	names := slices.DeleteFunc(filterNames(), func(n string) bool { return n == "type" || n == "trace_id" })
	return append(names, "id", "sort", "limit", "cursor")
}

func observationParams() []string { return append(filterNames(), "id", "sort", "limit", "cursor") }

func scoreParams() []string {
	return []string{"from", "to", "name", "user_id", "session_id", "environment", "tag", "model", "type", "level", "trace_id",
		"observation_id", "data_type", "source", "sort", "limit", "cursor"}
}

func statsParams() []string {
	return append(filterNames(), "of", "metrics", "group_by", "interval", "tz", "limit", "cursor")
}

func listTraces(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	tq := store.TraceQuery{Filter: q.filter(), Order: q.order()}
	words := q.words()
	if q.err != nil {
		return nil, q.err
	}
	done, err := s.search(ctx, c.caller.Project, &tq.Filter, words)
	if err != nil {
		return nil, err
	}
	defer done()
	page, err := s.o.Warehouse.Traces(ctx, c.caller.Project, tq)
	return ok(page, err)
}

func listObservations(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	oq := store.ObservationQuery{Filter: q.filter(), Order: q.order()}
	words := q.words()
	if q.err != nil {
		return nil, q.err
	}
	done, err := s.search(ctx, c.caller.Project, &oq.Filter, words)
	if err != nil {
		return nil, err
	}
	defer done()
	page, err := s.o.Warehouse.Observations(ctx, c.caller.Project, oq)
	return ok(page, err)
}

func listScores(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	sq := store.ScoreQuery{
		Filter: q.filter(), Order: q.order(), ObservationID: q.text("observation_id"),
		DataType: strings.ToUpper(q.text("data_type")), Source: strings.ToUpper(q.text("source")),
	}
	if q.err != nil {
		return nil, q.err
	}
	page, err := s.o.Warehouse.Scores(ctx, c.caller.Project, sq)
	return ok(page, err)
}

func getStats(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	sq := store.StatsQuery{
		Filter: q.filter(), Of: q.text("of"), Metrics: q.metrics("metrics", maxMetrics), GroupBy: q.list("group_by", maxGroups),
		Interval: q.interval("interval"), Zone: q.zone("tz"), Limit: q.limit(defaultStatsLimit), Cursor: q.text("cursor"),
	}
	def(&sq.Of, "observations")
	if !slices.Contains([]string{"observations", "traces", "scores", "events"}, sq.Of) {
		q.fail("of", "must be observations, traces, scores or events")
	}
	if len(sq.Metrics) == 0 {
		sq.Metrics = []string{"count"}
	}
	words := q.words()
	if words != nil && sq.Of == "scores" {
		q.fail("q", "is no filter of scores")
	}
	if q.err != nil {
		return nil, q.err
	}
	if err := s.searchStats(ctx, c.caller.Project, &sq.Filter, words); err != nil {
		return nil, err
	}
	page, err := s.o.Warehouse.Stats(ctx, c.caller.Project, sq)
	return ok(page, err)
}

// ok is the 200 of a body, or the error.
func ok[T any](body *T, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: body}, nil
}

// records returns every event that folds into the trace, payloads and all.
func (s *Server) records(ctx context.Context, c *call, traceID string) ([]entity.Record, error) {
	seqs, err := s.o.Warehouse.TraceEvents(ctx, c.caller.Project, traceID)
	if err != nil {
		return nil, err
	}
	return s.readAll(ctx, c, seqs)
}

func getTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	recs, err := s.records(ctx, c, id)
	if err != nil {
		return nil, err
	}
	return ok(entity.FoldTrace(recs, id))
}

// ownEvents collects the entity's own events, which hold the payloads that the
// Warehouse's row does not. An entity without any is not found.
func (s *Server) ownEvents(ctx context.Context, c *call, kind entity.Kind, id string) (*entity.Fold, error) {
	seqs, err := s.o.Warehouse.EntityEvents(ctx, c.caller.Project, kind, []string{id})
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

// observation folds the observation id of the trace, or of the newest that has one.
func (s *Server) observation(ctx context.Context, c *call, id, traceID string) (*entity.ObservationRow, error) {
	fold, err := s.ownEvents(ctx, c, entity.ObservationKind, id)
	if err != nil {
		return nil, err
	}
	return fold.Observation(id, traceID)
}

func getObservation(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	q := query{values: c.params}
	traceID := q.text("trace_id")
	if q.err != nil {
		return nil, q.err
	}
	row, err := s.observation(ctx, c, id, traceID)
	if err != nil {
		return nil, err
	}
	if row.TraceID == "" {
		return ok(&row.Observation, nil)
	}
	// Whether it counts depends on what is below it, which only its trace knows.
	page, err := s.o.Warehouse.Observations(ctx, c.caller.Project, store.ObservationQuery{
		ID: id, Filter: store.Filter{TraceID: row.TraceID}, Order: store.Order{Limit: 1},
	})
	if err != nil {
		return nil, err
	}
	if len(page.Data) > 0 {
		row.Counted = page.Data[0].Counted
	}
	return ok(&row.Observation, nil)
}
