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

func having(kind store.Kind, seqs string) string {
	return fmt.Sprintf("SELECT entity_id FROM events WHERE project = $1 AND kind = %d AND seq IN (%s)", kind, seqs)
}

// foundObservations is the condition that an observation has one of the events.
// Only those are folded: a fold of all takes longer than a search.
func (q *query) foundObservations(seqs []store.Seq) string {
	ids := having(store.ObservationKind, q.seqs(seqs))
	if q.restrict[store.ObservationKind] == "" {
		q.restrict[store.ObservationKind] = ids
	}
	return "o.id IN (" + ids + ")"
}

// foundTraces is the condition that a trace, or an observation of it, has one of
// the events. It restricts the folds to those traces that an event of a found
// observation ever named, and leaves the decision to the fold.
func (q *query) foundTraces(seqs []store.Seq) string {
	list := q.seqs(seqs)
	own, observations := having(store.TraceKind, list), having(store.ObservationKind, list)
	q.onlyTraces(own + fmt.Sprintf(" UNION SELECT trace_id FROM events WHERE project = $1 AND kind = %d AND trace_id <> '' AND entity_id IN (%s)",
		store.ObservationKind, observations))
	return "id IN (" + own + " UNION SELECT trace_id FROM o WHERE id IN (" + observations + "))"
}

// owned makes the statement that finds the events of entities: rows of the entity's id and a Seq.
type owned func(q *query, ids string) string

func observationEvents(_ *query, ids string) string {
	return fmt.Sprintf("SELECT entity_id, seq FROM events WHERE project = $1 AND kind = %d AND entity_id IN (%s)", store.ObservationKind, ids)
}

func traceEvents(q *query, ids string) string {
	q.onlyTraces(ids)
	return with([]string{q.observations()},
		fmt.Sprintf("SELECT entity_id, seq FROM events WHERE project = $1 AND kind = %d AND entity_id IN (%s)", store.TraceKind, ids)+
			fmt.Sprintf(" UNION ALL SELECT o.trace_id, e.seq FROM events e JOIN o ON e.entity_id = o.id WHERE e.project = $1 AND e.kind = %d AND o.trace_id IN (%s)",
				store.ObservationKind, ids))
}

// The rows that search looks at at a time: of the first statement at least so
// many, each time leapGrowth as many, and the events of searchStep rows together.
const (
	searchLeap    = 256
	leapGrowth    = 8
	mostSearched  = 1 << 18
	searchStep    = 1 << 14
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
	q := v.query()
	var ids []string
	var seqs []store.Seq
	err := v.rows(ctx, events(q, q.ids(keys)), q.args, func(r *sql.Rows) error {
		var id string
		var seq int64
		if err := r.Scan(&id, &seq); err != nil {
			return err
		}
		ids, seqs = append(ids, id), append(seqs, store.Seq(seq))
		return nil
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
