package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// seqs adds Seqs as a parameter and returns a subquery of them.
func (q *query) seqs(seqs []store.Seq) string {
	list := make([]int64, len(seqs))
	for i, s := range seqs {
		list[i] = int64(s)
	}
	return "SELECT unnest(" + q.arg(list) + "::BIGINT[])"
}

// having is a subquery of the entities of a kind that have one of the events. The range
// stands in the text, because only constants make DuckDB pass over row groups.
func (q *query) having(kind store.Kind, seqs []store.Seq) string {
	within := "false"
	if len(seqs) > 0 {
		within = span{int64(slices.Min(seqs)), int64(slices.Max(seqs))}.holds("seq")
	}
	return fmt.Sprintf("SELECT entity_id FROM events WHERE project = $1 AND kind = %d AND %s AND seq IN (%s)", kind, within, q.seqs(seqs))
}

// foundObservations is the condition that an observation has one of the events.
func (q *query) foundObservations(seqs []store.Seq) string {
	return "o.id IN (" + q.having(store.ObservationKind, seqs) + ")"
}

// foundTraces is the condition that a trace, or an observation that is in it, has
// one of the events. It needs o.
func (q *query) foundTraces(seqs []store.Seq) string {
	return "id IN (" + q.having(store.TraceKind, seqs) +
		" UNION SELECT trace_id FROM o WHERE id IN (" + q.having(store.ObservationKind, seqs) + "))"
}

// owned finds the events whose text counts for the rows of a list: it calls each
// with a row's id and a Seq.
type owned func(ctx context.Context, v *view, keys []key, each func(id string, seq store.Seq)) error

func observationEvents(ctx context.Context, v *view, keys []key, each func(string, store.Seq)) error {
	return v.ownEvents(ctx, store.ObservationKind, keys, each)
}

// traceEvents are a trace's own and those of the observations that are in it.
func traceEvents(ctx context.Context, v *view, keys []key, each func(string, store.Seq)) error {
	if err := v.ownEvents(ctx, store.TraceKind, keys, each); err != nil {
		return err
	}
	q := v.query()
	var observations []key
	in := map[string]string{}
	statement := with([]string{q.observations()}, q.observationsOf(keys, "id, trace_id, first_seq, last_seq"))
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var k key
		var trace string
		if err := r.Scan(&k.id, &trace, &k.span.first, &k.span.last); err != nil {
			return err
		}
		observations, in[k.id] = append(observations, k), trace
		return nil
	})
	if err != nil {
		return err
	}
	return v.ownEvents(ctx, store.ObservationKind, observations, func(id string, seq store.Seq) { each(in[id], seq) })
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
func (v *view) search(ctx context.Context, p *pager, match func(context.Context, []store.Seq) ([]bool, error),
	events owned, find func(*pager) ([]key, error),
) ([]key, error) {
	if match == nil {
		return find(p)
	}
	leap := *p
	leap.limit = max(searchLeap, searchPerPage*p.limit)
	var found []key
	for {
		keys, err := find(&leap)
		if err != nil {
			return nil, err
		}
		keys, next, err := leap.cut(keys)
		if err != nil {
			return nil, err
		}
		for some := range slices.Chunk(keys, searchStep) {
			if some, err = v.matching(ctx, some, match, events); err != nil {
				return nil, err
			}
			if found = append(found, some...); len(found) > p.limit {
				return found[:p.limit+1], nil
			}
		}
		if next == nil {
			return found, nil
		}
		if leap.after, err = decodeCursor(*next, p.hash); err != nil {
			return nil, err
		}
		leap.limit = min(leapGrowth*leap.limit, mostSearched)
	}
}

// matching are the keys of which an event matches, in their order.
func (v *view) matching(ctx context.Context, keys []key, match func(context.Context, []store.Seq) ([]bool, error), events owned) ([]key, error) {
	var ids []string
	var seqs []store.Seq
	err := events(ctx, v, keys, func(id string, seq store.Seq) {
		ids, seqs = append(ids, id), append(seqs, seq)
	})
	if err != nil {
		return nil, err
	}
	matches, err := match(ctx, seqs)
	if err != nil {
		return nil, err
	}
	passed := map[string]bool{}
	for i, yes := range matches {
		if yes {
			passed[ids[i]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k key) bool { return !passed[k.id] }), nil
}
