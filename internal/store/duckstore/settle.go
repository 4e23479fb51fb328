package duckstore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// settleBehind settles when enough events have come since it was last done. What
// was inserted stays inserted when it fails: questions are answered all the
// same, only slower. w.mu is held, on the writer's thread.
func (w *Warehouse) settleBehind() {
	if w.cursor < w.settleAt {
		return
	}
	if err := w.settle(); err != nil {
		w.options.Logger.Warn("warehouse rows could not be settled; it is tried again later", "error", err)
		w.settleAt = w.cursor + store.Seq(w.options.SettleEvery)
		if broken(err) {
			w.detach()
		}
	}
}

// settle moves the frontier up to the cursor, in one transaction.
func (w *Warehouse) settle() error {
	if w.cursor == w.settled && !w.late {
		return nil
	}
	if err := w.transact(w.moveFrontier); err != nil {
		return fmt.Errorf("settle rows: %w", err)
	}
	w.isSettled()
	return nil
}

// isSettled notes that the transaction of moveFrontier is in.
func (w *Warehouse) isSettled() {
	w.settled, w.late = w.cursor, false
	w.settleAt = w.cursor + store.Seq(w.options.SettleEvery)
}

// moveFrontier folds the dirty entities of all projects into settled rows.
func (w *Warehouse) moveFrontier() error {
	var projects []string
	err := w.write.scan(fmt.Sprintf("SELECT project FROM events WHERE seq > %d UNION SELECT project FROM late", w.settled), nil, func(b block) {
		for _, p := range b.texts(0) {
			projects = append(projects, strings.Clone(p.view()))
		}
	})
	if err != nil {
		return err
	}
	for _, p := range projects {
		if err := w.settleProject(p); err != nil {
			return err
		}
	}
	if err := w.write.exec("DELETE FROM late"); err != nil {
		return err
	}
	return w.write.exec("UPDATE meta SET settled = " + strconv.FormatUint(uint64(w.cursor), 10))
}

// settleProject replaces the settled rows of the project's dirty entities. Traces
// come last, because theirs add up those of their observations, which are folded
// first, once.
func (w *Warehouse) settleProject(project string) error {
	var f frontier
	err := f.find(func(query string, each func(a, b int64)) error {
		return w.write.scan(query, []string{project}, func(b block) {
			first, second := b.int64s(0), b.int64s(1)
			for i := range b.rows {
				each(first[i], second[i])
			}
		})
	})
	if err != nil {
		return err
	}
	q := &query{tied: w.tied.of(project), frontier: &f}
	for _, statement := range q.settling() {
		var args []string
		if strings.Contains(statement, "$1") {
			args = []string{project}
		}
		if err := w.write.exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// settling is the statements that replace the settled rows of the dirty entities.
func (q *query) settling() []string {
	f := q.frontier
	var fold, replace []string
	one := func(kind store.Kind, folded, ids, live string, from int64, replaces bool) {
		t := settledTables[kind]
		fold = append(fold, "CREATE OR REPLACE TEMP TABLE "+folded+" AS "+live)
		if replaces {
			replace = append(replace, fmt.Sprintf("DELETE FROM %s WHERE project = $1 AND first_seq >= %d AND id IN (%s)", t.name, from, ids))
		}
		replace = append(replace, "INSERT INTO "+t.name+" SELECT $1, "+t.list()+" FROM "+folded, "DROP TABLE "+folded)
	}
	if d := f.kinds[store.ScoreKind]; d.any {
		one(store.ScoreKind, "new_scores", f.dirtyIDs(store.ScoreKind),
			"SELECT "+settledTables[store.ScoreKind].list()+" FROM ("+q.foldScores()+")", d.from, d.settled)
	}
	if d := f.kinds[store.ObservationKind]; d.any {
		one(store.ObservationKind, "new_observations", f.dirtyIDs(store.ObservationKind), q.liveObservations(), d.from, d.settled)
		q.folded = true
	}
	if f.tracesDirty() {
		fold = append(fold, "CREATE OR REPLACE TEMP TABLE changed AS "+with([]string{q.dirtyTraces()}, "SELECT id FROM dt"))
		one(store.TraceKind, "new_traces", "SELECT id FROM changed",
			with([]string{q.traces(), q.observations(), table("dt", "SELECT id FROM changed")}, q.liveTraces()), f.tracesFrom, f.tracesSettled)
		replace = append(replace, "DROP TABLE changed")
	}
	return append(fold, replace...)
}
