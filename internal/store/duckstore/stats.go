package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// statement is a statistics query in the making.
type statement struct {
	*query
	*subject
	sq      *store.StatsQuery
	groups  []string // names, in the order asked
	metrics []metric
}

// metric is one that was asked for.
type metric struct {
	name string
	// expression is its SQL; "" for one of scores, which scoreStats finds.
	expression string
	score      string // the name of the scores
	counts     bool   // their number is asked for, not their mean
}

// Stats answers with a page of aggregates, ordered by time and group.
func (w *Warehouse) Stats(ctx context.Context, project string, sq store.StatsQuery) (*store.StatsPage, error) {
	subject, err := subjectOf(sq.Of)
	if err != nil {
		return nil, err
	}
	if sq.Match != nil {
		return nil, &store.QueryError{Param: "q", Message: "is no filter of statistics, unless as a list of events"}
	}
	limit := sq.Limit
	if limit == 0 {
		limit = maxLimit
	}
	if limit, err = checkLimit(limit); err != nil {
		return nil, err
	}
	keyed := sq
	keyed.Limit, keyed.Cursor = 0, ""
	hash, err := hashOf(project, "stats", keyed)
	if err != nil {
		return nil, err
	}
	after, err := decodeCursor(sq.Cursor, hash)
	if err != nil {
		return nil, err
	}
	page := &store.StatsPage{Data: []wire.StatRow{}}
	err = w.ask(ctx, project, "query statistics", func(ctx context.Context, v *view) error {
		s, err := newStatement(v, subject, &sq)
		if err != nil {
			return err
		}
		text, err := s.text(after, limit)
		if err != nil {
			return err
		}
		var scored map[string]map[string]scoreSum
		if names := s.scoreNames(); len(names) > 0 {
			if scored, err = v.scoreStats(ctx, subject, &sq, after, limit, names); err != nil {
				return err
			}
		}
		page.Data, page.NextCursor, err = s.run(ctx, v, text, hash, limit, scored)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func newStatement(v *view, subject *subject, sq *store.StatsQuery) (*statement, error) {
	s := &statement{query: v.query(), subject: subject, sq: sq}
	if err := s.chooseGroups(); err != nil {
		return nil, err
	}
	return s, s.chooseMetrics()
}

// text writes the statement: the group keys first, then the metrics.
func (s *statement) text(after *position, limit int) (string, error) {
	tables, from, conditions, err := s.source()
	if err != nil {
		return "", err
	}
	selected, grouped, err := s.groupColumns()
	if err != nil {
		return "", err
	}
	for i, m := range s.metrics {
		if m.expression != "" {
			selected = append(selected, fmt.Sprintf("%s AS m%d", m.expression, i))
		}
	}
	if len(selected) == 0 {
		selected = []string{"count(*) AS n"} // one row
	}
	inner := "SELECT " + strings.Join(selected, ", ") + " " + from + where(conditions...)
	outer := ""
	if len(grouped) > 0 {
		inner += " GROUP BY " + strings.Join(grouped, ", ")
		beyond, err := s.beyond(after)
		if err != nil {
			return "", err
		}
		outer = where(beyond) + " ORDER BY " + strings.Join(grouped, " NULLS FIRST, ") + " NULLS FIRST"
	}
	text := fmt.Sprintf("SELECT * FROM (%s)%s LIMIT %d", inner, outer, limit+1)
	if len(tables) == 0 {
		return text, nil
	}
	return with(tables, text), nil
}

// groupColumns are the expressions of the groups, with their names, and the names.
func (s *statement) groupColumns() (selected, names []string, err error) {
	for i, g := range s.groups {
		expression := s.subject.groups[g]
		if g == valueBucketEnd {
			expression = bucketBound(" + 1")
		}
		if g == "time" {
			if expression, err = s.timeBucket(); err != nil {
				return nil, nil, err
			}
		}
		selected = append(selected, fmt.Sprintf("%s AS g%d", expression, i))
		names = append(names, fmt.Sprintf("g%d", i))
	}
	return selected, names, nil
}

// run reads the rows of the statement.
func (s *statement) run(ctx context.Context, v *view, text, hash string, limit int, scored map[string]map[string]scoreSum) ([]wire.StatRow, *string, error) {
	rows := []wire.StatRow{}
	var keys []string // of the last row of the page
	more := false
	err := v.rows(ctx, text, s.args, func(r *sql.Rows) error {
		if len(rows) == limit {
			more = true
			return nil
		}
		values, err := scanAll(r)
		if err != nil {
			return err
		}
		keys = s.keys(values)
		rows = append(rows, s.row(values, scored[strings.Join(keys, "\x00")]))
		return nil
	})
	if err != nil || !more {
		return rows, nil, err
	}
	next, err := encodeCursor(position{Query: hash, Keys: keys})
	return rows, next, err
}

func scanAll(r *sql.Rows) ([]any, error) {
	names, err := r.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(names))
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	return values, r.Scan(targets...)
}

// wireTime is RFC 3339 with microseconds, as all times in answers.
const wireTime = "2006-01-02T15:04:05.000000Z07:00"

// keys are the cursor's keys of a row's group.
func (s *statement) keys(values []any) []string {
	keys := make([]string, len(s.groups))
	for i := range keys {
		if values[i] != nil {
			keys[i] = "=" + fmt.Sprint(values[i])
		}
	}
	return keys
}

// row names the values.
func (s *statement) row(values []any, scored map[string]scoreSum) wire.StatRow {
	row := make(wire.StatRow, len(values))
	for i, g := range s.groups {
		value := values[i]
		if us, ok := value.(int64); ok && g == "time" {
			value = microTime(us).Format(wireTime)
		}
		row[g] = value
	}
	at := len(s.groups)
	for _, m := range s.metrics {
		var value any
		switch {
		case m.expression != "":
			value = values[at]
			at++
		case m.counts:
			value = scored[m.score].n
		case scored[m.score].n > 0:
			value = scored[m.score].total / float64(scored[m.score].n)
		}
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			value = nil // JSON cannot say it
		}
		row[m.name] = value
	}
	return row
}
