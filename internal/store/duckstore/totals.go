package duckstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// totalSorts are the columns of brokle.Totals.
var totalSorts = sortTypes{
	"first_seen": "BIGINT", "last_seen": "BIGINT", "trace_count": "BIGINT", "observation_count": "BIGINT",
	"error_count": "BIGINT", "total_tokens": "BIGINT", "total_cost": "DOUBLE",
}

// traceTotals are the columns of brokle.Totals as aggregates over tr, in its order.
var traceTotals = `count(*) AS trace_count,
	sum(observation_count)::BIGINT AS observation_count, sum(error_count)::BIGINT AS error_count,
	` + saturate("sum(total_tokens)") + ` AS total_tokens, ` + exactSum("total_cost") + ` AS total_cost,
	min(start_time) AS first_seen, max(greatest(start_time, end_time)) AS last_seen`

// totalColumns selects brokle.Totals from a relation that has its columns.
const totalColumns = "trace_count, observation_count, error_count, total_tokens, coalesce(total_cost, 0), first_seen, last_seen"

// totals scans what totalColumns selects.
type totals struct {
	wire.Totals
	first, last int64
}

func (t *totals) targets() []any {
	return []any{&t.TraceCount, &t.ObservationCount, &t.ErrorCount, &t.TotalTokens, &t.TotalCost, &t.first, &t.last}
}

func (t *totals) done() wire.Totals {
	t.FirstSeen, t.LastSeen = microTime(t.first), microTime(t.last)
	return t.Totals
}

// grouping is a list whose rows are groups: of traces by one of their columns.
// It has no second statement, because a group is folded whole anyway.
type grouping struct {
	of     string // for the cursor's hash and for errors
	by     string // the column of tr that is the row's id; empty ids are no groups
	more   string // further aggregates, each with a comma behind it
	header string // the columns to select before totalColumns, each with a comma behind it
	sorts  sortTypes
}

// list runs the grouping and calls each for every row of the page; p.columns come
// after the id and the header.
func (w *Warehouse) list(ctx context.Context, project string, g grouping, f store.Filter, o store.Order, begin func(), each func(*sql.Rows) (key, error)) (*string, error) {
	p, err := newPager(project, g.of, f, o, "last_seen", g.sorts)
	if err != nil {
		return nil, err
	}
	var next *string
	err = w.ask(ctx, project, "query "+g.of, func(ctx context.Context, v *view) error {
		q := v.query()
		text, err := q.groups(g, f, p)
		if err != nil {
			return err
		}
		begin()
		next, err = v.page(ctx, p, q, text, each)
		return err
	})
	return next, err
}

// groups is the statement of a grouping. has_error is asked of the group, all
// else of the traces in it.
func (q *query) groups(g grouping, f store.Filter, p *pager) (string, error) {
	failed := f.HasError
	f.HasError = nil
	tables, conditions, err := q.filteredTraces(&f)
	if err != nil {
		return "", err
	}
	var of []string
	if failed != nil {
		of = append(of, "(error_count > 0) = "+q.arg(*failed))
	}
	beyond, err := p.where(q)
	if err != nil {
		return "", err
	}
	conditions = append(conditions, g.by+" IS NOT NULL")
	grouped := fmt.Sprintf("SELECT %s AS id, %s%s FROM tr%s GROUP BY %s", g.by, g.more, traceTotals, where(conditions...), g.by)
	return with(append(tables, table("grouped", grouped)),
		"SELECT id, "+p.column+", "+g.header+totalColumns+" FROM grouped"+where(append(of, beyond)...)+p.order()), nil
}

// page reads a statement whose rows are whole: each scans one and returns its key.
// The row that only shows that there is another page is not scanned.
func (v *view) page(ctx context.Context, p *pager, q *query, text string, each func(*sql.Rows) (key, error)) (*string, error) {
	var keys []key
	err := v.rows(ctx, text, q.args, func(r *sql.Rows) error {
		if len(keys) == p.limit {
			keys = append(keys, key{})
			return nil
		}
		k, err := each(r)
		keys = append(keys, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, next, err := p.cut(keys)
	return next, err
}
