package duckstore

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// scoreColumns is the filter over sc, with o the scored observation and t the
// trace of the score.
var scoreColumns = columns{row: "sc.", of: map[string]string{
	"time": "sc.timestamp", "trace_id": "sc.placed_in",
	"tag": "list_contains(t.tags, %s)", "user_id": "t.user_id", "session_id": "t.session_id", "release": "t.release",
	"model": "o.model", "type": "o.type", "level": "o.level", "provider": "o.provider", "version": "o.version",
	store.GroupValue: bucketBound(""),
}, some: map[string]sqltext.Some{"tag": someOf("t.tags")}}

// scoresWith defines sc and, as the question needs them, o and t beside it:
// what a score is about is not looked up for nothing.
func scoresWith(w *store.Where, groups ...string) (tables []string, from string) {
	needs := func(alias string) bool { return scoreColumns.need(alias, w, groups...) }
	observation, place, trace := needs("o."), needs("sc.placed_in"), needs("t.")
	if !observation && !place && !trace {
		return []string{ofScores}, "FROM s AS sc"
	}
	tables = []string{ofObservations, ofScores, ofPlacedScores}
	from = "FROM sc"
	if observation {
		// An OR in it would have each row compared with each.
		from += " LEFT JOIN o ON sc.observation_id = o.id AND sc.placed_in IS NOT DISTINCT FROM o.trace_id"
	}
	if trace {
		tables = append(tables, ofParents)
		from += " LEFT JOIN t ON sc.placed_in = t.id"
	}
	return tables, from
}

// Scores answers with a page of scores.
func (w *Warehouse) Scores(ctx context.Context, project string, plan *store.Plan) ([]wire.Score, *store.Place, error) {
	p := &pager{plan, ""}
	var page []wire.Score
	var next *store.Place
	err := w.ask(ctx, project, "query scores", func(ctx context.Context, v *view) error {
		page = nil
		keys, err := v.scoreKeys(ctx, p)
		if err != nil {
			return err
		}
		if keys, next = cut(keys, p.Limit); len(keys) == 0 {
			return nil
		}
		rows, err := whole(ctx, v, scorePage, keys, func(s *wire.Score, k *key) { s.ID = k.id })
		for i := range rows {
			page = append(page, rows[i].row)
		}
		return err
	})
	return page, next, err
}

// scoreKeys finds the scores of a page.
func (v *view) scoreKeys(ctx context.Context, p *pager) ([]key, error) {
	return v.pageKeys(ctx, p, func(q *builder, columns string, more ...string) string {
		conditions := q.conditions(&p.Where, scoreColumns)
		tables, from := scoresWith(&p.Where)
		inner := "SELECT " + keyColumns(p.By, noTrace) + " FROM (SELECT sc.* " + from + sqltext.Where(conditions...) + ")"
		return with(tables, "SELECT "+columns+" FROM ("+inner+")"+sqltext.Where(append(more, p.where(q))...))
	})
}
