package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// statement is a statistics query in the making.
type statement struct {
	*builder
	*subject
	*store.StatsPlan
	metrics []metric
}

// metric is one that was asked for; its expression is "" when it is of scores, which scoreStats finds.
type metric struct {
	store.Metric
	expression string
}

// Stats answers with a page of aggregates, ordered by time and group.
func (w *Warehouse) Stats(ctx context.Context, project string, p *store.StatsPlan) ([][]any, error) {
	var rows [][]any
	err := w.ask(ctx, project, "query statistics", func(ctx context.Context, v *view) error {
		s := newStatement(v, p)
		var scored map[string]map[string]scoreSum
		var err error
		if names := s.scoreNames(); len(names) > 0 {
			if scored, err = v.scoreStats(ctx, p, names); err != nil {
				return err
			}
		}
		rows, err = s.run(ctx, v, s.text(), scored)
		return err
	})
	return rows, err
}

func newStatement(v *view, p *store.StatsPlan) *statement {
	s := &statement{builder: v.query(), subject: subjectOf(p.Of), StatsPlan: p}
	for _, m := range p.Metrics {
		s.metrics = append(s.metrics, metric{m, s.subject.metrics[m.Of]})
	}
	return s
}

// text writes the statement: the group keys first, then the metrics.
func (s *statement) text() string {
	tables, from, conditions := s.source()
	selected, grouped := s.groupColumns()
	for i, m := range s.metrics {
		if m.expression != "" {
			selected = append(selected, fmt.Sprintf("%s AS m%d", m.expression, i))
		}
	}
	if len(selected) == 0 {
		selected = []string{"count(*) AS n"} // one row
	}
	inner := "SELECT " + strings.Join(selected, ", ") + " " + from + sqltext.Where(conditions...)
	outer := ""
	if len(grouped) > 0 {
		inner += " GROUP BY " + strings.Join(grouped, ", ")
		outer = sqltext.Where(sqltext.Beyond(s.After, s.arg)) + " ORDER BY " + strings.Join(grouped, " NULLS FIRST, ") + " NULLS FIRST"
	}
	text := fmt.Sprintf("SELECT * FROM (%s)%s LIMIT %d", inner, outer, s.Limit+1)
	if len(tables) == 0 {
		return text
	}
	return with(tables, text)
}

// groupColumns are the expressions of the groups, with their names, and the names.
func (s *statement) groupColumns() (selected, names []string) {
	for i, g := range s.Groups {
		expression := s.columns.expression(g)
		switch g {
		case store.GroupValueEnd:
			expression = bucketBound(" + 1")
		case store.GroupTime:
			expression = bucketCase(s.columns.expression("time"), s.Buckets.Width(), s.Buckets.Stretches())
		}
		selected = append(selected, fmt.Sprintf("%s AS g%d", expression, i))
		names = append(names, fmt.Sprintf("g%d", i))
	}
	return selected, names
}

// run reads the rows of the statement.
func (s *statement) run(ctx context.Context, v *view, text string, scored map[string]map[string]scoreSum) ([][]any, error) {
	var rows [][]any
	err := v.rows(ctx, text, s.args, func(r *sql.Rows) error {
		values, err := scanAll(r)
		if err == nil {
			rows = append(rows, s.row(values, scored[s.group(values)]))
		}
		return err
	})
	return rows, err
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

// group is the row's group as a key.
func (s *statement) group(values []any) string { return sqltext.GroupKey(values[:len(s.Groups)]) }

// row puts the scores among the values, where they were asked for.
func (s *statement) row(values []any, scored map[string]scoreSum) []any {
	row := slices.Clone(values[:len(s.Groups)])
	at := len(s.Groups)
	for _, m := range s.metrics {
		var value any
		switch sum := scored[m.Score]; {
		case m.expression != "":
			value = values[at]
			at++
		case m.Of == store.NumberOfScores:
			value = sum.n
		case sum.n > 0:
			value = sum.total / float64(sum.n)
		}
		row = append(row, value)
	}
	return row
}
