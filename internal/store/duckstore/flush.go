package duckstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// What was inserted is hot: it is in memory, and the log has it. A flush writes all that is hot in one transaction: when
// somebody asks, when there is much of it, when it has waited, when nothing comes any more, and at the end. A flush that
// fails loses nothing: what was hot stays so, and goes into the next one. From then on Insert says what is wrong, until a flush succeeds.

const (
	// flushRows is how many events are written at once when nobody asks: a row group of DuckDB, which goes straight into
	// its file, past its write-ahead log.
	flushRows = 122_880
	// flushBytes is how many bytes of events are written at once, if that is less.
	flushBytes = 64 << 20
	// flushAfter is how long an event waits at most while others come: what a crash leaves to be inserted again is no older.
	flushAfter = time.Minute
	// mostRows and mostBytes are what may be hot while it cannot be written.
	mostRows  = flushRows * 5 / 4
	mostBytes = flushBytes * 5 / 4
	// largeMemory is what DuckDB needs for a whole row group of every table; with less, smallRows are written at once, and
	// what finds no memory is tried again with half of it, down to leastRows.
	largeMemory = 120 << 20
	smallRows   = 20_000
	leastRows   = 1_000
	// askAgain is how long questions do not try again what failed.
	askAgain = time.Second
)

// due says whether it is time to write.
func (h *hot) due(now time.Time) bool {
	return len(h.events) >= flushRows || h.memory() >= flushBytes || len(h.events) > 0 && now.Sub(h.since) > flushAfter
}

// full says whether there is no room for n more events, and so something to write first.
func (h *hot) full(n int, now time.Time) bool {
	return h.due(now) && (len(h.events)+n > mostRows || h.memory() > mostBytes)
}

// take makes records hot. When there are too many, or the last flush failed, it writes what is hot first.
func (w *Warehouse) take(ctx context.Context, recs []entity.Record, upto entity.Seq) error {
	for {
		took, err := w.takeHot(recs, upto)
		if took || err != nil {
			return err
		}
		if err := w.flushWhen(ctx, true); err != nil {
			return err
		}
	}
}

// takeHot is take as far as there is room.
func (w *Warehouse) takeHot(recs []entity.Record, upto entity.Seq) (took bool, err error) {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	if w.closing.Load() {
		return false, store.ErrClosed
	}
	now := w.options.Now()
	if w.flushErr != nil || w.hot.full(len(recs), now) {
		return false, nil
	}
	if w.hot.since.IsZero() {
		w.hot.since = now
	}
	for i := range recs {
		w.hot.add(&recs[i])
	}
	w.hot.upto = max(w.hot.upto, upto)
	w.taken++
	if w.hot.due(now) {
		w.rouse()
	}
	return true, nil
}

// rouse tells the flusher that there is work.
func (w *Warehouse) rouse() {
	select {
	case w.wake <- struct{}{}:
	default: // it knows
	}
}

// Flush writes what was inserted before. Several callers share one flush.
func (w *Warehouse) Flush(ctx context.Context) error { return w.flushWhen(ctx, false) }

// flushWhen is flush when it is the caller's turn, unless what was inserted before is written then.
func (w *Warehouse) flushWhen(ctx context.Context, whole bool) error {
	w.hotMu.Lock()
	taken := w.taken
	w.hotMu.Unlock()
	if w.written(taken) {
		return nil
	}
	if err := w.mu.wait(ctx); err != nil {
		return fmt.Errorf("write what was inserted: %w", err)
	}
	defer w.mu.Unlock()
	if w.closed {
		return store.ErrClosed
	}
	if w.written(taken) {
		return nil
	}
	return w.flush(whole)
}

// written says whether so many inserts are written, and nothing failed since.
func (w *Warehouse) written(taken uint64) bool {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	return w.flushed >= taken && w.flushErr == nil && !w.closing.Load()
}

// settle is Flush for a question, which is answered without what cannot be written: the indexer says then that it is behind.
func (w *Warehouse) settle(ctx context.Context) error {
	w.hotMu.Lock()
	wait := w.flushErr != nil && w.options.Now().Sub(w.failedAt) < askAgain
	w.hotMu.Unlock()
	if wait {
		return nil
	}
	_ = w.Flush(ctx) // flushErr has it
	return ctx.Err()
}

// flush writes all that is hot; with whole, only what is due, and then as many row groups as are full, if one is. w.mu is held.
func (w *Warehouse) flush(whole bool) error {
	w.hotMu.Lock()
	if whole && w.flushErr == nil && !w.hot.due(w.options.Now()) {
		w.hotMu.Unlock()
		return nil
	}
	h, taken := w.hot, w.taken
	w.hot = w.anotherHot()
	w.hotMu.Unlock()
	err := w.ready()
	if err == nil && (len(h.events) > 0 || h.upto > w.cursor) {
		err = w.flushHot(h, whole)
	}
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	if len(h.events) > 0 || err != nil { // it comes before what came since
		since := w.hot
		w.hot = w.anotherHot()
		w.hot.addAll(h)
		w.hot.addAll(since)
		w.hot.since = w.options.Now()
		w.again(since)
	} else {
		w.flushed = taken
	}
	w.again(h)
	if w.flushErr = err; err != nil {
		w.failedAt = w.options.Now()
		return fmt.Errorf("write what was inserted: %w", err)
	}
	return nil
}

// anotherHot is an empty one. w.hotMu is held.
func (w *Warehouse) anotherHot() *hot {
	if n := len(w.spare); n > 0 {
		h := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return h
	}
	return newHot(&w.free)
}

// again keeps what is hot no more to be used again. w.hotMu is held.
func (w *Warehouse) again(h *hot) {
	h.reset()
	w.spare = append(w.spare, h)
}

// flushHot writes h, in one transaction if there is memory for it. What is written is no more in h. w.mu is held.
func (w *Warehouse) flushHot(h *hot, whole bool) error {
	size := max(len(h.events), 1)
	if w.options.MemoryLimit < largeMemory {
		size = smallRows
	}
	if whole && size > flushRows {
		size -= size % flushRows
	}
	for {
		part := h.first(min(size, len(h.events)), w.cursor)
		err := w.writing(func() error { return w.insert(part) })
		switch {
		case err == nil:
			h.events = slices.Delete(h.events, 0, len(part.events))
			if len(h.events) == 0 || whole && len(h.events) < size {
				return nil
			}
		case starved(err) && len(part.events) > leastRows:
			size = len(part.events) / 2
		default:
			return err
		}
	}
}

// first is the first n events of h. When others stay behind, its upto is before them, and not before cursor.
func (h *hot) first(n int, cursor entity.Seq) *hot {
	part := *h
	part.events = h.events[:n]
	for _, e := range h.events[n:] {
		part.upto = min(part.upto, entity.Seq(e.seq)-1)
	}
	part.upto = max(part.upto, cursor)
	return &part
}

// flusher writes what is hot when it is due, and makes a checkpoint when there is much, until the Warehouse is closed.
func (w *Warehouse) flusher() {
	defer close(w.flusherDone)
	for {
		select {
		case <-w.wake:
			_ = w.Flush(context.Background()) // flushErr has it, and the next Insert says it
			w.checkpointSoon()
		case <-w.stop:
			return
		}
	}
}
