package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// entityKinds are the kinds that have rows.
var entityKinds = [...]entity.Kind{entity.ObservationKind, entity.ScoreKind, entity.TraceKind}

// deleteOld removes the rows whose place is taken, or that are gone. After an erasure
// nothing must stay of them, so that their texts are overwritten first.
func (r *refold) deleteOld() error {
	for _, kind := range entityKinds {
		old := &r.old[kind]
		if len(old.keys) == 0 {
			continue
		}
		condition, args := ofRows(kind, old.keys)
		where := " WHERE " + within("written", joinSpans(old.written, fewSpans)) + " AND " + condition
		if r.wipe {
			if err := r.w.write.exec("UPDATE "+tableOf(kind)+" SET "+blank(columnsOf(kind))+where, args...); err != nil {
				return err
			}
			// They cannot be found by what was overwritten.
			where = " WHERE " + within("written", joinSpans(old.written, fewSpans)) + " AND project IS NULL"
			args = nil
		}
		if err := r.w.write.exec("DELETE FROM "+tableOf(kind)+where, args...); err != nil {
			return err
		}
	}
	return nil
}

func columnsOf(kind entity.Kind) []column {
	switch kind {
	case entity.TraceKind:
		return traceTable.all()
	case entity.ScoreKind:
		return scoreTable.all()
	}
	return observationTable.all()
}

// recount notes which amounts count, in the new rows and in rows that stay.
func (r *refold) recount() error {
	fresh := make(map[entityKey]*observationRow, len(r.observations))
	if len(r.recounted) > 0 {
		for i := range r.observations {
			p := &r.observations[i]
			fresh[p.key] = &p.row
		}
	}
	for _, c := range r.recounted {
		if row := fresh[entityKey{c.trace.project, entity.ObservationKind, c.trace.id, c.ID}]; row != nil {
			row.CountsTokens, row.CountsCost, row.Counted = c.Tokens, c.Cost, c.Counted
			continue
		}
		statement := fmt.Sprintf("UPDATE observations SET counts_tokens = %t, counts_cost = %t, counted = %t WHERE %s AND project = $1 AND trace_id = $2 AND id = $3",
			c.Tokens, c.Cost, c.Counted, c.span.holds("written"))
		if err := r.w.write.exec(statement, c.trace.project, c.trace.id, c.ID); err != nil {
			return err
		}
	}
	return nil
}

func (r *refold) appendRows() error {
	w := r.w
	err := w.append(observationTable.name, w.chunks.observations, len(r.observations), func(c *chunk, i int) {
		p := &r.observations[i]
		observationTable.put(c, p.key.project, r.written, p.at, p.seqs, &p.row)
	})
	if err == nil {
		err = w.append(scoreTable.name, w.chunks.scores, len(r.scores), func(c *chunk, i int) {
			p := &r.scores[i]
			scoreTable.put(c, p.key.project, r.written, p.at, p.seqs, &p.row)
		})
	}
	if err == nil {
		err = w.append(traceTable.name, w.chunks.traces, len(r.traces), func(c *chunk, i int) {
			p := &r.traces[i]
			traceTable.put(c, p.key.project, r.written, p.at, p.seqs, &p.row)
		})
	}
	return err
}
