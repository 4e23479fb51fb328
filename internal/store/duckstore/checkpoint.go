package duckstore

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Checkpoint writes what is hot, and moves the write-ahead log into the file. It is worth its time
// when nothing waits to be inserted; Insert waits for it.
func (w *Warehouse) Checkpoint(ctx context.Context) error {
	if err := w.locked(ctx, w.checkpoint); err != nil {
		return fmt.Errorf("checkpoint warehouse: %w", err)
	}
	return nil
}

// gateHeld is how long a checkpoint keeps questions out: until it has begun.
const gateHeld = 50 * time.Millisecond

// checkpoint moves the write-ahead log into the file. It begins when the questions that are
// being answered have ended; the next ones run beside it. w.mu is held.
func (w *Warehouse) checkpoint() error {
	w.gate.Lock()
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
	if err := w.checkpoint(); err != nil {
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
