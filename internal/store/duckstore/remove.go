package duckstore

import (
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Most entities lose all their events at once: their rows are deleted with them, by the thousand, and nothing is folded. Only
// what loses a part of its events, and what had to do with something that goes, is folded anew from what is left.

// removal is some events of a project that go, in a transaction. Its tables last as long as that.
type removal struct {
	w       *Warehouse
	project string
	where   string // their condition, in which the project is $1
	args    []any
	wipe    bool // nothing must stay of them in the file

	seqs []int64 // rising
}

// The tables of a removal: the Seqs of its events; the rows that were folded from some of them, and whether from them alone;
// and of traces how many of their own events go.
const (
	goneEvents       = "gone_events"
	goneObservations = "gone_observations"
	goneScores       = "gone_scores"
	goneTraces       = "gone_traces"
	goneOwn          = "gone_own"
)

// remove deletes events, and folds anew what is left of what they were part of, in one transaction. It returns how
// many there were.
func (w *Warehouse) remove(e removal) (gone int64, err error) {
	w.forget() // it knows events that go
	e.w = w
	err = w.transact(func() error {
		if err := e.find(); err != nil || len(e.seqs) == 0 {
			return err
		}
		r := e.refold()
		keys, err := e.toFold()
		if err != nil {
			return err
		}
		if _, err := r.touch(keys); err != nil {
			return err
		}
		traces, err := e.traces()
		if err != nil {
			return err
		}
		if err := e.delete(); err != nil {
			return err
		}
		if err := r.write(); err != nil {
			return err
		}
		traces = slices.DeleteFunc(traces, func(k entityKey) bool { return r.families[k] != nil })
		return e.rollUp(traces)
	})
	return int64(len(e.seqs)), err
}

func (e *removal) refold() *refold {
	r := e.w.newRefold(max(e.w.lastWritten, int64(e.w.cursor)), 0)
	r.wipe, r.without = e.wipe, e.seqs
	return r
}

// rollUpAtOnce is how many traces are rolled up at a time: what they consist of is in memory.
const rollUpAtOnce = 2000

// rollUp rolls traces up anew that have lost something.
func (e *removal) rollUp(traces []entityKey) error {
	for some := range slices.Chunk(traces, rollUpAtOnce) {
		r := e.refold()
		if _, err := r.touch(some); err != nil {
			return err
		}
		if err := r.write(); err != nil {
			return err
		}
	}
	return nil
}

// find makes the tables.
func (e *removal) find() error {
	if err := e.table(goneEvents, "SELECT seq FROM events"+e.where, e.args...); err != nil {
		return err
	}
	err := e.w.write.scan("SELECT seq FROM "+goneEvents+" ORDER BY seq", nil, func(b block) {
		e.seqs = append(e.seqs, b.int64s(0)...)
	})
	if err != nil || len(e.seqs) == 0 {
		return err
	}
	if err := e.table(goneObservations, e.losers(observationTable.name, "trace_id"), e.project); err != nil {
		return err
	}
	if err := e.table(goneScores, e.losers(scoreTable.name, "NULL"), e.project); err != nil {
		return err
	}
	return e.findTraces()
}

func (e *removal) table(name, as string, args ...any) error {
	return e.w.write.exec("CREATE OR REPLACE TEMP TABLE "+name+" AS "+as, args...)
}

// among is the condition that some events of a row may go. The numbers stand in the text, so that DuckDB passes over row
// groups of other events.
func (e *removal) among() string {
	return fmt.Sprintf("project = $1 AND first_seq <= %d AND last_seq >= %d", e.last(), e.seqs[0])
}

func (e *removal) last() int64 { return e.seqs[len(e.seqs)-1] }

// losers is a SELECT of the rows of observations or scores that lose events: which, its trace, and whether it loses all.
func (e *removal) losers(table, trace string) string {
	return fmt.Sprintf(`SELECT "row", any_value(trace) AS trace, count(*) = any_value(had) AS whole FROM
			(SELECT rowid AS "row", %[3]s AS trace, len(seqs) AS had, unnest(seqs) AS seq FROM %[1]s WHERE %[2]s AND seqs IS NOT NULL)
			SEMI JOIN %[4]s USING (seq) GROUP BY "row"
		UNION ALL SELECT "row", trace, a AND b FROM
			(SELECT rowid AS "row", %[3]s AS trace, first_seq IN (FROM %[4]s) AS a, last_seq IN (FROM %[4]s) AS b FROM %[1]s WHERE %[2]s AND seqs IS NULL)
			WHERE a OR b`, table, e.among(), trace, goneEvents)
}

// findTraces makes the table of the traces that lose something: their own events, or observations.
func (e *removal) findTraces() error {
	own := fmt.Sprintf(`SELECT "row", count(*) AS lost FROM (SELECT rowid AS "row", unnest(seqs) AS seq FROM traces WHERE %s AND seqs IS NOT NULL) SEMI JOIN %s USING (seq) GROUP BY "row"`, e.among(), goneEvents)
	if err := e.table(goneOwn, own, e.project); err != nil {
		return err
	}
	losers := fmt.Sprintf(`SELECT t.rowid AS "row", id, trace_hash, first_seq, last_seq, last_seq <= %d AND coalesce(len(seqs), 0) = coalesce(lost, 0) AS whole
		FROM traces AS t LEFT JOIN %s AS own ON t.rowid = own."row" WHERE %s AND (lost IS NOT NULL OR id IN (SELECT trace FROM %s WHERE trace IS NOT NULL))`,
		e.last(), goneOwn, e.among(), goneObservations)
	if err := e.table(goneTraces, losers, e.project); err != nil {
		return err
	}
	between, err := e.w.write.int64s("SELECT coalesce(min(first_seq), 0), coalesce(max(last_seq), 0) FROM " + goneTraces + " WHERE whole")
	if err != nil {
		return err
	}
	return e.w.write.exec(fmt.Sprintf(`UPDATE %[1]s SET whole = false WHERE whole AND id IN (SELECT trace_id FROM observations
		WHERE project = $1 AND first_seq >= %[2]d AND last_seq <= %[3]d AND (trace_hash, trace_id) IN (SELECT trace_hash, id FROM %[1]s WHERE whole) AND NOT %[4]s)`,
		goneTraces, between[0], between[1], isWhole(goneObservations)), e.project)
}

// isWhole is the condition that a row goes.
func isWhole(gone string) string { return `rowid IN (SELECT "row" FROM ` + gone + " WHERE whole)" }

// toFold returns the observations and scores that must be folded anew: those that lose a part of their events, and those that
// go and may leave something behind for others.
func (e *removal) toFold() (keys []entityKey, err error) {
	const ofObservation = "SELECT coalesce(trace_id, ''), id FROM observations WHERE "
	for _, q := range []struct {
		kind      entity.Kind
		statement string
	}{
		{entity.ObservationKind, ofObservation + e.among() + ` AND rowid IN (SELECT "row" FROM ` + goneObservations + " WHERE NOT whole)"},
		{entity.ScoreKind, "SELECT '', id FROM scores WHERE " + e.among() + ` AND rowid IN (SELECT "row" FROM ` + goneScores + " WHERE NOT whole)"},
		// the newest with its id, when one stays that is not
		{entity.ObservationKind, ofObservation + e.among() + " AND newest AND " + isWhole(goneObservations) + " AND id IN (SELECT id FROM observations WHERE project = $1 AND NOT newest AND NOT " + isWhole(goneObservations) + ")"},
	} {
		err := e.w.write.scan(q.statement, []any{e.project}, func(b block) {
			for i := range b.rows {
				keys = append(keys, entityKey{e.project, q.kind, b.text(0, i), b.text(1, i)})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	calls, err := e.calls()
	return append(keys, calls...), err
}

// calls returns the calls that go and may be twins of one that stays: one at about the same time, by keys that were seen.
func (e *removal) calls() (keys []entityKey, err error) {
	stays, err := e.w.write.int64s("SELECT coalesce(min(start_time), 0), count(*) FROM observations WHERE project = $1 AND twin IS NOT NULL AND NOT "+isWhole(goneObservations), e.project)
	if err != nil || stays[1] == 0 {
		return nil, err
	}
	seen := e.w.seen
	statement := fmt.Sprintf("SELECT id, %s FROM observations WHERE %s AND twin IS NOT NULL AND %s AND end_time >= %d - CASE split_part(twin, ' ', 3) WHEN '%c' THEN 0 ELSE %d END",
		callColumns, e.among(), isWhole(goneObservations), stays[0], entity.WholeCall, entity.LongestReachUS)
	err = e.w.write.scan(statement, []any{e.project}, func(b block) {
		var wants [entity.MostKeys]entity.Key
		for i := range b.rows {
			c := callAt(b, i, b.text(0, i), 1)
			if c.call == nil {
				continue
			}
			may := slices.ContainsFunc(c.call.AppendWants(wants[:0]), func(k entity.Key) bool { return seen.has(seen.callKey(e.project, k)) })
			if may || c.kept != c.call.Ref {
				keys = append(keys, entityKey{e.project, entity.ObservationKind, c.call.TraceID, c.call.ID})
			}
		}
	})
	return keys, err
}

// traces returns the traces that have lost something, and of which something stays.
func (e *removal) traces() (keys []entityKey, err error) {
	err = e.w.write.scan("SELECT id FROM "+goneTraces+" WHERE NOT whole", nil, func(b block) {
		for i := range b.rows {
			keys = append(keys, traceKey(e.project, b.text(0, i)))
		}
	})
	return keys, err
}

// delete removes the events, and the rows that were folded from them alone; then the tables.
func (e *removal) delete() error {
	if err := e.deleteRows("events", e.where, "fact = 0, "+blank(e.w.layout.columns[numFixed:]), e.args...); err != nil {
		return err
	}
	for kind, gone := range map[entity.Kind]string{entity.ObservationKind: goneObservations, entity.ScoreKind: goneScores, entity.TraceKind: goneTraces} {
		// By the number of the row alone: the project is overwritten, too.
		where := fmt.Sprintf(" WHERE first_seq <= %d AND last_seq >= %d AND %s", e.last(), e.seqs[0], isWhole(gone))
		if err := e.deleteRows(tableOf(kind), where, blank(columnsOf(kind))); err != nil {
			return err
		}
	}
	for _, table := range []string{goneEvents, goneObservations, goneScores, goneTraces, goneOwn} {
		if err := e.w.write.exec("DROP TABLE " + table); err != nil {
			return err
		}
	}
	return nil
}

// deleteRows deletes rows; when nothing must stay of them, they are overwritten first.
func (e *removal) deleteRows(table, where, blank string, args ...any) error {
	if e.wipe {
		if err := e.w.write.exec("UPDATE "+table+" SET "+blank+where, args...); err != nil {
			return err
		}
	}
	return e.w.write.exec("DELETE FROM "+table+where, args...)
}
