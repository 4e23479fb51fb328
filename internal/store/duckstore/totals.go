package duckstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// traceTotals are the columns of brokle.Totals as aggregates over tr, in its order.
var traceTotals = `count(*) AS trace_count,
	sum(observation_count)::BIGINT AS observation_count, sum(error_count)::BIGINT AS error_count,
	` + saturate("sum(total_tokens)") + ` AS total_tokens, ` + exactSum("total_cost") + ` AS total_cost, sum(unpriced_count)::BIGINT AS unpriced_count,
	bool_or(` + traceFailed + `) AS failed, min(start_time) AS first_seen, max(greatest(start_time, end_time)) AS last_seen`

// totalColumns selects brokle.Totals from a relation that has its columns.
const totalColumns = "trace_count, observation_count, error_count, total_tokens, total_cost, unpriced_count, first_seen, last_seen"

// total is what has totals. The rows are groups, so that there is no second statement: a
// group is folded whole anyway.
type total struct {
	columns string // to select before totalColumns, each with a comma behind it
	targets func(*store.Total, *[2]any) []any
	grouped func(*builder, *store.Plan) (tables, conditions []string)
}

// totalOf says how the totals are found: tables that define grouped, and conditions on it.
func totalOf(by store.Totaled) total {
	switch by {
	case store.Environments:
		return total{grouped: (*builder).environments, targets: func(*store.Total, *[2]any) []any { return nil }}
	case store.Users:
		return total{
			columns: "session_count, ", targets: func(t *store.Total, _ *[2]any) []any { return []any{&t.SessionCount} },
			grouped: func(q *builder, p *store.Plan) (tables, conditions []string) {
				return q.tracesBy("user_id", "count(DISTINCT session_id) FILTER (session_id <> '') AS session_count, ", p)
			},
		}
	}
	return total{
		columns: "user_ids, environments, ", targets: func(_ *store.Total, lists *[2]any) []any { return []any{&lists[0], &lists[1]} },
		grouped: func(q *builder, p *store.Plan) (tables, conditions []string) {
			return q.tracesBy("session_id", `coalesce(list_sort(list(DISTINCT user_id) FILTER (user_id <> '')), []) AS user_ids,
			list_sort(list(DISTINCT environment)) AS environments, `, p)
		},
	}
}

// Totals answers with a page of sessions, users or environments.
func (w *Warehouse) Totals(ctx context.Context, project string, by store.Totaled, plan *store.Plan) ([]store.Total, *store.Place, error) {
	p, of := &pager{plan, ""}, totalOf(by)
	var page []store.Total
	var next *store.Place
	err := w.ask(ctx, project, "query "+string(by), func(ctx context.Context, v *view) error {
		q := v.query()
		tables, conditions := of.grouped(q, plan)
		text := with(tables, "SELECT id, "+p.By+", "+of.columns+totalColumns+" FROM grouped"+sqltext.Where(append(conditions, p.where(q))...)+p.order())
		page = nil
		var keys []key
		err := v.rows(ctx, text, q.args, func(r *sql.Rows) error {
			k, t, err := of.scan(r)
			keys, page = append(keys, k), append(page, t)
			return err
		})
		keys, next = cut(keys, p.Limit)
		page = page[:len(keys)]
		return err
	})
	return page, next, err
}

// scan reads a row.
func (of *total) scan(r *sql.Rows) (k key, t store.Total, err error) {
	var lists [2]any
	var first, last int64
	targets := append([]any{&t.ID, &k.value}, of.targets(&t, &lists)...)
	err = r.Scan(append(targets, &t.TraceCount, &t.ObservationCount, &t.ErrorCount, &t.TotalTokens, &t.TotalCost, &t.UnpricedCount, &first, &last)...)
	k.id, t.UserIDs, t.Environments, t.FirstSeen, t.LastSeen = t.ID, texts(lists[0]), texts(lists[1]), microTime(first), microTime(last)
	return k, t, err
}

// tracesBy groups traces by one of their columns; empty ids are no groups. more are further
// aggregates. has_error is asked of the group, all else of the traces in it.
func (q *builder) tracesBy(column, more string, p *store.Plan) (tables, conditions []string) {
	traces, groups := p.Where, store.Where{}
	traces.Conditions = nil
	for _, c := range p.Conditions {
		of := &traces
		if c.Column == "has_error" {
			of = &groups
		}
		of.Conditions = append(of.Conditions, c)
	}
	tables, inner := q.filteredTraces(&traces)
	inner = append(inner, column+" IS NOT NULL")
	grouped := fmt.Sprintf("SELECT %s AS id, %s%s FROM tr%s GROUP BY %s", column, more, traceTotals, sqltext.Where(inner...), column)
	return append(tables, table("grouped", grouped)), q.conditions(&groups, columns{flags: map[string][2]string{"has_error": {"NOT failed", "failed"}}})
}
