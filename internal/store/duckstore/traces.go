package duckstore

import (
	"context"
	"database/sql"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var traceSorts = sortTypes{
	"start_time": "BIGINT", "end_time": "BIGINT", "latency_ms": "DOUBLE", "observation_count": "BIGINT",
	"error_count": "BIGINT", "total_tokens": "BIGINT", "total_cost": "DOUBLE",
}

// Traces answers with a page of traces. It first finds the ids of the page with
// the columns that filter and sort, then reads these traces whole.
func (w *Warehouse) Traces(ctx context.Context, project string, tq store.TraceQuery) (*store.TracePage, error) {
	p, err := newPager(project, "traces", tq.Filter, tq.Order, "start_time", traceSorts)
	if err != nil {
		return nil, err
	}
	page := &store.TracePage{Data: []wire.TraceSummary{}}
	err = w.ask(ctx, project, "query traces", func(ctx context.Context, v *view) error {
		page.Data = page.Data[:0]
		keys, err := v.search(ctx, p, tq.Match, traceEvents, func(p *pager) ([]key, error) { return v.traceKeys(ctx, p, &tq.Filter) })
		if err != nil {
			return err
		}
		if keys, page.NextCursor, err = p.cut(keys); err != nil || len(keys) == 0 {
			return err
		}
		page.Data, err = v.traceSummaries(ctx, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// traceKeys finds the traces of a page.
func (v *view) traceKeys(ctx context.Context, p *pager, f *store.Filter) ([]key, error) {
	q := v.query()
	tables, conditions, err := q.filteredTraces(f)
	if err != nil {
		return nil, err
	}
	beyond, err := p.where(q)
	if err != nil {
		return nil, err
	}
	return v.keys(ctx, q, with(tables,
		"SELECT "+keyColumns(p.column, noTrace)+" FROM tr"+where(append(conditions, beyond)...)+p.order()))
}

// filteredTraces returns the tables that define o and tr, and the conditions
// of f on tr. When f asks for scores, they define s and sc too.
func (q *query) filteredTraces(f *store.Filter) (tables, conditions []string, err error) {
	// A trace has a model, type or level when one of its observations has it.
	if f.Model != "" {
		conditions = append(conditions, "list_contains(models, "+q.arg(f.Model)+")")
	}
	for _, c := range []struct{ column, value string }{{"type", f.Type}, {"level", f.Level}} {
		if c.value != "" {
			conditions = append(conditions, "id IN (SELECT trace_id FROM o WHERE "+c.column+" = "+q.arg(c.value)+")")
		}
	}
	c := columns{
		time: "start_time", id: "id", name: "name", userID: "user_id", sessionID: "session_id", environment: "environment",
		tags: "tags", traceID: "id", latency: "latency_ms", cost: "total_cost", failed: "error_count > 0",
		scores: "SELECT placed_in AS owner, name, value FROM sc", found: (*query).foundTraces,
	}
	any := *f
	any.Model, any.Type, any.Level = "", "", ""
	rest, err := q.conditions(&any, c)
	if err != nil {
		return nil, nil, err
	}
	tables = []string{ofTraces, ofObservations}
	if len(f.Scores) > 0 {
		tables = append(tables, ofScores, ofPlacedScores)
	}
	return tables, append(conditions, rest...), nil
}

// traceSummaries reads the traces in the order of keys.
func (v *view) traceSummaries(ctx context.Context, keys []key) ([]wire.TraceSummary, error) {
	rows, err := whole(ctx, v, traceTable, keys, func(t *wire.Trace) key { return key{id: t.ID} })
	if err != nil {
		return nil, err
	}
	traces := make([]wire.TraceSummary, len(rows))
	found := make(map[string]*wire.TraceSummary, len(rows))
	for i := range rows {
		traces[i] = rows[i].TraceSummary
		traces[i].Scores = map[string]any{}
		found[traces[i].ID] = &traces[i]
	}
	return traces, v.traceScores(ctx, keys, found)
}

// scoreMean collects the scores of one name in one trace.
type scoreMean struct {
	numbers []float64
	text    sql.NullString
}

// result is the mean of the numbers, or the last text, or nil.
func (m *scoreMean) result() any {
	if len(m.numbers) > 0 {
		if mean, ok := entity.Mean(m.numbers); ok {
			return mean
		}
		return nil
	}
	if !m.text.Valid {
		return nil
	}
	return m.text.String
}

// traceScores fills in the scores of the traces.
func (v *view) traceScores(ctx context.Context, keys []key, traces map[string]*wire.TraceSummary) error {
	q := v.query()
	means := make(map[[2]string]*scoreMean)
	statement := with([]string{ofObservations, ofScores, q.scoresOf(keys)},
		"SELECT placed_in, name, value, CASE WHEN data_type = '"+entity.Categorical+"' THEN coalesce(string_value, '') END FROM sc WHERE name IS NOT NULL ORDER BY timestamp, id")
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var trace, name string
		var text sql.NullString
		var value sql.NullFloat64
		if err := r.Scan(&trace, &name, &value, &text); err != nil {
			return err
		}
		m := means[[2]string{trace, name}]
		if m == nil {
			m = &scoreMean{}
			means[[2]string{trace, name}] = m
		}
		if value.Valid {
			m.numbers = append(m.numbers, value.Float64)
		} else if text.Valid {
			m.text = text
		}
		return nil
	})
	if err != nil {
		return err
	}
	for at, m := range means {
		if t, value := traces[at[0]], m.result(); t != nil && value != nil {
			t.Scores[at[1]] = value
		}
	}
	return nil
}

// observationsOf is a SELECT of the columns of the observations of traces: their rows
// were written after the first event of the traces, and not after their rows.
func (q *query) observationsOf(keys []key, columns string) string {
	spans := make([]span, len(keys))
	for i, k := range keys {
		spans[i] = span{k.span.first, k.written}
	}
	return "SELECT " + columns + " FROM o WHERE " + within("written", joinSpans(spans, fewSpans)) + " AND trace_id IN (" + q.ids(keys) + ")"
}

// scoresOf is sc, of the traces of keys only: their scores, and those of their
// observations that name no trace. It needs o and s.
func (q *query) scoresOf(keys []key) string {
	return table("sc", "SELECT s.*, s.trace_id AS placed_in FROM s WHERE s.trace_id IN ("+q.ids(keys)+`)
	UNION ALL SELECT s.*, own.placed_in FROM s JOIN (`+q.observationsOf(keys, "id AS own_id, trace_id AS placed_in")+` AND newest) AS own
	ON s.observation_id = own.own_id WHERE s.trace_id IS NULL`)
}
