package duckstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// columns is what filters and groups ask of a relation.
type columns struct {
	row string // its alias, with a point
	// of has the columns that are not row's of the same name: an expression, or the whole
	// condition of a filter, with %s for the value.
	of map[string]string
	// some are the columns with several values, of which the conditions of a filter in our grammar mean one.
	some map[string]sqltext.Some
	// flags are the conditions that a column is false, and true.
	flags  map[string][2]string
	hash   string                              // trace_hash, where it is that of the column trace_id; else ""
	id     string                              // tells rows apart
	scores string                              // relation of the scores that count: columns owner, name, value
	found  func(*builder, []entity.Seq) string // a condition: has one of the events
}

// expression is a column as SQL.
func (c *columns) expression(column string) string {
	if e := c.of[column]; e != "" {
		return e
	}
	return c.row + column
}

// need says whether a condition or group uses what has this alias.
func (c *columns) need(alias string, w *store.Where, groups ...string) bool {
	uses := func(column string) bool { return strings.Contains(c.expression(column), alias) }
	return slices.ContainsFunc(groups, uses) || slices.ContainsFunc(w.Conditions, func(part store.Condition) bool { return uses(part.Column) })
}

// flag is the condition that a column has that value. The value stands in the text, because only constants make
// DuckDB pass over row groups.
func (c *columns) flag(column string, value bool) string {
	if value {
		return c.flags[column][1]
	}
	return c.flags[column][0]
}

// compared is a condition as SQL, of an expression and a value.
func compared(op store.Op) string {
	return [...]string{
		store.Equal: "%s = %s", store.In: "%s IN (SELECT unnest(%s::VARCHAR[]))",
		store.AtLeast: "%s >= %s", store.AtMost: "%s <= %s", store.Below: "%s < %s",
	}[op]
}

// conditions are the parts of w as SQL conditions that must all hold.
func (q *builder) conditions(w *store.Where, c columns) []string {
	var all []string
	for i := range w.Conditions {
		part := &w.Conditions[i]
		if id, ok := part.Value.(string); ok && c.hash != "" && part.Column == "trace_id" && part.Op == store.Equal && !part.Not {
			all = append(all, fmt.Sprintf("%s = %d", c.hash, traceHash(id)))
		}
		condition := q.condition(part, &c)
		if part.Not {
			condition = fmt.Sprintf(dialect.Not, condition)
		}
		all = append(all, condition)
	}
	if w.Seqs != nil {
		all = append(all, c.found(q, w.Seqs))
	}
	for _, f := range w.Found {
		switch {
		case f.Seqs == nil: // its Match is asked
		case f.Not:
			all = append(all, fmt.Sprintf(dialect.Not, c.found(q, f.Seqs)))
		default:
			all = append(all, c.found(q, f.Seqs))
		}
	}
	if len(w.Scores) > 0 {
		all = append(all, q.scoreRanges(w.Scores, c))
	}
	return all
}

// dialect is DuckDB's. It compiles a pattern of a regular expression for each row, when that is a parameter; LIKE needs no compiling, and translate
// changes the letters of ASCII alone, which lower does not.
var dialect = sqltext.Dialect{
	OneText: "list_contains(%[2]s::VARCHAR[], %[1]s)", OneNumber: "list_contains(%[2]s::DOUBLE[], %[1]s::DOUBLE)",
	Like:  `translate(%[1]s, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') LIKE %[2]s ESCAPE '\'`,
	Known: "%s IS NOT NULL", Number: "%s::DOUBLE", Not: "coalesce(NOT (%s), true)",
}

// condition is one part as SQL, as if it had no Not.
func (q *builder) condition(part *store.Condition, c *columns) string {
	switch v := part.Value.(type) {
	case bool:
		return c.flag(part.Column, v)
	case store.ScoreRange:
		return q.scoreRanges([]store.ScoreRange{v}, *c)
	}
	if some, ok := c.some[part.Column]; ok && sqltext.Compares(part.Op) {
		return dialect.Around(some, part, q.arg)
	}
	expression := c.expression(part.Column)
	switch {
	case part.Op == store.HasScore && part.Value == "":
		return fmt.Sprintf("%s IN (SELECT owner FROM (%s) AS named WHERE name IS NOT NULL)", c.id, c.scores)
	case part.Op == store.HasScore:
		return fmt.Sprintf("%s IN (SELECT owner FROM (%s) AS named WHERE name = %s)", c.id, c.scores, q.arg(part.Value))
	case sqltext.Compares(part.Op):
		return dialect.Condition(part.Op, part.Value, expression, q.arg)
	}
	value := q.arg(part.Value)
	if _, ok := part.Value.(float64); ok {
		value += "::DOUBLE"
	}
	if strings.Contains(expression, "%s") {
		return fmt.Sprintf(expression, value)
	}
	return fmt.Sprintf(compared(part.Op), expression, value)
}

// scoreRanges is the condition that all of them hold. The scores are read once and
// each mean is compared once, however many ranges there are.
func (q *builder) scoreRanges(all []store.ScoreRange, c columns) string {
	var names, notNames []string
	var least, most, nots []float64
	for _, r := range all {
		names, least, most = append(names, r.Name), append(least, r.Least), append(most, r.Most)
		for _, not := range r.Not {
			notNames, nots = append(notNames, r.Name), append(nots, not)
		}
	}
	but := ""
	if len(nots) > 0 {
		but = fmt.Sprintf(" ANTI JOIN (SELECT unnest(%s::VARCHAR[]) AS name, unnest(%s::DOUBLE[]) AS mean) AS nots USING (name, mean)", q.arg(notNames), q.arg(nots))
	}
	return fmt.Sprintf(`%s IN (SELECT owner FROM (SELECT owner, name, favg(value) AS mean FROM (%s) WHERE value IS NOT NULL GROUP BY owner, name) AS means
	JOIN (SELECT unnest(%s::VARCHAR[]) AS name, unnest(%s::DOUBLE[]) AS least, unnest(%s::DOUBLE[]) AS most) AS ranges USING (name)%s
	WHERE mean >= least AND mean <= most GROUP BY owner HAVING count(*) = %d)`,
		c.id, c.scores, q.arg(names), q.arg(least), q.arg(most), but, len(names))
}
