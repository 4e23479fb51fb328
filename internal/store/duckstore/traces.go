package duckstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

var traceSorts = sortTypes{
	"start_time": "BIGINT", "end_time": "BIGINT", "latency_ms": "DOUBLE", "observation_count": "BIGINT",
	"error_count": "BIGINT", "total_tokens": "BIGINT", "total_cost": "DOUBLE",
}

// Traces answers with a page of traces. It first finds the ids of the page,
// folding only the columns that filter and sort, then folds these traces whole.
func (w *Warehouse) Traces(ctx context.Context, project string, tq store.TraceQuery) (*store.TracePage, error) {
	p, err := newPager(project, "traces", tq.Filter, tq.Order, "start_time", traceSorts)
	if err != nil {
		return nil, err
	}
	page := &store.TracePage{Data: []brokle.TraceSummary{}}
	err = w.ask(ctx, project, "query traces", func(v *view) error {
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
		"SELECT id, "+p.column+" FROM tr"+where(append(conditions, beyond)...)+p.order()))
}

// filteredTraces returns the tables that define tr, and the conditions of f on it.
func (q *query) filteredTraces(f *store.Filter) (tables, conditions []string, err error) {
	// A trace has a model, type or level when one of its observations has it.
	var marks []string
	mark := func(name, column, value string) string {
		if value == "" {
			return ""
		}
		marks = append(marks, fmt.Sprintf("bool_or(%s = %s) AS %s", column, q.arg(value), name))
		return name
	}
	c := columns{
		time: "start_time", id: "id", name: "name", userID: "user_id", sessionID: "session_id", environment: "environment",
		tags: "tags", traceID: "id", latency: "latency_ms", cost: "total_cost", failed: "error_count > 0",
		scores: "SELECT placed_in AS owner, name, value FROM sc", found: (*query).foundTraces,
	}
	any := *f
	any.Model, any.Type, any.Level = "", "", ""
	for _, m := range []string{
		mark("has_model", "model", f.Model), mark("has_type", "type", f.Type), mark("has_level", "level", f.Level),
	} {
		if m != "" {
			conditions = append(conditions, m)
		}
	}
	rest, err := q.conditions(&any, c)
	if err != nil {
		return nil, nil, err
	}
	tables = []string{q.traces(), q.observations(), traceSums(marks...), allTraces()}
	if len(f.Scores) > 0 {
		tables = append(tables, q.scores(), placedScores())
	}
	return tables, append(conditions, rest...), nil
}

// onlyTraces restricts the folds to the traces in the subquery ids and what may belong to them.
func (q *query) onlyTraces(ids string) {
	q.restrict[store.TraceKind] = ids
	q.restrict[store.ObservationKind] = fmt.Sprintf(
		"SELECT entity_id FROM events WHERE project = $1 AND kind = %d AND trace_id IN (%s)", store.ObservationKind, ids)
}

// traceSummaries folds the traces in the order of keys.
func (v *view) traceSummaries(ctx context.Context, keys []key) ([]brokle.TraceSummary, error) {
	q := v.query()
	ids := q.ids(keys)
	q.onlyTraces(ids)
	statement := with([]string{q.traces(), q.observations(), traceSums(), allTraces()},
		`SELECT id, coalesce(name, ''), coalesce(user_id, ''), coalesce(session_id, ''), environment, tags, start_time, end_time,
			latency_ms, observation_count, error_count, total_tokens, total_cost, models
		FROM tr WHERE id IN (`+ids+")")
	found := make(map[string]*brokle.TraceSummary, len(keys))
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		t, err := scanTrace(r)
		if err != nil {
			return err
		}
		found[t.ID] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := v.traceScores(ctx, keys, found); err != nil {
		return nil, err
	}
	traces := make([]brokle.TraceSummary, 0, len(keys))
	for _, k := range keys {
		if t := found[k.id]; t != nil {
			traces = append(traces, *t)
		}
	}
	return traces, nil
}

func scanTrace(r *sql.Rows) (*brokle.TraceSummary, error) {
	var (
		t            = &brokle.TraceSummary{Scores: map[string]any{}}
		tags, models any
		start        int64
		end          sql.NullInt64
		latency      sql.NullFloat64
	)
	err := r.Scan(&t.ID, &t.Name, &t.UserID, &t.SessionID, &t.Environment, &tags, &start, &end, &latency,
		&t.ObservationCount, &t.ErrorCount, &t.TotalTokens, &t.TotalCost, &models)
	if err != nil {
		return nil, err
	}
	t.Tags, t.Models = texts(tags), texts(models)
	t.StartTime, t.EndTime, t.LatencyMS = microTime(start), microTimePtr(end), floatPtr(latency)
	return t, nil
}

// scoreMean collects the scores of one name in one trace.
type scoreMean struct {
	numbers []float64
	text    sql.NullString
}

// result is the mean of the numbers, or the last text, or nil.
func (m *scoreMean) result() any {
	if len(m.numbers) == 0 {
		if !m.text.Valid {
			return nil
		}
		return m.text.String
	}
	slices.SortFunc(m.numbers, cmp.Compare) // the sum must not depend on the order of the rows
	sum := 0.0
	for _, n := range m.numbers {
		sum += n
	}
	if math.IsInf(sum, 0) {
		return nil // JSON cannot say it
	}
	return sum / float64(len(m.numbers))
}

// traceScores fills in the scores of the traces.
func (v *view) traceScores(ctx context.Context, keys []key, traces map[string]*brokle.TraceSummary) error {
	q := v.query()
	ids := q.ids(keys)
	q.onlyTraces(ids)
	q.restrictScores(ids)
	means := make(map[[2]string]*scoreMean)
	statement := with([]string{q.observations(), q.scores(), placedScores()},
		"SELECT placed_in, name, value, string_value FROM sc WHERE name <> '' AND placed_in IN ("+ids+") ORDER BY timestamp, id")
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

// restrictScores restricts the scores to those that may belong to the traces,
// after onlyTraces. A score that names none of them may name one of their observations.
func (q *query) restrictScores(ids string) {
	q.restrict[store.ScoreKind] = fmt.Sprintf(
		"SELECT entity_id FROM events WHERE project = $1 AND kind = %d AND (trace_id IN (%s) OR observation_id IN (%s))",
		store.ScoreKind, ids, q.restrict[store.ObservationKind])
}
