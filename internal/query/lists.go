package query

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// MaxLimit is the most rows that one page has, DefaultLimit those of a list when nothing is said, MaxBare the most of a page of
// observations without previews.
const (
	MaxLimit     = 1000
	DefaultLimit = 50
	MaxBare      = 5000
)

// vocabulary is what a list can be sorted by.
type vocabulary struct {
	name  string // in cursors
	first string // the column that it is sorted by when nothing is said
	sorts map[string]store.Number
}

func vocabularyOf(l List) vocabulary {
	switch l {
	case Traces:
		return vocabulary{"traces", entity.StartTime.String(), sortsOf(entity.TraceKind)}
	case Observations:
		return vocabulary{"observations", entity.StartTime.String(), sortsOf(entity.ObservationKind)}
	case Scores:
		return vocabulary{"scores", "timestamp", sortsOf(entity.ScoreKind)}
	}
	const last = "last_seen"
	totals := map[string]store.Number{
		"first_seen": store.Integer, last: store.Integer, "trace_count": store.Integer, "observation_count": store.Integer,
		"error_count": store.Integer, "total_tokens": store.Integer, "total_cost": store.Float,
	}
	switch l {
	case Sessions:
		return vocabulary{"sessions", last, totals}
	case Users:
		totals["session_count"] = store.Integer
		return vocabulary{"users", last, totals}
	}
	return vocabulary{"environments", last, totals}
}

// sortsOf are the columns of a kind's rows that hold numbers or times.
func sortsOf(kind entity.Kind) map[string]store.Number {
	sorts := map[string]store.Number{}
	for _, c := range entity.Columns(kind) {
		if !c.Sorts() {
			continue
		}
		sorts[c.Name] = store.Integer
		if c.Type == entity.Float {
			sorts[c.Name] = store.Float
		}
	}
	return sorts
}

// hashed is what tells the filter from others in a cursor.
func hashed(f store.Filter, l List) any {
	switch l {
	case Observations:
		return []any{f, f.ID}
	case Scores:
		return []any{f, f.ObservationID, f.DataType, f.Source}
	}
	return f
}

// planOf checks a query. hash identifies it.
func planOf(l List, project string, q *store.Query) (p *store.Plan, hash string, err error) {
	v := vocabularyOf(l)
	p = &store.Plan{By: q.By, Asc: q.Asc, Bare: q.Bare}
	if p.By == "" {
		p.By = v.first
	}
	var known bool
	if p.Number, known = v.sorts[p.By]; !known {
		return nil, "", &store.QueryError{Param: "sort", Message: fmt.Sprintf("cannot sort by %q", p.By)}
	}
	most := MaxLimit
	if q.Bare {
		most = MaxBare
	}
	if p.Limit, err = checkLimit(q.Limit, DefaultLimit, most); err != nil {
		return nil, "", err
	}
	if hash, err = hashOf(project, v.name, []any{hashed(q.Filter, l), p.By, p.Asc}); err != nil {
		return nil, "", err
	}
	at, err := decodeCursor(q.Cursor, hash)
	if err != nil {
		return nil, "", err
	}
	if p.Where, err = whereOf(&q.Filter, l, v.name); err != nil {
		return nil, "", err
	}
	p.After, err = at.place(p.Number)
	return p, hash, err
}

func checkLimit(limit, absent, most int) (int, error) {
	if limit == 0 {
		return absent, nil
	}
	if limit < 1 || limit > most {
		return 0, &store.QueryError{Param: "limit", Message: fmt.Sprintf("must be 1 to %d", most)}
	}
	return limit, nil
}

// page asks for a page of a list.
func page[R any](ctx context.Context, l List, project string, q *store.Query,
	ask func(context.Context, string, *store.Plan) ([]R, *store.Place, error),
) (*wire.Page[R], error) {
	plan, hash, err := planOf(l, project, q)
	if err != nil {
		return nil, err
	}
	data, end, err := ask(ctx, project, plan)
	if err != nil {
		return nil, err
	}
	if data == nil {
		data = []R{}
	}
	next, err := cursorAt(end, hash)
	if err != nil {
		return nil, err
	}
	return &wire.Page[R]{Data: data, NextCursor: next}, nil
}

// ListTraces answers with a page of traces.
func ListTraces(ctx context.Context, w store.Warehouse, project string, q store.Query) (*wire.Page[wire.TraceSummary], error) {
	return page(ctx, Traces, project, &q, w.Traces)
}

// ListObservations answers with a page of observations.
func ListObservations(ctx context.Context, w store.Warehouse, project string, q store.Query) (*wire.Page[wire.Observation], error) {
	return page(ctx, Observations, project, &q, w.Observations)
}

// ListScores answers with a page of scores.
func ListScores(ctx context.Context, w store.Warehouse, project string, q store.Query) (*wire.Page[wire.Score], error) {
	return page(ctx, Scores, project, &q, w.Scores)
}

// ListSessions answers with a page of sessions.
func ListSessions(ctx context.Context, w store.Warehouse, project string, q store.Query) (*wire.Page[wire.SessionSummary], error) {
	return page(ctx, Sessions, project, &q, totalsOf(w, store.Sessions, func(t *store.Total) wire.SessionSummary {
		return wire.SessionSummary{ID: t.ID, UserIDs: t.UserIDs, Environments: t.Environments, Totals: t.Totals}
	}))
}

// ListUsers answers with a page of users.
func ListUsers(ctx context.Context, w store.Warehouse, project string, q store.Query) (*wire.Page[wire.UserSummary], error) {
	return page(ctx, Users, project, &q, totalsOf(w, store.Users, func(t *store.Total) wire.UserSummary {
		return wire.UserSummary{ID: t.ID, SessionCount: t.SessionCount, Totals: t.Totals}
	}))
}

// ListEnvironments answers with a page of environments. Of the filter it takes From and To.
func ListEnvironments(ctx context.Context, w store.Warehouse, project string, q store.Query) (*wire.Page[wire.EnvironmentSummary], error) {
	return page(ctx, Environments, project, &q, totalsOf(w, store.Environments, func(t *store.Total) wire.EnvironmentSummary {
		return wire.EnvironmentSummary{Name: t.ID, Totals: t.Totals}
	}))
}

// totalsOf asks for totals as rows of a list.
func totalsOf[R any](w store.Warehouse, by store.Totaled, row func(*store.Total) R) func(context.Context, string, *store.Plan) ([]R, *store.Place, error) {
	return func(ctx context.Context, project string, p *store.Plan) ([]R, *store.Place, error) {
		totals, end, err := w.Totals(ctx, project, by, p)
		out := make([]R, len(totals))
		for i := range totals {
			out[i] = row(&totals[i])
		}
		return out, end, err
	}
}
