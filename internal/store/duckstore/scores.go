package duckstore

import (
	"context"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var scoreSorts = sortTypes{"timestamp": "BIGINT", "value": "DOUBLE"}

// scoreColumns is the filter over sc, with o the scored observation and t the
// trace of the score.
var scoreColumns = columns{
	time: "sc.timestamp", id: "sc.id", name: "sc.name", environment: "sc.environment", traceID: "sc.placed_in", tags: "t.tags",
	userID: "t.user_id", sessionID: "t.session_id", model: "o.model", typ: "o.type", level: "o.level",
}

// scoresWith defines sc and, as the question needs them, o and t beside it:
// what a score is about is not looked up for nothing.
func scoresWith(observation, place, trace bool) (tables []string, from string) {
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
func (w *Warehouse) Scores(ctx context.Context, project string, sq store.ScoreQuery) (*store.ScorePage, error) {
	p, err := newPager(project, "scores", []any{sq.Filter, sq.ObservationID, sq.DataType, sq.Source}, sq.Order, "timestamp", scoreSorts)
	if err != nil {
		return nil, err
	}
	page := &store.ScorePage{Data: []wire.Score{}}
	err = w.ask(ctx, project, "query scores", func(ctx context.Context, v *view) error {
		page.Data = page.Data[:0]
		keys, err := v.scoreKeys(ctx, p, &sq)
		if err != nil {
			return err
		}
		if keys, page.NextCursor, err = p.cut(keys); err != nil || len(keys) == 0 {
			return err
		}
		page.Data, err = whole(ctx, v, scoreTable, keys, func(s *wire.Score) key { return key{id: s.ID} })
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// scoreKeys finds the scores of a page.
func (v *view) scoreKeys(ctx context.Context, p *pager, sq *store.ScoreQuery) ([]key, error) {
	q := v.query()
	conditions, err := q.conditions(&sq.Filter, scoreColumns)
	if err != nil {
		return nil, err
	}
	for _, c := range []struct{ column, value string }{
		{"sc.observation_id", sq.ObservationID}, {"sc.data_type", sq.DataType}, {"sc.source", sq.Source},
	} {
		if c.value != "" {
			conditions = append(conditions, c.column+" = "+q.arg(c.value))
		}
	}
	beyond, err := p.where(q)
	if err != nil {
		return nil, err
	}
	tables, from := scoresWith(sq.Model != "" || sq.Type != "" || sq.Level != "", sq.TraceID != "", sq.UserID != "" || sq.SessionID != "" || sq.Tag != "")
	return v.keys(ctx, q, with(tables,
		"SELECT "+keyColumns(p.column, noTrace)+" FROM (SELECT sc.* "+from+where(conditions...)+")"+where(beyond)+p.order()))
}
