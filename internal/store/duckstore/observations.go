package duckstore

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var observationSorts = sortTypes{
	"start_time": "BIGINT", "end_time": "BIGINT", "latency_ms": "DOUBLE", "prompt_tokens": "BIGINT",
	"completion_tokens": "BIGINT", "total_tokens": "BIGINT", "input_cost": "DOUBLE", "output_cost": "DOUBLE",
	"total_cost": "DOUBLE", "quality_score": "DOUBLE",
}

// observationColumns is the filter over o; user_id and session_id are those of
// the trace (t) when the observation itself names none.
var observationColumns = columns{
	time: "o.start_time", id: "o.row", name: "o.name", userID: "coalesce(o.user_id, t.user_id)",
	sessionID: "coalesce(o.session_id, t.session_id)", environment: "o.environment", tags: "o.tags", model: "o.model",
	typ: "o.type", level: "o.level", traceID: "o.trace_id", latency: "o.latency_ms", cost: "o.total_cost",
	failed: "o.level = 'ERROR'", scores: "SELECT o.row AS owner, s.name, s.value FROM s JOIN o ON " + about,
	found: (*query).foundObservations,
}

// Observations answers with a page of observations.
func (w *Warehouse) Observations(ctx context.Context, project string, oq store.ObservationQuery) (*store.ObservationPage, error) {
	p, err := newPager(project, "observations", []any{oq.Filter, oq.ID}, oq.Order, "start_time", observationSorts)
	if err != nil {
		return nil, err
	}
	p.tie = "tie"
	page := &store.ObservationPage{Data: []wire.Observation{}}
	err = w.ask(ctx, project, "query observations", func(ctx context.Context, v *view) error {
		page.Data = page.Data[:0]
		keys, err := v.search(ctx, p, oq.Match, observationEvents, func(p *pager) ([]key, error) { return v.observationKeys(ctx, p, &oq) })
		if err != nil {
			return err
		}
		if keys, page.NextCursor, err = p.cut(keys); err != nil || len(keys) == 0 {
			return err
		}
		rows, err := whole(ctx, v, observationTable, keys, func(o *observationRow) key { return key{id: o.ID, trace: o.TraceID} })
		if err == nil {
			err = v.previews(ctx, keys, rows)
		}
		for i := range rows {
			page.Data = append(page.Data, rows[i].Observation)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// observationKeys finds the observations of a page.
func (v *view) observationKeys(ctx context.Context, p *pager, oq *store.ObservationQuery) ([]key, error) {
	q := v.query()
	conditions, err := q.conditions(&oq.Filter, observationColumns)
	if err != nil {
		return nil, err
	}
	if oq.ID != "" {
		// Not id = $2: of a list DuckDB knows the least and the greatest, and passes over row groups.
		conditions = append(conditions, "o.id IN ("+q.ids([]key{{id: oq.ID}})+")")
	}
	tables, from := observationsWithTrace(oq.UserID != "" || oq.SessionID != "", len(oq.Scores) > 0)
	beyond, err := p.where(q)
	if err != nil {
		return nil, err
	}
	return v.keys(ctx, q, with(tables,
		"SELECT * FROM (SELECT "+observationKeyColumns(p.column)+" "+from+where(conditions...)+")"+where(beyond)+p.order()))
}

func observationKeyColumns(value string) string {
	return "o.id, coalesce(o.trace_id, '') AS tie, o." + value + ", o.written, o.first_seq, o.last_seq"
}

// observationsWithTrace defines o, t when it is needed and s when scores are,
// and the FROM clause.
func observationsWithTrace(trace, scores bool) (tables []string, from string) {
	tables, from = []string{ofObservations}, "FROM o"
	if trace {
		tables, from = append(tables, ofParents), "FROM o LEFT JOIN t ON o.trace_id = t.id"
	}
	if scores {
		tables = append(tables, ofScores)
	}
	return tables, from
}
