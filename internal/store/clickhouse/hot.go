package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// What was inserted is hot: it is in memory, and the Log has it. A flush writes it, block by block: when somebody asks, when there is much of it,
// and at the end. A flush that fails loses nothing: what was hot stays so.

const (
	// blockRows and blockBytes are how many events are inserted at once: the server needs about 300 MB for 20 000.
	blockRows  = 20_000
	blockBytes = 32 << 20
	// mostRows and mostBytes are what may be hot before Insert writes.
	mostRows  = 2 * blockRows
	mostBytes = 2 * blockBytes
)

type hot struct {
	recs  []entity.Record
	upto  entity.Seq
	bytes int
	// failed says that the last flush did not write all.
	failed bool
	// erased are events that must not be taken, because they were erased after somebody had read them.
	erased map[entity.Seq]bool
}

// skip drops an event, and does not take it.
func (h *hot) skip(seq entity.Seq) {
	if h.erased == nil {
		h.erased = map[entity.Seq]bool{}
	}
	h.erased[seq] = true
	h.recs = slices.DeleteFunc(h.recs, func(r entity.Record) bool {
		if r.Seq == seq {
			h.bytes -= weight(&r)
		}
		return r.Seq == seq
	})
}

func (h *hot) full() bool { return len(h.recs) >= mostRows || h.bytes >= mostBytes }

// Insert takes the records up to upto of this node's Log. A question, or Flush, writes them.
func (w *Warehouse) Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.unready(); err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	if upto > logSeqs {
		return fmt.Errorf("insert events: position %d is out of range", upto)
	}
	if err := store.Poisoned(recs, logSeqs); err != nil {
		return err
	}
	if w.mustFlush() {
		if err := w.Flush(ctx); err != nil {
			return fmt.Errorf("insert events: %w", err)
		}
	}
	if err := w.take(recs, upto); err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	return nil
}

// mustFlush says that there is no room for more, or that the last flush failed: then nothing is taken before another has succeeded, so that
// what waits is bounded, and the caller learns why.
func (w *Warehouse) mustFlush() bool {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	return w.hot.full() || w.hot.failed
}

func (w *Warehouse) take(recs []entity.Record, upto entity.Seq) error {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	if w.closed.Load() {
		return store.ErrClosed
	}
	for i := range recs {
		r := recs[i]
		if w.hot.erased[r.Seq] {
			continue
		}
		r.Row, r.Fields = slices.Clone(r.Row), nil
		w.hot.bytes += weight(&r)
		w.hot.recs = append(w.hot.recs, r)
	}
	w.hot.upto = max(w.hot.upto, upto)
	return nil
}

func weight(r *entity.Record) int { return 200 + len(r.Row) + len(r.Event.Payload) }

// Flush writes what was inserted before.
func (w *Warehouse) Flush(ctx context.Context) error { return w.flush(ctx, true) }

// flush is Flush; careful says that nothing is written while others may have erased some of it.
func (w *Warehouse) flush(ctx context.Context, careful bool) error {
	if w.closed.Load() {
		return store.ErrClosed
	}
	err := w.locked(ctx, func() error {
		if w.noteGap(); careful && w.Suspect() {
			return errSuspect
		}
		for {
			more, err := w.flushBlock(ctx)
			w.noteFlush(err)
			if err != nil || !more {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("write what was inserted: %w", err)
	}
	return nil
}

func (w *Warehouse) noteFlush(err error) {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	w.hot.failed = err != nil
}

// flushBlock writes one block of what is hot, if there is something.
func (w *Warehouse) flushBlock(ctx context.Context) (more bool, err error) {
	w.hotMu.Lock()
	b := w.block()
	w.hotMu.Unlock()
	if b.n == 0 && b.upto <= w.self.cursor {
		return false, nil
	}
	if err := w.write(ctx, b); err != nil {
		return false, err
	}
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	for i := range b.n {
		w.hot.bytes -= weight(&w.hot.recs[i])
	}
	w.hot.recs = slices.Delete(w.hot.recs, 0, b.n)
	maps.DeleteFunc(w.hot.erased, func(seq entity.Seq, _ bool) bool { return seq <= w.self.cursor })
	return len(w.hot.recs) > 0, nil
}

// block is the first records of what is hot, n of them, and how far in the Log they reach.
type block struct {
	recs []entity.Record
	n    int
	upto entity.Seq
}

// block cuts the next block off what is hot: it is all of one day, because a server puts each day into a file of its own, and neither all of
// them at once nor any number of them. A block that was begun before a crash is cut as it was then.
func (w *Warehouse) block() block {
	recs := w.hot.recs
	b := block{upto: max(w.self.cursor, w.hot.upto)}
	begun := w.self.pending() && w.self.upto <= b.upto
	bytes := 0
	for b.n < len(recs) {
		r := &recs[b.n]
		if bytes += weight(r); b.n > 0 && (b.n == blockRows || bytes > blockBytes || day(r.ReceivedAt) != day(recs[0].ReceivedAt)) {
			break
		}
		if begun && r.Seq > w.self.upto {
			break
		}
		b.n++
	}
	b.recs = recs[:b.n:b.n]
	if begun && b.n == 0 { // what it was to insert has gone from the Log
		b.upto = w.self.upto
	}
	for i := b.n; i < len(recs); i++ {
		b.upto = min(b.upto, recs[i].Seq-1)
	}
	b.upto = max(b.upto, w.self.cursor)
	return b
}

func day(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// write inserts a block and settles what it touches.
func (w *Warehouse) write(ctx context.Context, b block) error {
	next := w.self
	if b.n == 0 && !next.pending() { // only duplicates were there
		next.cursor = b.upto
		return w.step(ctx, next)
	}
	absent := b.recs
	if !next.pending() || next.upto != b.upto {
		absent = w.absent(b.recs)
		next.inserting, next.upto = next.steps+1, b.upto
		if err := w.step(ctx, next); err != nil {
			return err
		}
	}
	if err := w.putEvents(ctx, absent); err != nil {
		return err
	}
	return w.settleBlock(ctx, b)
}

// settleBlock settles the block that is begun, whose events are in the table.
func (w *Warehouse) settleBlock(ctx context.Context, b block) error {
	next := w.self
	next.inserted = next.inserting
	if err := w.step(ctx, next); err != nil {
		return err
	}
	if err := w.settle(ctx, b.recs, nil); err != nil {
		return err
	}
	next = w.self
	next.settled, next.cursor = next.inserted, max(next.cursor, b.upto)
	if err := w.step(ctx, next); err != nil {
		return err
	}
	w.resumes = false
	return nil
}

// putEvents inserts the events of the block that is begun. When they were sent before, by whichever process, it makes sure that they are there.
func (w *Warehouse) putEvents(ctx context.Context, recs []entity.Record) error {
	tried := w.resumes || w.tried == w.self.inserting
	w.tried = w.self.inserting
	parts := w.spread(recs)
	return w.each(func(n int, p *pool) error {
		if len(parts[n]) == 0 {
			return nil
		}
		return w.putAt(ctx, p, parts[n], tried)
	})
}

// putAt inserts the events that are of one shard.
func (w *Warehouse) putAt(ctx context.Context, p *pool, recs []entity.Record, tried bool) error {
	sent := 0
	if tried {
		sent = 1
	}
	insert := func(settings []ch.Setting) error { return w.insertEvents(ctx, p, recs, settings, &sent) }
	return w.keep(ctx, p, w.self.token(recs), insert, func() (bool, error) {
		if sent <= 1 {
			return true, nil
		}
		there, err := w.begun(ctx, p, w.local("events"))
		recs = w.without(there, recs)
		return len(recs) == 0, err
	})
}

// absent are the records that are not in the table: when a block that was begun before a crash cannot be cut as it was, because the Log
// is read in other pieces, its token is of no use.
func (w *Warehouse) absent(recs []entity.Record) []entity.Record {
	return w.without(w.there, recs)
}

func (w *Warehouse) without(there map[uint64]bool, recs []entity.Record) []entity.Record {
	if len(there) == 0 {
		return recs
	}
	return slices.DeleteFunc(slices.Clone(recs), func(r entity.Record) bool { return there[uint64(Shared(w.self.id, r.Seq))] })
}
