package duckstore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// How many events may be behind the frontier, and how many are settled in one
// transaction, in terms of Options.SettleEvery: settling costs nearly as much as
// inserting, so that it waits, within bounds, while much comes in.
const (
	settleAtMost = 200
	settleAsked  = 4 // instead of it, while somebody asks, for whom all that waits is folded
	settleAtOnce = 8
	// muchInserted is a transaction so large that more is likely to wait.
	muchInserted = 5000
)

// settleBehind settles when enough events have come since it was last done, after
// a transaction of so many records. What was inserted stays inserted when it
// fails: questions are answered all the same, only slower. w.mu is held, on the
// writer's thread.
func (w *Warehouse) settleBehind(records int) {
	every := store.Seq(w.options.SettleEvery)
	if records >= muchInserted {
		every *= settleAtMost
		if w.asked.Load() != w.settleAsked {
			every = store.Seq(w.options.SettleEvery) * settleAsked
		}
	}
	w.inserted += records
	var err error
	if w.cursor >= w.settleFrom+every {
		err = w.settle()
	}
	if err == nil && w.inserted >= checkpointAfter && w.asked.Load() != w.checkpointAsked {
		err = w.checkpoint()
	}
	if err == nil {
		return
	}
	w.options.Logger.Warn("warehouse rows could not be settled; it is tried again later", "error", err)
	w.settleFrom, w.inserted = w.cursor, 0
	if w.broken(err) {
		w.detach()
	}
}

// checkpointAfter is how many rows stay in the write-ahead log while somebody asks:
// until a checkpoint they are in memory as they came, and questions need that memory. While nobody asks
// they wait for an idle moment.
const checkpointAfter = 150_000

// settle moves the frontier up to the cursor, in transactions of a bounded size,
// and of a smaller one when memory is short. It ends with a trimming: folding leaves many holes.
func (w *Warehouse) settle() error {
	if w.settled >= w.cursor && !w.late {
		return nil
	}
	defer trimMemory()
	most := store.Seq(w.options.SettleEvery * settleAtOnce)
	for w.settled < w.cursor || w.late {
		upto := min(w.cursor, w.settled+most)
		err := w.transact(func() error { return w.moveFrontier(w.settled, upto) })
		if starved(err) && most > leastSettled {
			most /= 2
			err = w.checkpoint() // what it has written needs no memory
			if err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("settle rows: %w", err)
		}
		w.isSettled(upto)
	}
	return nil
}

// leastSettled is how few events are still worth a transaction of their own.
const leastSettled = 1000

// isSettled notes that the transaction of moveFrontier is in.
func (w *Warehouse) isSettled(upto store.Seq) {
	w.settled, w.settleFrom, w.late = upto, upto, false
	w.settleAsked = w.asked.Load()
}

// moveFrontier folds the entities that are dirty by events up to upto into settled
// rows, of all projects. Of an entity with later events too, what is settled is
// not used, because it is dirty then as now.
func (w *Warehouse) moveFrontier(from, upto store.Seq) error {
	var projects []string
	err := w.write.scan(fmt.Sprintf("SELECT project FROM events WHERE seq > %d AND seq <= %d UNION SELECT project FROM late", from, upto), nil, func(b block) {
		for _, p := range b.texts(0) {
			projects = append(projects, strings.Clone(p.view()))
		}
	})
	if err != nil {
		return err
	}
	for _, p := range projects {
		if err := w.settleProject(p, upto); err != nil {
			return err
		}
	}
	if err := w.write.exec("DELETE FROM late"); err != nil {
		return err
	}
	return w.write.exec("UPDATE meta SET settled = " + strconv.FormatUint(uint64(upto), 10))
}

// settleProject replaces the settled rows of the project's dirty entities.
func (w *Warehouse) settleProject(project string, upto store.Seq) error {
	ask := func(query string, each func(a, b int64)) error {
		return w.write.scan(query, []string{project}, func(b block) {
			first, second := b.int64s(0), b.int64s(1)
			for i := range b.rows {
				each(first[i], second[i])
			}
		})
	}
	f := frontier{upto: int64(upto)}
	exec := func(statement string) error {
		if strings.Contains(statement, "$1") {
			return w.write.exec(statement, project)
		}
		return w.write.exec(statement)
	}
	if err := f.find(exec, ask); err != nil {
		return err
	}
	q := &query{tied: w.tied.of(project), frontier: &f}
	if err := q.foldDirty(exec, ask); err != nil {
		return err
	}
	for _, statement := range f.replacing() {
		if err := exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// replacing is the statements that put the folds of the dirty entities in the
// place of their settled rows.
func (f *frontier) replacing() []string {
	var all []string
	replace := func(kind store.Kind, folded, ids string, begin []span) {
		t := settledTables[kind]
		if len(begin) > 0 {
			all = append(all, fmt.Sprintf("DELETE FROM %s WHERE project = $1 AND %s AND id IN (%s)", t.name, within("first_seq", begin), ids))
		}
		all = append(all, "INSERT INTO "+t.name+" SELECT $1, "+t.list()+" FROM "+folded, "DROP TABLE "+folded, "DROP TABLE IF EXISTS "+dirtyTable(kind))
	}
	if d := &f.kinds[store.ScoreKind]; d.any() {
		replace(store.ScoreKind, newScores, dirtyIDs(store.ScoreKind), d.settled)
	}
	if d := &f.kinds[store.ObservationKind]; d.any() {
		replace(store.ObservationKind, newObservations, dirtyIDs(store.ObservationKind), d.settled)
	}
	if f.tracesDirty() {
		replace(store.TraceKind, newTraces, "SELECT id FROM "+dirtyTraces, f.tracesSettled)
		all = append(all, "DROP TABLE "+dirtyTraces)
	}
	return all
}
