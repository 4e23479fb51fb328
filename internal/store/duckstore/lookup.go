package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Events finds the events that of means. Entities know theirs; of an event's id the Log has the last word.
func (w *Warehouse) Events(ctx context.Context, project string, of store.EventRef) (map[string][]entity.Seq, error) {
	find, what := (*view).entityEvents, "find the events of entities"
	switch {
	case of.TraceID != "":
		find, what = (*view).eventsOfTrace, "find the events of a trace"
	case of.EventID != "":
		find, what = (*view).likely, "find an event"
	}
	var seqs map[string][]entity.Seq
	err := w.ask(ctx, project, what, func(ctx context.Context, v *view) error {
		seqs = map[string][]entity.Seq{}
		return find(v, ctx, of, func(id string, seq entity.Seq) { seqs[id] = append(seqs[id], seq) })
	})
	if err == nil && of.EventID != "" {
		err = w.confirm(ctx, project, of.EventID, seqs)
	}
	if err != nil {
		return nil, err
	}
	for _, list := range seqs {
		slices.Sort(list)
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

// seqColumns say which events a row was folded from.
const seqColumns = "first_seq, last_seq, seqs"

// eventRows runs a statement of an id and seqColumns, and calls each for every Seq. A row without first_seq has
// only what its list says.
func (v *view) eventRows(ctx context.Context, q *builder, statement string, each func(id string, seq entity.Seq)) error {
	return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var id string
		var e rowEvents
		if err := r.Scan(append([]any{&id}, e.targets()...)...); err != nil {
			return err
		}
		e.each(func(seq entity.Seq) { each(id, seq) })
		return nil
	})
}

// rowEvents are seqColumns of a row.
type rowEvents struct {
	first, last sql.NullInt64
	seqs        []int64
}

func (e *rowEvents) targets() []any { return []any{&e.first, &e.last, seqScanner{&e.seqs}} }

func (e *rowEvents) each(f func(entity.Seq)) {
	switch {
	case e.seqs != nil:
		for _, seq := range e.seqs {
			f(entity.Seq(seq))
		}
	case !e.first.Valid:
	case e.first == e.last:
		f(entity.Seq(e.first.Int64))
	default:
		f(entity.Seq(e.first.Int64))
		f(entity.Seq(e.last.Int64))
	}
}

// ownColumns are seqColumns of a trace's own events, which are not all between its first and its last.
const ownColumns = "NULL::BIGINT AS first_seq, NULL::BIGINT AS last_seq, seqs"

// eventsOfTrace finds all events that fold into a trace.
func (v *view) eventsOfTrace(ctx context.Context, of store.EventRef, each func(string, entity.Seq)) error {
	q := v.query()
	keys, err := v.keys(ctx, q, with([]string{ofTraces}, "SELECT "+keyColumns("0", noTrace)+" FROM tr WHERE "+q.ofTraces("traces", "id", []key{{id: of.TraceID}})))
	if err != nil || len(keys) == 0 {
		return err
	}
	loose, err := v.hasLoose(ctx)
	if err != nil {
		return err
	}
	q = v.query()
	statement := with([]string{ofObservations, ofScores, q.scoresOf(keys, loose)}, q.eventsOfTraces(keys)+
		" UNION ALL SELECT id, "+seqColumns+" FROM sc")
	return v.eventRows(ctx, q, statement, func(_ string, seq entity.Seq) { each(of.TraceID, seq) })
}

// eventsOfTraces is a SELECT of a trace's id and seqColumns of the traces and of the observations in them. It needs o.
func (q *builder) eventsOfTraces(keys []key) string {
	return "SELECT id, " + ownColumns + " FROM traces WHERE " + q.placed(keys) +
		" UNION ALL " + q.observationsOf(keys, "trace_id, "+seqColumns)
}

// entityEvents finds the own events of entities.
func (v *view) entityEvents(ctx context.Context, of store.EventRef, each func(string, entity.Seq)) error {
	if of.Kind == entity.GenericKind {
		return nil // it has no entities
	}
	columns := seqColumns
	if of.Kind == entity.TraceKind {
		columns = ownColumns
	}
	q := v.query()
	return v.eventRows(ctx, q, "SELECT id, "+columns+" FROM "+tableOf(of.Kind)+" WHERE project = $1 AND id IN (SELECT unnest("+q.arg(of.IDs)+"::VARCHAR[]))", each)
}

// likely finds the events that may have been stored under an id.
func (v *view) likely(ctx context.Context, of store.EventRef, each func(string, entity.Seq)) error {
	least, most := factRange(of.EventID)
	q := v.query()
	statement := fmt.Sprintf("SELECT seq FROM events WHERE project = $1 AND fact >= %d AND fact <= %d", least, most)
	return v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var seq int64
		err := r.Scan(&seq)
		each(of.EventID, entity.Seq(seq))
		return err
	})
}

// readAtOnce is how many records are read from the Log at a time: they come with their payloads.
const readAtOnce = 64

// confirm leaves of the likely events of an id those of which the Log says that they are.
func (w *Warehouse) confirm(ctx context.Context, project, id string, seqs map[string][]entity.Seq) error {
	likely := seqs[id]
	delete(seqs, id)
	slices.Sort(likely)
	for some := range slices.Chunk(likely, readAtOnce) {
		recs, err := w.options.Records(ctx, some)
		if err != nil {
			return fmt.Errorf("find an event: %w", err)
		}
		for i := range recs {
			if recs[i].Project == project && recs[i].Event.ID == id {
				seqs[id] = append(seqs[id], recs[i].Seq)
			}
		}
	}
	return nil
}
