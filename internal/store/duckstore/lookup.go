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
