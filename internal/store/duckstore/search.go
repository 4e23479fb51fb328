package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/paging"
)

// seqs adds Seqs as a parameter and returns a subquery of them.
func (q *builder) seqs(seqs []entity.Seq) string {
	list := make([]int64, len(seqs))
	for i, s := range seqs {
		list[i] = int64(s)
	}
	return "SELECT unnest(" + q.arg(list) + "::BIGINT[])"
}

// having is a subquery of what a relation with seqColumns selects of its rows that have one of the events. The
// ranges stand in the text, because only constants make DuckDB pass over row groups.
func (q *builder) having(columns, from string, seqs []entity.Seq) string {
	if len(seqs) == 0 {
		return "SELECT " + columns + " FROM " + from + " WHERE false"
	}
	few, all := spansOf(seqs), span{int64(slices.Min(seqs)), int64(slices.Max(seqs))}
	found := q.seqs(seqs)
	end := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM %s WHERE project = $1 AND %s AND %s IN (%s)", columns, from, within(column, few), column, found)
	}
	return end("first_seq") + " UNION ALL " + end("last_seq") + " UNION ALL " +
		fmt.Sprintf("SELECT * EXCLUDE one FROM (SELECT %s, unnest(seqs) AS one FROM %s WHERE project = $1 AND seqs IS NOT NULL AND first_seq <= %d AND last_seq >= %d) WHERE one IN (%s)",
			columns, from, all.last, all.first, found)
}

// spansOf are few spans that cover the events.
func spansOf(seqs []entity.Seq) []span {
	spans := make([]span, len(seqs))
	for i, s := range seqs {
		spans[i] = span{int64(s), int64(s)}
	}
	return joinSpans(spans, fewSpans)
}

// foundObservations is the condition that an observation has one of the events.
func (q *builder) foundObservations(seqs []entity.Seq) string {
	return "o.row IN (" + q.having("rowid", "observations", seqs) + ")"
}

// foundTraces is the condition that a trace, or an observation that is in it, has one of the events.
func (q *builder) foundTraces(seqs []entity.Seq) string {
	rows := "SELECT %s FROM observations WHERE rowid IN (" + q.having("rowid", "observations", seqs) + ") AND trace_id IS NOT NULL"
	return "row IN (" + q.ownHaving(seqs) + " UNION ALL SELECT rowid FROM traces WHERE project = $1 AND trace_hash IN (" + fmt.Sprintf(rows, "trace_hash") +
		") AND id IN (" + fmt.Sprintf(rows, "trace_id") + "))"
}

// ownHaving is a subquery of the rows of traces that have one of the events themselves.
func (q *builder) ownHaving(seqs []entity.Seq) string {
	if len(seqs) == 0 {
		return "SELECT rowid FROM traces WHERE false"
	}
	return fmt.Sprintf("SELECT rowid FROM (SELECT rowid, unnest(seqs) AS one FROM traces WHERE project = $1 AND first_seq <= %d AND last_seq >= %d) WHERE one IN (%s)",
		slices.Max(seqs), slices.Min(seqs), q.seqs(seqs))
}

// owned finds the events whose text counts for the rows of a list: it calls each
// with the place of a row in keys and a Seq.
type owned func(ctx context.Context, v *view, keys []key, each func(at int, seq entity.Seq)) error

// observationEvents are those that the observations were folded from.
func observationEvents(ctx context.Context, v *view, keys []key, each func(int, entity.Seq)) error {
	if len(keys) == 0 {
		return nil
	}
	at := make(map[int64]int, len(keys))
	for i, k := range keys {
		at[k.row] = i
	}
	q := v.query()
	statement := "SELECT rowid, " + seqColumns + " FROM observations WHERE " + q.placed(keys)
	return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var row int64
		var e rowEvents
		if err := r.Scan(append([]any{&row}, e.targets()...)...); err != nil {
			return err
		}
		e.each(func(seq entity.Seq) { each(at[row], seq) })
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
	return v.eventRows(ctx, q, with([]string{ofObservations}, q.eventsOfTraces(keys)), func(id string, seq entity.Seq) { each(at[id], seq) })
}

// search finds the rows of a page, and one more, that match.
func (v *view) search(ctx context.Context, p *pager, events owned, find func(*pager) ([]key, error)) ([]key, error) {
	list := paging.List[key]{
		Find:  func(plan *store.Plan) ([]key, error) { return find(&pager{plan, p.tie}) },
		Place: (*key).place,
		Events: func(ctx context.Context, keys []key, each func(int, entity.Seq)) error {
			return events(ctx, v, keys, each)
		},
	}
	return list.Search(ctx, p.Plan)
}
