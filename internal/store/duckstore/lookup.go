package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// eventOf is the condition that the event e is one of those that the observation o was
// folded from: it names its trace, or none and o is the newest of its id.
const eventOf = "e.entity_id = o.id AND (e.trace_id = o.trace_id OR nullif(e.trace_id, '') IS NULL AND o.newest)"

// TraceEvents returns the Seqs of all events that fold into the trace, in
// their order: its own, those of its observations and of its scores.
func (w *Warehouse) TraceEvents(ctx context.Context, project, traceID string) ([]entity.Seq, error) {
	var seqs []entity.Seq
	err := w.ask(ctx, project, "find the events of a trace", func(ctx context.Context, v *view) error {
		seqs = nil
		q := v.query()
		// Not id = $2: of a list DuckDB knows the least and the greatest, and passes over row groups.
		keys, err := v.keys(ctx, q, with([]string{ofTraces}, "SELECT "+keyColumns("0", noTrace)+" FROM tr WHERE id IN ("+q.ids([]key{{id: traceID}})+")"))
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return store.ErrNotFound
		}
		seqs, err = v.eventsOf(ctx, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// eventsOf returns the Seqs of all events of the traces, in their order.
func (v *view) eventsOf(ctx context.Context, keys []key) ([]entity.Seq, error) {
	q := v.query()
	scores, err := v.keys(ctx, q, with([]string{ofObservations, ofScores, q.scoresOf(keys)}, "SELECT "+keyColumns("0", noTrace)+" FROM sc"))
	if err != nil {
		return nil, err
	}
	q = v.query()
	parts := []string{
		q.ownEvents(entity.TraceKind, keys),
		"SELECT o.trace_id AS id, e.seq FROM " + q.observationEvents(keys),
	}
	if len(scores) > 0 {
		parts = append(parts, q.ownEvents(entity.ScoreKind, scores))
	}
	var seqs []entity.Seq
	err = v.events(ctx, q, with([]string{ofObservations}, strings.Join(parts, " UNION ALL ")+" ORDER BY seq"), func(_ string, seq entity.Seq) {
		seqs = append(seqs, seq)
	})
	return seqs, err
}

// ownEvents is a SELECT of id and seq of the events of the entities themselves.
func (q *query) ownEvents(kind entity.Kind, keys []key) string {
	spans := make([]span, len(keys))
	for i, k := range keys {
		spans[i] = k.span
	}
	return fmt.Sprintf("SELECT entity_id AS id, seq FROM events WHERE project = $1 AND kind = %d AND %s AND entity_id IN (%s)",
		kind, within("seq", joinSpans(spans, fewSpans)), q.ids(keys))
}

// observationEvents joins the observations o of traces with their events e.
func (q *query) observationEvents(traces []key) string {
	spans := make([]span, len(traces))
	for i, k := range traces {
		spans[i] = k.span
	}
	return fmt.Sprintf("(%s) AS o JOIN events AS e ON %s WHERE e.project = $1 AND e.kind = %d AND %s",
		q.observationsOf(traces, "id, trace_id, newest"), eventOf, entity.ObservationKind, within("e.seq", joinSpans(spans, fewSpans)))
}

// events runs a statement of ids and Seqs.
func (v *view) events(ctx context.Context, q *query, statement string, each func(id string, seq entity.Seq)) error {
	return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var id string
		var seq int64
		if err := r.Scan(&id, &seq); err != nil {
			return err
		}
		each(id, entity.Seq(seq))
		return nil
	})
}

// EntityEvents returns, by entity of the kind, the Seqs of its own events.
func (w *Warehouse) EntityEvents(ctx context.Context, project string, kind entity.Kind, ids []string) (map[string][]entity.Seq, error) {
	var seqs map[string][]entity.Seq
	err := w.ask(ctx, project, "find the events of entities", func(ctx context.Context, v *view) error {
		seqs = make(map[string][]entity.Seq, len(ids))
		if kind == entity.GenericKind {
			return nil // it has no entities
		}
		q := v.query()
		found, err := v.keys(ctx, q, "SELECT "+keyColumns("0", noTrace)+" FROM "+tableOf(kind)+" WHERE project = $1 AND id IN (SELECT unnest("+q.arg(ids)+"::VARCHAR[]))")
		if err != nil || len(found) == 0 {
			return err
		}
		q = v.query()
		return v.events(ctx, q, q.ownEvents(kind, found)+" ORDER BY seq", func(id string, seq entity.Seq) { seqs[id] = append(seqs[id], seq) })
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// EventSeqs finds the stored events of an id.
func (w *Warehouse) EventSeqs(ctx context.Context, project, eventID string) ([]entity.Seq, error) {
	var seqs []entity.Seq
	err := w.ask(ctx, project, "find an event", func(ctx context.Context, v *view) error {
		seqs = nil
		q := v.query()
		statement := "SELECT event_id, seq FROM events WHERE project = $1 AND event_id IN (" + q.ids([]key{{id: eventID}}) + ") ORDER BY seq"
		return v.events(ctx, q, statement, func(_ string, seq entity.Seq) { seqs = append(seqs, seq) })
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
	err := w.ask(ctx, project, "find the traces of a user", func(ctx context.Context, v *view) error {
		ids = ids[:0]
		q := v.query()
		named := fmt.Sprintf("FROM events AS e WHERE e.project = $1 AND e.user_id = %s AND e.kind = ", q.arg(userID))
		statement := with([]string{ofObservations}, fmt.Sprintf(`SELECT e.entity_id AS id %s%d
			UNION SELECT o.trace_id FROM (SELECT * %s%d) AS e JOIN o ON %s WHERE o.trace_id IS NOT NULL ORDER BY id`,
			named, entity.TraceKind, named, entity.ObservationKind, eventOf))
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
