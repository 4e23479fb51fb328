package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// pager pages through the rows of a relation by the plan's column, ties by id and then
// by tie, if there is such a column, rows without a value last.
type pager struct {
	*store.Plan
	tie string
}

// where is the condition of rows behind the last page, "" on the first.
func (p *pager) where(q *builder) string {
	if p.After == nil {
		return ""
	}
	beyond := "<"
	if p.Asc {
		beyond = ">"
	}
	id := q.arg(p.After.ID)
	behind := "id " + beyond + " " + id
	if p.tie != "" {
		behind = fmt.Sprintf("(%s OR id = %s AND %s %s %s)", behind, id, p.tie, beyond, q.arg(p.After.Tie))
	}
	if p.After.Value == nil {
		return fmt.Sprintf("%s IS NULL AND %s", p.By, behind)
	}
	typ := "BIGINT"
	if p.Number == store.Float {
		typ = "DOUBLE"
	}
	v := q.arg(p.After.Value) + "::" + typ
	return fmt.Sprintf("(%[1]s %[2]s %[3]s OR (%[1]s = %[3]s AND %[4]s) OR %[1]s IS NULL)", p.By, beyond, v, behind)
}

// order is the ORDER BY and LIMIT; one row more than the page shows whether
// there is another.
func (p *pager) order() string {
	direction := "DESC"
	if p.Asc {
		direction = "ASC"
	}
	tie := ""
	if p.tie != "" {
		tie = ", " + p.tie + " " + direction
	}
	return fmt.Sprintf(" ORDER BY %s %s NULLS LAST, id %s%s LIMIT %d", p.By, direction, direction, tie, p.Limit+1)
}

// key is one row of a page as the first statement finds it.
type key struct {
	id      string
	trace   string // of an observation: with its id what tells it from others
	value   any    // int64, float64 or nil
	written int64  // where the row is
	span    span   // where its events are
}

// cut cuts keys to limit, and says where they end when they were more.
func cut(keys []key, limit int) ([]key, *store.Place) {
	if len(keys) <= limit {
		return keys, nil
	}
	keys = keys[:limit]
	end := keys[limit-1]
	return keys, &store.Place{Value: end.value, ID: end.id, Tie: end.trace}
}
