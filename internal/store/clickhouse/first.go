package clickhouse

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// To tell which of all rows are in force (FINAL) takes several times what it takes to read them. So a page of traces looks at the rows as they lie, old ones among them, and then
// asks only of those that come first which are in force. What comes before the last of these in force is among them; where that is not enough for a page, all rows are asked.

// looked is how many rows are looked at for each of a page.
const looked = 4

// firstTraces finds a page of traces, and one more, in this way; ok is false where it does not do.
func (v *view) firstTraces(ctx context.Context, p *store.Plan) (keys []key, ok bool, err error) {
	if p.Asks() || !ofTracesAlone(&p.Where) {
		return nil, false, nil
	}
	lying := *p
	lying.Limit = looked * (p.Limit + 1)
	rows, err := v.traceKeys(ctx, &lying, "SELECT * FROM traces WHERE project = {p1:String} AND row_deleted = 0", nil)
	if err != nil || len(rows) == 0 {
		return nil, err == nil, err
	}
	ids, _ := idsOf(rows)
	keys, err = v.traceKeys(ctx, p, "SELECT * FROM traces FINAL WHERE project = {p1:String} AND id IN ", ids)
	if err != nil {
		return nil, false, err
	}
	all := len(rows) <= lying.Limit
	return keys, all || len(keys) > p.Limit && before(keys[p.Limit].value, rows[lying.Limit].value, p.Asc), nil
}

// traceKeys finds a page of the traces of a relation, which may end in a list of ids.
func (v *view) traceKeys(ctx context.Context, p *store.Plan, of string, ids []string) ([]key, error) {
	q := v.query()
	if ids != nil {
		of += q.arg(ids)
	}
	conditions := q.conditions(&p.Where, &traceColumns)
	return v.keys(ctx, q, p, []string{table("tr", of)}, traceRelation(p, conditions))
}

// traceRelation is what keys asks of traces.
func traceRelation(p *store.Plan, conditions []string) string {
	return "SELECT tr.id AS id, '' AS tie, " + number(traceColumns.expression(p.By), p.Number) + " AS value, tr.seqs AS own_seqs FROM tr" + sqltext.Where(conditions...)
}

// ofTracesAlone says that no other table decides which traces are meant.
func ofTracesAlone(w *store.Where) bool {
	if w.Seqs != nil || len(w.Found) > 0 || w.Scored() {
		return false
	}
	return !slices.ContainsFunc(w.Conditions, func(c store.Condition) bool { return slices.Contains(store.OfObservations(), c.Column) })
}

// before says whether a value comes before another, and is not like it. nil comes last.
func before(a, b any, asc bool) bool {
	switch a := a.(type) {
	case int64:
		b, is := b.(int64)
		return !is || a != b && (a < b) == asc
	case float64:
		b, is := b.(float64)
		return !is || a != b && (a < b) == asc
	}
	return false
}
