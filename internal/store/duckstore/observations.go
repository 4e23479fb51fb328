package duckstore

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// observationColumns is the filter over o; user_id and session_id are those of
// the trace (t) when the observation itself names none.
var observationColumns = columns{
	row: "o.",
	of: map[string]string{
		"time": "o.start_time", "user_id": "coalesce(o.user_id, t.user_id)", "session_id": "coalesce(o.session_id, t.session_id)",
		"release": "coalesce(o.release, t.release)", "tag": "list_contains(o.tags, %s)",
	},
	some: map[string]sqltext.Some{"tag": someOf("o.tags")},
	flags: map[string][2]string{
		"has_error":    {"o.level <> 'ERROR'", "o.level = 'ERROR'"},
		"is_duplicate": {"o.duplicate_of IS NULL", "o.duplicate_of IS NOT NULL"},
	},
	hash: "o.trace_hash", id: "o.row", scores: "SELECT o.row AS owner, s.name, s.value FROM s JOIN o ON " + about, found: (*builder).foundObservations,
}

// Observations answers with a page of observations.
func (w *Warehouse) Observations(ctx context.Context, project string, plan *store.Plan) ([]wire.Observation, *store.Place, error) {
	p := &pager{plan, "tie"}
	var rows []wholeRow[observationRow]
	var next *store.Place
	err := w.ask(ctx, project, "query observations", func(ctx context.Context, v *view) error {
		rows = nil
		keys, err := v.search(ctx, p, observationEvents, func(p *pager) ([]key, error) { return v.observationKeys(ctx, p) })
		if err != nil {
			return err
		}
		if keys, next = cut(keys, p.Limit); len(keys) == 0 {
			return nil
		}
		rows, err = whole(ctx, v, observationPage, keys, func(o *observationRow, k *key) { o.ID, o.TraceID = k.id, k.trace })
		return err
	})
	if err == nil && !plan.Bare {
		err = w.previews(ctx, project, rows)
	}
	if err != nil {
		return nil, nil, err
	}
	page := make([]wire.Observation, len(rows))
	for i := range rows {
		rows[i].row.Cite()
		page[i] = rows[i].row.Observation
	}
	return page, next, nil
}

// observationKeys finds the observations of a page.
func (v *view) observationKeys(ctx context.Context, p *pager) ([]key, error) {
	return v.pageKeys(ctx, p, func(q *builder, columns string, more ...string) string {
		conditions := q.conditions(&p.Where, observationColumns)
		tables, from := observationsWithTrace(observationColumns.need("t.", &p.Where), p.Scored())
		return with(tables, "SELECT "+columns+" FROM (SELECT "+observationKeyColumns(p.By)+" "+from+sqltext.Where(conditions...)+")"+sqltext.Where(append(more, p.where(q))...))
	})
}

func observationKeyColumns(value string) string {
	return "o.id, coalesce(o.trace_id, '') AS tie, o." + value + ", o.row, o.written, o.first_seq, o.last_seq"
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
