package duckstore

import (
	"context"
	"database/sql"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

var scoreSorts = sortTypes{"timestamp": "BIGINT", "value": "DOUBLE"}

// scoreColumns is the filter over sc, with o the scored observation and t the
// trace of the score.
var scoreColumns = columns{
	time: "sc.timestamp", id: "sc.id", name: "sc.name", environment: "sc.environment", traceID: "sc.placed_in", tags: "t.tags",
	userID: "t.user_id", sessionID: "t.session_id", model: "o.model", typ: "o.type", level: "o.level",
}

// scoresWith defines sc and, as the question needs them, o and t beside it:
// what a score is about is not folded for nothing.
func (q *query) scoresWith(observation, place, trace bool) (tables []string, from string) {
	if !observation && !place && !trace {
		return []string{q.scores()}, "FROM s AS sc"
	}
	tables = []string{q.observations(), q.scores(), placedScores()}
	from = "FROM sc"
	if observation {
		from += " LEFT JOIN o ON sc.observation_id = o.id"
	}
	if trace {
		tables = append(tables, q.traces())
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
	page := &store.ScorePage{Data: []brokle.Score{}}
	err = w.ask(ctx, project, "query scores", func(v *view) error {
		q := v.query()
		conditions, err := q.conditions(&sq.Filter, scoreColumns)
		if err != nil {
			return err
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
			return err
		}
		tables, from := q.scoresWith(sq.Model != "" || sq.Type != "" || sq.Level != "", sq.TraceID != "", sq.UserID != "" || sq.SessionID != "" || sq.Tag != "")
		keys, err := v.keys(ctx, q, with(tables,
			"SELECT id, "+p.column+", first_seq, last_seq FROM (SELECT sc.* "+from+where(conditions...)+")"+where(beyond)+p.order()))
		if err != nil {
			return err
		}
		if keys, page.NextCursor, err = p.cut(keys); err != nil || len(keys) == 0 {
			return err
		}
		page.Data, err = v.wholeScores(ctx, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// wholeScores folds the scores in the order of keys.
func (v *view) wholeScores(ctx context.Context, keys []key) ([]brokle.Score, error) {
	q := v.query()
	q.only[store.ScoreKind] = q.selectKeys(keys)
	found := make(map[string]*brokle.Score, len(keys))
	statement := `SELECT id, coalesce(trace_id, ''),
		coalesce(observation_id, ''), coalesce(name, ''), value, coalesce(string_value, ''), coalesce(data_type, ''),
		coalesce(source, ''), coalesce(evaluator_name, ''), coalesce(evaluator_version, ''), coalesce(comment, ''),
		coalesce(author_user_id, ''), environment, timestamp FROM (` + q.foldScores() + ")"
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var s brokle.Score
		var value sql.NullFloat64
		var at int64
		err := r.Scan(&s.ID, &s.TraceID, &s.ObservationID, &s.Name, &value, &s.StringValue, &s.DataType, &s.Source,
			&s.EvaluatorName, &s.EvaluatorVersion, &s.Comment, &s.AuthorUserID, &s.Environment, &at)
		if err != nil {
			return err
		}
		s.Value, s.Timestamp = floatPtr(value), microTime(at)
		found[s.ID] = &s
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]brokle.Score, 0, len(keys))
	for _, k := range keys {
		if s := found[k.id]; s != nil {
			all = append(all, *s)
		}
	}
	return all, nil
}
