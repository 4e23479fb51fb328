package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// seqs adds Seqs as a parameter and returns a subquery of them.
func (q *builder) seqs(seqs []entity.Seq) string {
	list := make([]int64, len(seqs))
	for i, s := range seqs {
		list[i] = int64(s)
	}
	return "SELECT unnest(" + q.arg(list) + "::BIGINT[])"
}

// having is a subquery of the events of a kind that are among seqs. The range
// stands in the text, because only constants make DuckDB pass over row groups.
func (q *builder) having(kind entity.Kind, seqs []entity.Seq) string {
	within := "false"
	if len(seqs) > 0 {
		within = span{int64(slices.Min(seqs)), int64(slices.Max(seqs))}.holds("seq")
	}
	return fmt.Sprintf("SELECT entity_id, trace_id FROM events WHERE project = $1 AND kind = %d AND %s AND seq IN (%s)", kind, within, q.seqs(seqs))
}

// foundObservations is the condition that an observation has one of the events.
func (q *builder) foundObservations(seqs []entity.Seq) string {
	return "o.row IN (SELECT o.row FROM (" + q.having(entity.ObservationKind, seqs) + ") AS e JOIN o ON " + eventOf + ")"
}

// foundTraces is the condition that a trace, or an observation that is in it, has
// one of the events. It needs o.
func (q *builder) foundTraces(seqs []entity.Seq) string {
	return "id IN (SELECT entity_id FROM (" + q.having(entity.TraceKind, seqs) +
		") UNION SELECT o.trace_id FROM (" + q.having(entity.ObservationKind, seqs) + ") AS e JOIN o ON " + eventOf + " WHERE o.trace_id IS NOT NULL)"
}

// owned finds the events whose text counts for the rows of a list: it calls each
// with the place of a row in keys and a Seq.
type owned func(ctx context.Context, v *view, keys []key, each func(at int, seq entity.Seq)) error

// observationEvents are those that the observations were folded from.
func observationEvents(ctx context.Context, v *view, keys []key, each func(int, entity.Seq)) error {
	if len(keys) == 0 {
		return nil
	}
	at := make(map[[2]string]int, len(keys))
	spans := make([]span, len(keys))
	for i, k := range keys {
		at[[2]string{k.id, k.trace}], spans[i] = i, k.span
	}
	q := v.query()
	statement := fmt.Sprintf(`SELECT o.id, coalesce(o.trace_id, ''), e.seq FROM (SELECT id, trace_id, newest FROM observations WHERE project = $1 AND %s AND id IN (%s)) AS o
		JOIN events AS e ON %s WHERE e.project = $1 AND e.kind = %d AND %s`,
		within("written", rowsOf(keys)), q.ids(keys), eventOf, entity.ObservationKind, within("e.seq", joinSpans(spans, fewSpans)))
	return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var id, trace string
		var seq int64
		if err := r.Scan(&id, &trace, &seq); err != nil {
			return err
		}
		if i, ok := at[[2]string{id, trace}]; ok {
			each(i, entity.Seq(seq))
		}
		return nil
	})
}

// traceEvents are a trace's own and those of the observations that are in it.
func traceEvents(ctx context.Context, v *view, keys []key, each func(int, entity.Seq)) error {
	if len(keys) == 0 {
		return nil
	}
	at := make(map[string]int, len(keys))
	for i, k := range keys {
		at[k.id] = i
	}
	q := v.query()
	statement := with([]string{ofObservations}, q.ownEvents(entity.TraceKind, keys)+" UNION ALL SELECT o.trace_id AS id, e.seq FROM "+q.observationEvents(keys))
	return v.events(ctx, q, statement, func(id string, seq entity.Seq) { each(at[id], seq) })
}

// The rows that search looks at at a time: of the first statement at least so
// many, each time leapGrowth as many, and the events of searchStep rows together:
// when these fill the page, the rest of the leap is not looked at.
const (
	searchLeap    = 256
	leapGrowth    = 8
	mostSearched  = 1 << 18
	searchStep    = 1 << 12
	searchPerPage = 4 // rows looked at first, for each row of the page
)

// search finds the rows of a page, and one more, that match: it goes through
// what find finds, in order, in growing leaps, until the page is full. Without match it is find.
func (v *view) search(ctx context.Context, p *pager, events owned, find func(*pager) ([]key, error)) ([]key, error) {
	if p.Match == nil {
		return find(p)
	}
	plan := *p.Plan
	leap := pager{&plan, p.tie}
	plan.Limit = max(searchLeap, searchPerPage*p.Limit)
	var found []key
	for {
		keys, err := find(&leap)
		if err != nil {
			return nil, err
		}
		keys, next := cut(keys, plan.Limit)
		for some := range slices.Chunk(keys, searchStep) {
			if some, err = v.matching(ctx, some, p.Match, events); err != nil {
				return nil, err
			}
			if found = append(found, some...); len(found) > p.Limit {
				return found[:p.Limit+1], nil
			}
		}
		if next == nil {
			return found, nil
		}
		plan.After, plan.Limit = next, min(leapGrowth*plan.Limit, mostSearched)
	}
}

// matching are the keys of which an event matches, in their order.
func (v *view) matching(ctx context.Context, keys []key, match func(context.Context, []entity.Seq) ([]bool, error), events owned) ([]key, error) {
	var of []int
	var seqs []entity.Seq
	err := events(ctx, v, keys, func(at int, seq entity.Seq) {
		of, seqs = append(of, at), append(seqs, seq)
	})
	if err != nil {
		return nil, err
	}
	matches, err := match(ctx, seqs)
	if err != nil {
		return nil, err
	}
	passed := make([]bool, len(keys))
	for i, yes := range matches {
		passed[of[i]] = passed[of[i]] || yes
	}
	var kept []key
	for i, k := range keys {
		if passed[i] {
			kept = append(kept, k)
		}
	}
	return kept, nil
}
