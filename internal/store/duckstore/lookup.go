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

// Events finds the events that of means.
func (w *Warehouse) Events(ctx context.Context, project string, of store.EventRef) (map[string][]entity.Seq, error) {
	find, what := (*view).entityEvents, "find the events of entities"
	switch {
	case of.TraceID != "":
		find, what = (*view).traceEvents, "find the events of a trace"
	case of.EventID != "":
		find, what = (*view).stored, "find an event"
	}
	var seqs map[string][]entity.Seq
	err := w.ask(ctx, project, what, func(ctx context.Context, v *view) error {
		seqs = map[string][]entity.Seq{}
		return find(v, ctx, of, func(id string, seq entity.Seq) { seqs[id] = append(seqs[id], seq) })
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// Twins finds the duplicates among the observations that of means, and those of which they are kept.
func (w *Warehouse) Twins(ctx context.Context, project string, of store.EventRef) (entity.Twins, error) {
	column, values := "id", of.IDs
	kept := "duplicate_of"
	if of.TraceID != "" {
		column, kept, values = "trace_id", "duplicate_of_trace", []string{of.TraceID}
	}
	var twins entity.Twins
	err := w.ask(ctx, project, "find twins", func(ctx context.Context, v *view) error {
		twins = entity.Twins{}
		q := v.query()
		ids := q.arg(values)
		// Nearly all rows have no such columns, and DuckDB passes over those.
		statement := fmt.Sprintf(`SELECT coalesce(trace_id, ''), id, coalesce(duplicate_of_trace, ''), duplicate_of FROM observations
			WHERE project = $1 AND duplicate_of IS NOT NULL AND (list_contains(%[3]s::VARCHAR[], %[1]s) OR list_contains(%[3]s::VARCHAR[], %[2]s))`, column, kept, ids)
		return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
			var twin, of entity.Ref
			err := r.Scan(&twin.TraceID, &twin.ID, &of.TraceID, &of.ID)
			twins[twin] = of
			return err
		})
	})
	return twins, err
}

// traceEvents finds all events that fold into a trace.
func (v *view) traceEvents(ctx context.Context, of store.EventRef, each func(string, entity.Seq)) error {
	q := v.query()
	// Not id = $2: of a list DuckDB knows the least and the greatest, and passes over row groups.
	keys, err := v.keys(ctx, q, with([]string{ofTraces}, "SELECT "+keyColumns("0", noTrace)+" FROM tr WHERE id IN ("+q.ids([]key{{id: of.TraceID}})+")"))
	if err != nil || len(keys) == 0 {
		return err
	}
	q = v.query()
	scores, err := v.keys(ctx, q, with([]string{ofObservations, ofScores, q.scoresOf(keys)}, "SELECT "+keyColumns("0", noTrace)+" FROM sc"))
	if err != nil {
		return err
	}
	q = v.query()
	parts := []string{
		q.ownEvents(entity.TraceKind, keys),
		"SELECT o.trace_id AS id, e.seq FROM " + q.observationEvents(keys),
	}
	if len(scores) > 0 {
		parts = append(parts, q.ownEvents(entity.ScoreKind, scores))
	}
	return v.events(ctx, q, with([]string{ofObservations}, strings.Join(parts, " UNION ALL ")+" ORDER BY seq"), func(_ string, seq entity.Seq) {
		each(of.TraceID, seq)
	})
}

// ownEvents is a SELECT of id and seq of the events of the entities themselves.
func (q *builder) ownEvents(kind entity.Kind, keys []key) string {
	spans := make([]span, len(keys))
	for i, k := range keys {
		spans[i] = k.span
	}
	return fmt.Sprintf("SELECT entity_id AS id, seq FROM events WHERE project = $1 AND kind = %d AND %s AND entity_id IN (%s)",
		kind, within("seq", joinSpans(spans, fewSpans)), q.ids(keys))
}

// observationEvents joins the observations o of traces with their events e.
func (q *builder) observationEvents(traces []key) string {
	spans := make([]span, len(traces))
	for i, k := range traces {
		spans[i] = k.span
	}
	return fmt.Sprintf("(%s) AS o JOIN events AS e ON %s WHERE e.project = $1 AND e.kind = %d AND %s",
		q.observationsOf(traces, "id, trace_id, newest"), eventOf, entity.ObservationKind, within("e.seq", joinSpans(spans, fewSpans)))
}

// events runs a statement of ids and Seqs.
func (v *view) events(ctx context.Context, q *builder, statement string, each func(id string, seq entity.Seq)) error {
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

// entityEvents finds the own events of entities.
func (v *view) entityEvents(ctx context.Context, of store.EventRef, each func(string, entity.Seq)) error {
	if of.Kind == entity.GenericKind {
		return nil // it has no entities
	}
	q := v.query()
	found, err := v.keys(ctx, q, "SELECT "+keyColumns("0", noTrace)+" FROM "+tableOf(of.Kind)+" WHERE project = $1 AND id IN (SELECT unnest("+q.arg(of.IDs)+"::VARCHAR[]))")
	if err != nil || len(found) == 0 {
		return err
	}
	q = v.query()
	return v.events(ctx, q, q.ownEvents(of.Kind, found)+" ORDER BY seq", each)
}

// stored finds the events that were stored under an id.
func (v *view) stored(ctx context.Context, of store.EventRef, each func(string, entity.Seq)) error {
	q := v.query()
	return v.events(ctx, q, "SELECT event_id, seq FROM events WHERE project = $1 AND event_id IN ("+q.ids([]key{{id: of.EventID}})+") ORDER BY seq", each)
}
