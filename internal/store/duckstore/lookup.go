package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// TraceEvents returns the Seqs of all events that fold into the trace, in
// their order: its own, those of its observations and of its scores.
func (w *Warehouse) TraceEvents(ctx context.Context, project, traceID string) ([]store.Seq, error) {
	var seqs []store.Seq
	err := w.ask(ctx, project, "find the events of a trace", func(v *view) error {
		seqs = nil
		q := v.query()
		// Not id = $2: of a list DuckDB knows the least and the greatest, and passes over row groups.
		trace, err := v.entities(ctx, q, with(q.allTraces(), fmt.Sprintf("SELECT %d, id, first_seq, last_seq FROM tr WHERE id IN (%s)", store.TraceKind, q.ids([]key{{id: traceID}}))))
		if err != nil {
			return err
		}
		keys := trace[store.TraceKind]
		if len(keys) == 0 {
			return store.ErrNotFound
		}
		q = v.query()
		all, err := v.entities(ctx, q, with([]string{q.observations(), q.scores(), q.scoresOf(keys)}, fmt.Sprintf("%s UNION ALL SELECT %d, id, first_seq, last_seq FROM sc",
			q.observationsOf(keys, fmt.Sprintf("%d, id, first_seq, last_seq", store.ObservationKind)), store.ScoreKind)))
		if err != nil {
			return err
		}
		all[store.TraceKind] = keys
		seqs, err = v.eventsOf(ctx, all)
		return err
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// tableOf is the relation that has an entity's span, and what it needs to be defined.
func (q *query) tableOf(kind store.Kind) (tables []string, name string) {
	switch kind {
	case store.TraceKind:
		return q.allTraces(), "tr"
	case store.ScoreKind:
		return []string{q.scores()}, "s"
	}
	return []string{q.observations()}, "o"
}

// EntityEvents returns, by entity of the kind, the Seqs of its own events.
func (w *Warehouse) EntityEvents(ctx context.Context, project string, kind store.Kind, ids []string) (map[string][]store.Seq, error) {
	var seqs map[string][]store.Seq
	err := w.ask(ctx, project, "find the events of entities", func(v *view) error {
		seqs = make(map[string][]store.Seq, len(ids))
		q := v.query()
		tables, name := q.tableOf(kind)
		found, err := v.entities(ctx, q, with(tables, fmt.Sprintf("SELECT %d, id, first_seq, last_seq FROM %s WHERE id IN (SELECT unnest(%s::VARCHAR[]))",
			kind, name, q.arg(ids))))
		if err != nil || len(found[kind]) == 0 {
			return err
		}
		return v.ownEvents(ctx, kind, found[kind], func(id string, seq store.Seq) { seqs[id] = append(seqs[id], seq) })
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// ownEvents calls each for every event of the entities themselves, in the order of Seq.
func (v *view) ownEvents(ctx context.Context, kind store.Kind, keys []key, each func(id string, seq store.Seq)) error {
	if len(keys) == 0 {
		return nil
	}
	q := v.query()
	q.only[kind] = q.selectKeys(keys)
	return v.rows(ctx, "SELECT entity_id, seq FROM "+q.source(kind)+" ORDER BY seq", q.args, func(r *sql.Rows) error {
		var id string
		var seq int64
		if err := r.Scan(&id, &seq); err != nil {
			return err
		}
		each(id, store.Seq(seq))
		return nil
	})
}

// entities are keys by kind.
type entities [store.GenericKind + 1][]key

// entities runs a statement whose rows are a kind, an id, and the first and last Seq.
func (v *view) entities(ctx context.Context, q *query, statement string) (all entities, err error) {
	err = v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var kind uint8
		var k key
		if err := r.Scan(&kind, &k.id, &k.span.first, &k.span.last); err != nil {
			return err
		}
		all[kind] = append(all[kind], k)
		return nil
	})
	return all, err
}

// eventsOf returns the Seqs of all events of the entities, in their order.
func (v *view) eventsOf(ctx context.Context, of entities) ([]store.Seq, error) {
	q := v.query()
	var parts []string
	for kind, keys := range of {
		if len(keys) > 0 {
			q.only[kind] = q.selectKeys(keys)
			parts = append(parts, "SELECT seq FROM "+q.source(store.Kind(kind)))
		}
	}
	var seqs []store.Seq
	err := v.rows(ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY seq", q.args, func(r *sql.Rows) error {
		var seq int64
		err := r.Scan(&seq)
		seqs = append(seqs, store.Seq(seq))
		return err
	})
	return seqs, err
}

// EventSeqs finds the stored events of an id.
func (w *Warehouse) EventSeqs(ctx context.Context, project, eventID string) ([]store.Seq, error) {
	var seqs []store.Seq
	err := w.askEvents(ctx, project, "find an event", func(v *view) error {
		seqs = nil
		return v.rows(ctx, "SELECT seq FROM events WHERE project = $1 AND event_id = $2 ORDER BY seq", []any{project, eventID}, func(r *sql.Rows) error {
			var seq int64
			err := r.Scan(&seq)
			seqs = append(seqs, store.Seq(seq))
			return err
		})
	})
	if err == nil && len(seqs) == 0 {
		err = store.ErrNotFound
	}
	return seqs, err
}

// UserEvents returns the ids of the traces that have to do with a user. A fold
// names only users that one of the events names, so it need not be asked.
func (w *Warehouse) UserEvents(ctx context.Context, project, userID string) ([]string, error) {
	ids := []string{}
	err := w.ask(ctx, project, "find the traces of a user", func(v *view) error {
		ids = ids[:0]
		q := v.query()
		named := fmt.Sprintf("SELECT entity_id FROM events WHERE project = $1 AND user_id = %s AND kind = ", q.arg(userID))
		statement := with([]string{q.observations()}, fmt.Sprintf(`SELECT id FROM (%s%d) AS own(id)
			UNION SELECT trace_id FROM o WHERE trace_id <> '' AND id IN (%s%d) ORDER BY id`,
			named, store.TraceKind, named, store.ObservationKind))
		return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}
