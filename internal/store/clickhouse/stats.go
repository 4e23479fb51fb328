package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// statement is a statistics query in the making.
type statement struct {
	*builder
	*subject
	*store.StatsPlan
}

// Stats answers with a page of aggregates, ordered by time and group.
func (w *Warehouse) Stats(ctx context.Context, project string, p *store.StatsPlan) (rows [][]any, err error) {
	err = w.question(ctx, project, "query statistics", func(ctx context.Context, v *view) error {
		s := &statement{v.query(), subjectOf(p.Of), p}
		var scored map[string]map[string]scoreSum
		if names := s.scoreNames(); len(names) > 0 {
			var err error
			if scored, err = v.scoreStats(ctx, p, names); err != nil {
				return err
			}
		}
		rows, err = s.run(ctx, v, scored)
		return err
	})
	return rows, err
}

// text writes the statement: the group keys first, then the metrics.
func (s *statement) text() string {
	tables, from, conditions := s.source()
	selected, grouped := s.groupColumns()
	for i, m := range s.Metrics {
		if e, own := s.metrics[m.Of]; own {
			selected = append(selected, fmt.Sprintf("%s AS m%d", number(e.sql, e.as), i))
		}
	}
	if len(selected) == 0 {
		selected = []string{"count() AS n"} // one row
	}
	inner := "SELECT " + strings.Join(selected, ", ") + " " + from + sqltext.Where(conditions...)
	outer := ""
	if len(grouped) > 0 {
		inner += " GROUP BY " + strings.Join(grouped, ", ")
		outer = sqltext.Where(sqltext.Beyond(s.After, s.arg)) + " ORDER BY " + strings.Join(grouped, " NULLS FIRST, ") + " NULLS FIRST"
	}
	return with(tables, fmt.Sprintf("SELECT * FROM (%s)%s LIMIT %d", inner, outer, s.Limit+1))
}

// source is the relation to aggregate over.
func (s *statement) source() (tables []string, from string, conditions []string) {
	if s.Of == "traces" {
		tables, conditions = s.filteredTraces(&s.Where)
		return tables, "FROM tr", conditions
	}
	conditions = s.conditions(&s.Where, s.columns)
	switch s.Of {
	case "scores":
		tables, from = scoresWith(&s.Where, s.Groups...)
		if slices.Contains(s.Groups, store.GroupValue) {
			tables, from = bucketed(tables, from, conditions, slices.Contains(s.Groups, "name"))
		}
	case "events":
		return []string{ofEvents}, "FROM e", conditions
	default:
		tables, from = observationsWithTrace(s.columns.need("t.", &s.Where, s.Groups...), s.Where.Scored())
	}
	return tables, from, conditions
}

// groupAs is the form of a group's values; text says that it has none.
func groupAs(group string) (as store.Number, isText bool) {
	switch group {
	case store.GroupTime:
		return store.Integer, false
	case store.GroupValue, store.GroupValueEnd:
		return store.Float, false
	}
	return 0, true
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
		if as, isText := groupAs(g); isText {
			expression = text(expression)
		} else {
			expression = number(expression, as)
		}
		selected = append(selected, fmt.Sprintf("%s AS g%d", expression, i))
		names = append(names, fmt.Sprintf("g%d", i))
	}
	return selected, names
}

// values is a column of groups or metrics.
type values interface{ row(i int) any }

type texts struct{ *proto.ColNullable[string] }

func (t texts) row(i int) any {
	if v := t.Row(i); v.Set {
		return v.Value
	}
	return nil
}

// groupValues are the columns of the groups in an answer.
func (s *statement) groupValues() (columns []values, result proto.Results) {
	for i, g := range s.Groups {
		name := fmt.Sprintf("g%d", i)
		if as, isText := groupAs(g); !isText {
			n := newNumbers(as)
			columns, result = append(columns, n), append(result, proto.ResultColumn{Name: name, Data: n.data()})
			continue
		}
		t := new(proto.ColStr).Nullable()
		columns, result = append(columns, texts{t}), append(result, proto.ResultColumn{Name: name, Data: t})
	}
	return columns, result
}

// run reads the rows of the statement.
func (s *statement) run(ctx context.Context, v *view, scored map[string]map[string]scoreSum) (rows [][]any, err error) {
	groups, result := s.groupValues()
	metrics := make([]values, len(s.Metrics))
	for i, m := range s.Metrics {
		if e, own := s.metrics[m.Of]; own {
			n := newNumbers(e.as)
			metrics[i] = n
			result = append(result, proto.ResultColumn{Name: fmt.Sprintf("m%d", i), Data: n.data()})
		}
	}
	if len(result) == 0 {
		result = proto.Results{{Name: "n", Data: new(proto.ColUInt64)}}
	}
	err = v.rows(ctx, s.builder, s.text(), result, func(at int) {
		row := make([]any, 0, len(groups)+len(metrics))
		for _, g := range groups {
			row = append(row, g.row(at))
		}
		sums := scored[sqltext.GroupKey(row)]
		for i, m := range s.Metrics {
			switch sum := sums[m.Score]; {
			case metrics[i] != nil:
				row = append(row, metrics[i].row(at))
			case m.Of == store.NumberOfScores:
				row = append(row, sum.n)
			case sum.n > 0:
				row = append(row, sum.total/float64(sum.n))
			default:
				row = append(row, nil)
			}
		}
		rows = append(rows, row)
	})
	return rows, err
}
