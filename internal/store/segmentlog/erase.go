package segmentlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Erase implements store.Log. It rewrites the segments that hold the payloads, and
// those that hold raw requests of finished jobs of the same projects: one may repeat an
// erased payload as a duplicate, or as an event that was refused. The ids' marks
// stay, so that a retry does not bring an erased event back. A reader that is
// in the middle of a replaced file holds its blocks on disk until it is done.
func (l *Log) Erase(ctx context.Context, seqs []entity.Seq) error {
	if len(seqs) == 0 {
		return nil
	}
	if err := l.erase(ctx, seqs); err != nil {
		return fmt.Errorf("erase from log: %w", err)
	}
	return nil
}

func (l *Log) erase(ctx context.Context, seqs []entity.Seq) error {
	if err := l.takeMaint(ctx); err != nil {
		return err
	}
	defer l.giveMaint()
	e := &eraser{Log: l, seqs: map[entity.Seq]bool{}, projects: map[string]bool{}, requests: map[entity.Seq]bool{}}
	for _, s := range seqs {
		e.seqs[s] = true
	}
	if err := e.sealActive(ctx, max(slices.Max(seqs), l.Head())); err != nil {
		return err
	}
	if m := e.making; m != nil && slices.Max(seqs) >= m.from.base {
		if err := e.dropMaking(nil); err != nil { // it may have taken from memory what cannot be read in the file
			return err
		}
	}
	if err := e.find(ctx); err != nil {
		return err
	}
	for _, seg := range e.affected {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.segment(seg); err != nil {
			return err
		}
	}
	l.tail.erase(e.seqs)
	if err := l.removeLeftover(); err != nil {
		return err
	}
	return durable.SyncDirIn(l.fs, l.dir)
}

// eraser is one Erase at work.
type eraser struct {
	*Log
	seqs     map[entity.Seq]bool
	projects map[string]bool     // of the events
	requests map[entity.Seq]bool // raw requests that go
	affected []*segment
}

// sealActive makes sure that no appended-to segment holds newest.
func (e *eraser) sealActive(ctx context.Context, newest entity.Seq) error {
	e.mu.RLock()
	n := len(e.segs)
	active := n > 0 && !e.segs[n-1].sealed && e.segs[n-1].base <= newest
	e.mu.RUnlock()
	if !active {
		return nil
	}
	return e.sealNewest(ctx)
}

// find collects the raw requests that go, and the segments to rewrite.
func (e *eraser) find(ctx context.Context) error {
	e.mu.RLock()
	segs := e.segs
	e.mu.RUnlock()
	hit := map[*segment]bool{}
	for seq := range e.seqs {
		b, err := e.Log.find(seq, true)
		if err != nil {
			return err
		}
		if b == nil || b.kind != kindEvents {
			continue
		}
		t, i := b.find(seq)
		if i < 0 {
			continue
		}
		for _, seg := range segs {
			if seg.sealed && seg.base <= seq && seq <= seg.last {
				hit[seg] = true
			}
		}
		e.projects[t.project] = true
	}
	pending := e.index.PendingJobs()
	for _, seg := range segs {
		if !seg.sealed || seg.rewrote && seg.jobs == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := e.findRequests(seg, pending)
		if err != nil {
			return err
		}
		hit[seg] = hit[seg] || found
	}
	for _, seg := range segs {
		if hit[seg] {
			e.affected = append(e.affected, seg)
		}
	}
	return nil
}

// findRequests looks for the raw requests of the projects in a segment. Those of pending
// jobs stay: they are accepted, and nothing else holds their events yet.
func (e *eraser) findRequests(seg *segment, pending []entity.Seq) (found bool, err error) {
	v, err := e.viewOf(seg) // loads it
	if err != nil {
		return false, err
	}
	v.release()
	for _, seq := range seg.asked { // sealed and loaded: nothing is added
		if slices.Contains(pending, seq) {
			continue
		}
		b, err := e.Log.find(seq, false)
		if err != nil {
			return found, err
		}
		if b != nil && e.projects[b.batches[0].project] {
			e.requests[seq] = true
			found = true
		}
	}
	return found, nil
}

// segment rewrites one segment without the erased payloads.
func (e *eraser) segment(seg *segment) error {
	w, err := e.beginRewrite([]*segment{seg}, seg.packed)
	if err != nil {
		return err
	}
	err = e.each(seg, func(h *blockHeader, stored []byte) error {
		if e.requests[h.first] {
			return nil
		}
		meta, body := stored[:h.metaLen], stored[h.metaLen:]
		if h.kind == kindEvents && e.within(h) {
			body = e.blockBody(seg, h, stored)
		}
		return w.add(*h, meta, body)
	})
	if err != nil {
		return joinDiscard(err, w)
	}
	return w.replace()
}

func (e *eraser) within(h *blockHeader) bool {
	if int(h.span) > len(e.seqs) {
		for s := range e.seqs {
			if h.first <= s && s <= h.last() {
				return true
			}
		}
		return false
	}
	for s := h.first; s <= h.last(); s++ {
		if e.seqs[s] {
			return true
		}
	}
	return false
}

// blockBody encodes the body of a block without the erased events and adapts its
// header. A body that cannot be read any more goes as a whole.
func (e *eraser) blockBody(seg *segment, h *blockHeader, stored []byte) []byte {
	b, err := e.codec.decodeSections(h, stored, true)
	if err != nil || b.events == nil {
		h.setBody(nil, nil)
		return nil
	}
	h.erased = h.erased.own(int(h.events))
	for t, i := range b.each() {
		if e.seqs[t.seq(i)] {
			h.erased.set(i)
		}
	}
	b.erased = h.erased
	events, live := b.blanked(nil, 0, len(b.ids))
	if live == 0 {
		h.setBody(nil, nil)
		return nil
	}
	if seg.packed {
		return h.encodeBody(e.codec.dense, events, false)
	}
	return h.encodeBody(fast, events, true)
}

// blanked appends the block's events from one index to another with nothing in those that
// cannot be read, and counts the others.
func (b *block) blanked(events []wire.Event, from, to int) (_ []wire.Event, live int) {
	at := wire.Timestamp{Time: time.UnixMicro(b.committed)}
	if n := len(events); n > 0 {
		at = events[n-1].Timestamp
	}
	for i := from; i < to; i++ {
		if b.live(i) {
			events = append(events, b.events[i])
			at = b.events[i].Timestamp
			live++
		} else { // a neighbour's values take next to no room
			events = append(events, wire.Event{Type: wire.EventCreate, Timestamp: at})
		}
	}
	return events, live
}

// encodeBody makes a body of events and sets what the header says of it. isS2
// says what compress does.
func (h *blockHeader) encodeBody(compress compressor, events []wire.Event, isS2 bool) []byte {
	raw, _ := appendBody(make([]byte, 0, bodySize(events)), events)
	stored := compress(raw, nil)
	h.setBody(stored, raw)
	h.s2 = isS2 && len(stored) < len(raw)
	return stored
}

func (h *blockHeader) setBody(stored, raw []byte) {
	h.bodyLen, h.bodyRaw, h.bodyCRC, h.s2 = uint32(len(stored)), uint32(len(raw)), checksum(stored), false
}
