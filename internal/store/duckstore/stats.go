package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// statement is a statistics query in the making.
type statement struct {
	*query
	*subject
	sq      *store.StatsQuery
	groups  []string // names, in the order asked
	metrics []string
	exprs   []string // of the metrics
	joins   string   // of the scores that the metrics ask for
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
	page := &store.StatsPage{Data: []brokle.StatRow{}}
	ask := w.ask
	if sq.Of == "events" {
		ask = w.askEvents
	}
	err = ask(ctx, project, "query statistics", func(v *view) error {
		s := &statement{query: v.query(), subject: subject, sq: &sq}
		text, err := s.text(after, limit)
		if err != nil {
			return err
		}
		page.Data, page.NextCursor, err = s.run(ctx, v, text, hash, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// text writes the statement: the group keys first, then the metrics.
func (s *statement) text(after *position, limit int) (string, error) {
	if err := s.chooseGroups(); err != nil {
		return "", err
	}
	tables, from, conditions, err := s.source()
	if err != nil {
		return "", err
	}
	if err := s.chooseMetrics(); err != nil {
		return "", err
	}
	var selected, grouped []string
	for i, g := range s.groups {
		expression := s.subject.groups[g]
		if g == valueBucketEnd {
			expression = bucketBound(" + 1")
		}
		if g == "time" {
			if expression, err = s.timeBucket(); err != nil {
				return "", err
			}
		}
		selected = append(selected, fmt.Sprintf("%s AS g%d", expression, i))
		grouped = append(grouped, fmt.Sprintf("g%d", i))
	}
	for i, e := range s.exprs {
		selected = append(selected, fmt.Sprintf("%s AS m%d", e, i))
	}
	inner := "SELECT " + strings.Join(selected, ", ") + " " + from + s.joins + where(conditions...)
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

// run reads the rows of the statement.
func (s *statement) run(ctx context.Context, v *view, text, hash string, limit int) ([]brokle.StatRow, *string, error) {
	rows := []brokle.StatRow{}
	var keys []string // of the last row of the page
	more := false
	err := v.rows(ctx, text, s.args, func(r *sql.Rows) error {
		if len(rows) == limit {
			more = true
			return nil
		}
		values := make([]any, len(s.groups)+len(s.metrics))
		targets := make([]any, len(values))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := r.Scan(targets...); err != nil {
			return err
		}
		var row brokle.StatRow
		row, keys = s.row(values)
		rows = append(rows, row)
		return nil
	})
	if err != nil || !more {
		return rows, nil, err
	}
	next, err := encodeCursor(position{Query: hash, Keys: keys})
	return rows, next, err
}

// wireTime is RFC 3339 with microseconds, as all times in answers.
const wireTime = "2006-01-02T15:04:05.000000Z07:00"

// row names the values, and makes the cursor's keys of the group.
func (s *statement) row(values []any) (brokle.StatRow, []string) {
	row := make(brokle.StatRow, len(values))
	keys := make([]string, len(s.groups))
	for i, g := range s.groups {
		value := values[i]
		if value != nil {
			keys[i] = "=" + fmt.Sprint(value)
		}
		if us, ok := value.(int64); ok && g == "time" {
			value = microTime(us).Format(wireTime)
		}
		row[g] = value
	}
	for i, m := range s.metrics {
		value := values[len(s.groups)+i]
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			value = nil // JSON cannot say it
		}
		row[m] = value
	}
	return row, keys
}
