package duckstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// TraceEvents returns the Seqs of all events that fold into the trace, in
// their order: its own, those of its observations and of its scores.
func (w *Warehouse) TraceEvents(ctx context.Context, project, traceID string) ([]store.Seq, error) {
	var seqs []store.Seq
	err := w.ask(ctx, project, "find the events of a trace", func(v *view) error {
		seqs = nil
		q := v.query()
		ids := "SELECT " + q.arg(traceID)
		q.onlyTraces(ids)
		q.restrictScores(ids)
		exists := false
		trace := "(" + ids + ")"
		own := table("own", fmt.Sprintf("SELECT %d AS kind, %s AS id", store.TraceKind, trace)+
			fmt.Sprintf(" UNION ALL SELECT %d, id FROM o WHERE trace_id = %s", store.ObservationKind, trace)+
			fmt.Sprintf(" UNION ALL SELECT %d, id FROM sc WHERE placed_in = %s", store.ScoreKind, trace))
		statement := with([]string{q.observations(), q.scores(), placedScores(), own},
			"SELECT e.seq, e.kind FROM events e JOIN own ON e.kind = own.kind AND e.entity_id = own.id WHERE e.project = $1 ORDER BY e.seq")
		err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
			var seq int64
			var kind uint8
			if err := r.Scan(&seq, &kind); err != nil {
				return err
			}
			seqs = append(seqs, store.Seq(seq))
			exists = exists || store.Kind(kind) != store.ScoreKind
			return nil
		})
		if err == nil && !exists {
			return store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// EntityEvents returns, by entity of the kind, the Seqs of its own events.
func (w *Warehouse) EntityEvents(ctx context.Context, project string, kind store.Kind, ids []string) (map[string][]store.Seq, error) {
	var seqs map[string][]store.Seq
	err := w.ask(ctx, project, "find the events of entities", func(v *view) error {
		seqs = make(map[string][]store.Seq, len(ids))
		q := v.query()
		text := fmt.Sprintf("SELECT entity_id, seq FROM events WHERE project = $1 AND kind = %d AND entity_id IN (SELECT unnest(%s::VARCHAR[])) ORDER BY seq",
			kind, q.arg(ids))
		return v.rows(ctx, text, q.args, func(r *sql.Rows) error {
			var id string
			var seq int64
			err := r.Scan(&id, &seq)
			seqs[id] = append(seqs[id], store.Seq(seq))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// EventSeq finds a stored event by its id.
func (w *Warehouse) EventSeq(ctx context.Context, project, eventID string) (store.Seq, error) {
	var seq int64
	err := w.ask(ctx, project, "find an event", func(v *view) error {
		err := v.tx.QueryRowContext(ctx, "SELECT seq FROM events WHERE project = $1 AND event_id = $2", project, eventID).Scan(&seq)
		if err == sql.ErrNoRows {
			return store.ErrNotFound
		}
		return err
	})
	return store.Seq(seq), err
}
