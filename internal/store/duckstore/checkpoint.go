package duckstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Checkpoint writes what is hot, and moves the write-ahead log into the file. It is worth its time
// when nothing waits to be inserted; Insert waits for it.
func (w *Warehouse) Checkpoint(ctx context.Context) error {
	if err := w.locked(ctx, func() error { return w.checkpointOrCompact(true) }); err != nil {
		return fmt.Errorf("checkpoint warehouse: %w", err)
	}
	return nil
}

// gateHeld is how long a checkpoint keeps questions out: until it has begun.
const gateHeld = 50 * time.Millisecond

// longWait is how long a checkpoint waits for a question that may take long, before that gives way.
const longWait = 2 * time.Second

// checkpoint moves the write-ahead log into the file. It begins when the questions that are
// being answered have ended; the next ones run beside it. w.mu is held.
func (w *Warehouse) checkpoint() error {
	longer := time.AfterFunc(longWait, w.asking.giveWay)
	w.gate.Lock()
	longer.Stop()
	open := sync.OnceFunc(w.gate.Unlock)
	defer open()
	defer time.AfterFunc(gateHeld, open).Stop()
	err := w.write.exec("CHECKPOINT")
	if err == nil {
		w.removed, w.inserted, w.checkpointAsked = 0, 0, w.asked.Load()
	}
	open()
	trimMemory()
	return err
}

// compact is a checkpoint that joins row groups of which much was deleted, too: DuckDB writes what is left of them again, of all columns.
// Row groups of which everything was deleted go with any checkpoint; so what is removed in the order in which it came
// needs no more than that, and would be written several times. w.mu is held.
func (w *Warehouse) compact() error {
	err := w.transact(func() error { // without a change DuckDB's checkpoint does nothing, and setting what is there is none
		return errors.Join(w.write.exec("UPDATE meta SET cursor = cursor + 1"), w.write.exec("UPDATE meta SET cursor = cursor - 1"))
	})
	if err == nil {
		err = w.write.exec("RESET max_vacuum_tasks")
	}
	if err == nil {
		err = errors.Join(w.checkpoint(), w.write.exec(compactNothing))
	}
	return err
}

// compactNothing is what holds but for compact.
const compactNothing = "SET max_vacuum_tasks = 0"

// rows counts the rows of all entities and events, and those that were deleted and still take room, in row groups of which something is left.
func (w *Warehouse) rows() (live, dead int64, err error) {
	counts := make([]string, 0, 4)
	for _, t := range w.layout.tables() {
		counts = append(counts, "(SELECT count(*) FROM "+t.name+")")
	}
	// DuckDB's estimate is what its row groups hold.
	n, err := w.write.int64s("SELECT " + strings.Join(counts, " + ") + ", (SELECT sum(estimated_size)::BIGINT FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND table_name <> 'meta')")
	if err != nil {
		return 0, 0, err
	}
	return n[0], n[1] - n[0], nil
}

// compactAfter is how many rows must be dead, and as many as live, before a checkpoint that does not come in an idle moment joins
// what is left of row groups; in an idle moment a row group's are enough.
const compactAfter = 1_000_000

// checkpointOrCompact makes a checkpoint, and compacts when it is worth it.
func (w *Warehouse) checkpointOrCompact(idle bool) error {
	live, dead, err := w.rows()
	if err != nil {
		return err
	}
	if dead >= max(compactAfter, live) || idle && dead >= flushRows {
		return w.compact()
	}
	return w.checkpoint()
}

// checkpointAfter is how many rows stay in the write-ahead log while somebody asks:
// until a checkpoint they are in memory as they came, and questions need that memory. While nobody asks
// they wait for an idle moment.
const checkpointAfter = 150_000

// checkpointSoon makes a checkpoint when it is time and its turn comes.
func (w *Warehouse) checkpointSoon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed && w.write != nil && w.muchToCheckpoint() {
		_ = w.writing(w.checkpointWhenMuch) // it logs
	}
}

// checkpointWhenMuch makes a checkpoint when it is time. What was inserted stays so when it fails.
func (w *Warehouse) checkpointWhenMuch() error {
	if !w.muchToCheckpoint() {
		return nil
	}
	if err := w.checkpointOrCompact(false); err != nil {
		w.inserted = 0
		w.options.Logger.Warn("the warehouse could not make a checkpoint; it is tried again later", "error", err)
		if w.broken(err) {
			w.lost = true
		}
	}
	return nil
}

func (w *Warehouse) muchToCheckpoint() bool {
	return w.inserted >= checkpointAfter && w.asked.Load() != w.checkpointAsked
}
