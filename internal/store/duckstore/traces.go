package duckstore

import (
	"context"
	"database/sql"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// traceColumns is the filter over tr. It needs o. A trace has a model, type or level when one
// of its observations has it.
var traceColumns = columns{
	of: map[string]string{
		"time": "start_time", "tag": "list_contains(tags, %s)", "model": "list_contains(models, %s)",
		"type": "id IN (SELECT trace_id FROM o WHERE type = %s)", "level": "id IN (SELECT trace_id FROM o WHERE level = %s)",
		"trace_id": "id", "has_error": "(error_count > 0)",
	},
	id: "id", scores: "SELECT placed_in AS owner, name, value FROM sc", found: (*builder).foundTraces,
}

// Traces answers with a page of traces. It first finds the ids of the page with
// the columns that filter and sort, then reads these traces whole.
func (w *Warehouse) Traces(ctx context.Context, project string, plan *store.Plan) ([]wire.TraceSummary, *store.Place, error) {
	p := &pager{plan, ""}
	var page []wire.TraceSummary
	var next *store.Place
	err := w.ask(ctx, project, "query traces", func(ctx context.Context, v *view) error {
		page = nil
		keys, err := v.search(ctx, p, traceEvents, func(p *pager) ([]key, error) { return v.traceKeys(ctx, p) })
		if err != nil {
			return err
		}
		if keys, next = cut(keys, p.Limit); len(keys) == 0 {
			return nil
		}
		page, err = v.traceSummaries(ctx, keys)
		return err
	})
	return page, next, err
}

// traceKeys finds the traces of a page.
func (v *view) traceKeys(ctx context.Context, p *pager) ([]key, error) {
	q := v.query()
	tables, conditions := q.filteredTraces(&p.Where)
	return v.keys(ctx, q, with(tables,
		"SELECT "+keyColumns(p.By, noTrace)+" FROM tr"+where(append(conditions, p.where(q))...)+p.order()))
}

// filteredTraces returns the tables that define o and tr, and the conditions
// of f on tr. When f asks for scores, they define s and sc too.
func (q *builder) filteredTraces(f *store.Where) (tables, conditions []string) {
	tables = []string{ofTraces, ofObservations}
	if len(f.Scores) > 0 {
		tables = append(tables, ofScores, ofPlacedScores)
	}
	return tables, q.conditions(f, traceColumns)
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
		traces[i] = rows[i].row.TraceSummary
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
func (q *builder) observationsOf(keys []key, columns string) string {
	spans := make([]span, len(keys))
	for i, k := range keys {
		spans[i] = span{k.span.first, k.written}
	}
	return "SELECT " + columns + " FROM o WHERE " + within("written", joinSpans(spans, fewSpans)) + " AND trace_id IN (" + q.ids(keys) + ")"
}

// scoresOf is sc, of the traces of keys only: their scores, and those of their
// observations that name no trace. It needs o and s.
func (q *builder) scoresOf(keys []key) string {
	return table("sc", "SELECT s.*, s.trace_id AS placed_in FROM s WHERE s.trace_id IN ("+q.ids(keys)+`)
	UNION ALL SELECT s.*, own.placed_in FROM s JOIN (`+q.observationsOf(keys, "id AS own_id, trace_id AS placed_in")+` AND newest) AS own
	ON s.observation_id = own.own_id WHERE s.trace_id IS NULL`)
}
