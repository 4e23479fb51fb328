package duckstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/paging"
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

// pageKeys runs the first statement of a list: statement writes it with the columns it is to select, keyColumns by
// default, and with further conditions on these.
//
// DuckDB passes over what is certainly not on the page by the first column of the order, unless that is a float.
// Then that column alone is ordered first, which says what rows are on the page, or above which value.
func (v *view) pageKeys(ctx context.Context, p *pager, statement func(q *builder, columns string, more ...string) string) ([]key, error) {
	if p.Seqs != nil && len(p.Seqs) == 0 {
		return nil, nil // no event has what was searched
	}
	on := func(*builder) []string { return nil }
	if p.Number == store.Float && !p.Scored() && p.Seqs == nil && len(p.Found) == 0 {
		var err error
		if on, err = v.onPage(ctx, p, statement); err != nil {
			return nil, err
		}
	}
	q := v.query()
	return v.keys(ctx, q, statement(q, "*", on(q)...)+p.order())
}

// onPage orders by the first column alone, and returns conditions that hold for what may be on the page.
func (v *view) onPage(ctx context.Context, p *pager, statement func(q *builder, columns string, more ...string) string) (func(*builder) []string, error) {
	q := v.query()
	text := statement(q, p.By+", row") + fmt.Sprintf(" ORDER BY %s %s NULLS LAST LIMIT %d", p.By, p.direction(), p.Limit+2)
	var keys []key
	err := v.rows(ctx, text, q.args, func(r *sql.Rows) error {
		var k key
		err := r.Scan(&k.value, &k.row)
		keys = append(keys, k)
		return err
	})
	return func(q *builder) []string {
		if len(keys) <= p.Limit {
			return nil
		}
		last, ok := keys[p.Limit].value.(float64)
		switch {
		case !ok:
			return nil
		case len(keys) == p.Limit+1 || keys[p.Limit+1].value != last: // which of several of one value come first, their ids say
			return []string{"row IN (" + q.rows(keys[:p.Limit+1]) + ")"}
		case p.Asc:
			return []string{fmt.Sprintf("%s <= '%v'::DOUBLE", p.By, last)}
		}
		return []string{fmt.Sprintf("%s >= '%v'::DOUBLE", p.By, last)}
	}, err
}

func (p *pager) direction() string {
	if p.Asc {
		return "ASC"
	}
	return "DESC"
}

// order is the ORDER BY and LIMIT; one row more than the page shows whether
// there is another.
func (p *pager) order() string {
	direction := p.direction()
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
	row     int64  // where the row is, as long as the transaction lasts
	written int64
	span    span // where its events are
}

func (k *key) place() store.Place { return store.Place{Value: k.value, ID: k.id, Tie: k.trace} }

// cut cuts keys to limit, and says where they end when they were more.
func cut(keys []key, limit int) ([]key, *store.Place) { return paging.Cut(keys, limit, (*key).place) }
