package delivery

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/payload"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// deferred is an event that waits for its trace, and the keys it waits for.
type deferred struct {
	entry
	keys []uint32
}

// cut makes the next batch of the oldest events that may go now: those whose
// trace is not in flight and was not passed over before them. Nil when there is none.
func (w *worker) cut() *batch {
	w.order.begin()
	b := w.newBatch()
	var cut size
	kept := w.deferred[:0]
	for i := range w.deferred {
		d := &w.deferred[i]
		if b.hasRoom(&w.p.opts, &d.entry) && (w.order.off || w.order.claim(d.keys, &b.keys)) {
			w.add(b, &d.entry, &cut)
		} else {
			w.order.pass(d.keys)
			kept = append(kept, *d)
		}
	}
	clear(w.deferred[len(kept):])
	w.deferred = kept
	for e := w.head(); e != nil && b.hasRoom(&w.p.opts, e) && len(w.deferred) < 4*w.p.opts.BatchMaxSize; e = w.head() {
		if keys := w.order.read(e); w.order.claim(keys, &b.keys) {
			w.add(b, e, &cut)
		} else {
			w.order.pass(keys)
			d := deferred{*e, slices.Clone(keys)}
			d.data = slices.Clone(e.data) // the chunk will be used again
			w.deferred = append(w.deferred, d)
		}
		w.pop()
	}
	w.p.mu.Lock()
	w.p.unsent.events -= cut.events
	w.p.unsent.bytes -= cut.bytes
	w.p.mu.Unlock()
	if len(b.items) == 0 {
		w.order.release(b.keys)
		b.reset()
		w.spare = append(w.spare, b)
		if cut.events > 0 { // all of it was settled here: there may be more behind it
			return w.cut()
		}
		return nil
	}
	b.seal(w.p.suffix)
	return b
}

// head is the oldest event of the backlog, or nil.
func (w *worker) head() *entry {
	if len(w.backlog) == 0 {
		return nil
	}
	if c := w.backlog[0]; c.later != nil {
		w.write(c)
	}
	return &w.backlog[0].entries[w.next]
}

// write writes what callers left of c.
func (w *worker) write(c *chunk) {
	l := c.later
	more, slack := c.write(&w.blocks)
	l.empty()
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	w.p.resize(more, slack)
	w.p.reopen()
	if len(w.p.laters) < freeChunks {
		w.p.laters = append(w.p.laters, l)
	}
}

// pop moves on to the next event; an empty chunk goes back to the queue.
func (w *worker) pop() {
	w.popped++
	w.next++
	c := w.backlog[0]
	if w.next < len(c.entries) {
		return
	}
	w.next = 0
	w.backlog = slices.Delete(w.backlog, 0, 1)
	w.blocks.take(c)
	c.reset()
	w.p.mu.Lock()
	if len(w.p.free) < freeChunks {
		w.p.free = append(w.p.free, c)
	}
	w.p.mu.Unlock()
}

// add puts e into b. An event that turns out unfit is settled here.
func (w *worker) add(b *batch, e *entry, cut *size) {
	cut.add(len(e.data))
	if e.raw && !rawjson.Valid(rawjson.Alias(e.body())) {
		w.p.settleOne(e, Rejected, "", &EventError{EventID: e.id(), Type: e.typ, Code: "invalid_payload", Message: "the payload is not valid JSON"})
		return
	}
	if w.p.opts.Mask == nil {
		b.add(e, e.data)
		return
	}
	masked, err := payload.Mask(w.p.opts.Mask, e.typ, e.body())
	if err != nil {
		w.p.log.warn("mask", "mask failed, event dropped", "error", err)
		w.p.settleOne(e, Dropped, DropMask, &EventError{EventID: e.id(), Type: e.typ, Code: string(DropMask), Err: err})
		return
	}
	data := append(slices.Clip(e.data[:e.payload]), masked...)
	b.add(e, append(data, '}'))
}

func (w *worker) newBatch() *batch {
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return b
	}
	return &batch{body: make([]byte, 0, w.usual+w.usual/8)}
}
