package segmentlog

import (
	"context"
	"errors"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// packBytes is the size, decompressed, at which a recompressed block is full.
const packBytes = 1 << 20

// packDue says whether there is something to recompress and this is the moment.
func (l *Log) packDue() bool {
	idle := l.o.Now().Sub(micros(l.lastAppend.Load())) >= l.o.IdleAfter
	n := 0
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, seg := range l.segs {
		if seg.packable() {
			n++
		}
	}
	return n > 0 && (idle || n > l.o.MaxUnpacked)
}

// packable: sealed and not yet recompressed. A damaged segment is left as it
// is: what could not be read may still be worth something to a person.
func (s *segment) packable() bool { return s.sealed && !s.packed && !s.damaged.Load() }

// packRun chooses sealed neighbours to recompress into one segment: the
// oldest that was not, and what fits with it.
func (l *Log) packRun() []*segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	first := 0
	for first < len(l.segs) && !l.segs[first].packable() {
		first++
	}
	if first == len(l.segs) {
		return nil
	}
	small := func(s *segment) bool {
		return s.packable() || s.packed && s.end < l.o.SegmentBytes/4 && !s.damaged.Load()
	}
	size, last := l.segs[first].end, first
	for first > 0 && small(l.segs[first-1]) && size+l.segs[first-1].end <= l.o.SegmentBytes {
		first--
		size += l.segs[first].end
	}
	for last+1 < len(l.segs) && small(l.segs[last+1]) && size+l.segs[last+1].end <= l.o.SegmentBytes {
		last++
		size += l.segs[last].end
	}
	return append([]*segment(nil), l.segs[first:last+1]...)
}

// pack recompresses one run of segments. It reports false when there was none.
func (l *Log) pack(ctx context.Context) (bool, error) {
	if err := l.takeMaint(ctx); err != nil {
		return false, err
	}
	defer l.giveMaint()
	if err := l.removeLeftover(); err != nil {
		return false, err
	}
	run := l.packRun()
	if len(run) == 0 {
		return false, nil
	}
	p := &packer{Log: l, pending: map[entity.Seq]bool{}, expire: l.newExpiry()}
	err := p.run(ctx, run)
	if errors.Is(err, errDamaged) { // one of run was found damaged; the next choice leaves it out
		return true, nil
	}
	if err == nil {
		l.recompressed.Add(int64(len(run)))
	}
	return err == nil, err
}

// packer gathers batches into large blocks.
type packer struct {
	*Log
	w       *rewrite
	pending map[entity.Seq]bool // job requests to keep
	expire  *expiry             // what goes on the way; nil: nothing

	first, last entity.Seq // of the block in the making; first 0: none
	committed   int64
	batches     []batch
	ids         []string
	events      []wire.Event
	dups, dead  []int // indexes of duplicates and of erased events
	live        int
	raw         int // bytes
}

func (p *packer) run(ctx context.Context, run []*segment) error {
	h := segmentHeader{flags: flagPacked, base: run[0].base, last: run[len(run)-1].last, created: p.o.Now().UnixMicro(), prev: run[0].prev}
	for _, seg := range run {
		v, err := p.viewOf(seg) // loads it, which finds damage and the newest commit
		if err != nil {
			return err
		}
		v.release()
		if seg.damaged.Load() {
			return errDamaged
		}
		h.newest = max(h.newest, seg.newestCommit())
	}
	seqs, err := p.index.PendingJobs()
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		if h.base <= seq && seq <= h.last {
			p.pending[seq] = true
			h.jobs++
		}
	}
	if p.w, err = p.beginRewrite(h); err != nil {
		return err
	}
	for _, seg := range run {
		if err = p.each(seg, func(h *blockHeader, stored []byte) error {
			return errors.Join(ctx.Err(), p.add(seg, h, stored))
		}); err != nil {
			return joinDiscard(err, p.w)
		}
	}
	if err := p.flush(); err != nil {
		return joinDiscard(err, p.w)
	}
	if err := p.w.replace(run); err != nil {
		return err
	}
	if p.expire != nil {
		p.expire.replaced(p.w)
	}
	return nil
}

func joinDiscard(err error, w *rewrite) error { return errors.Join(err, w.discard()) }

// add takes one block of a run.
func (p *packer) add(seg *segment, h *blockHeader, stored []byte) error {
	switch {
	case h.kind == kindJob && !p.pending[h.first]:
		return nil // its events, or its failure, are in the Log
	case h.kind != kindEvents:
		if err := p.flush(); err != nil {
			return err
		}
		return p.w.add(*h, stored[:h.metaLen], stored[h.metaLen:])
	}
	b, err := p.codec.decodeSections(h, stored, true)
	if err != nil {
		if errors.Is(err, errDamaged) {
			seg.damaged.Store(true)
			p.report(seg, h.size(), 1)
		}
		return err
	}
	if h.bodyRaw >= packBytes { // large already: with others it might pass the format's limit
		if err := p.flush(); err != nil {
			return err
		}
	}
	for i := range b.batches {
		p.addBatch(b, &b.batches[i])
		if p.raw >= packBytes || len(p.ids) >= maxEvents/2 {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *packer) addBatch(b *block, t *batch) {
	if p.first == 0 {
		p.first, p.committed = t.first, t.committed
	}
	moved := *t
	moved.at = len(p.ids)
	p.batches = append(p.batches, moved)
	p.last = t.first + entity.Seq(t.span()) - 1
	if p.expire != nil {
		p.expire.batch(b, t)
	}
	for i := t.at; i < t.at+t.events; i++ {
		if b.dups.get(i) {
			p.dups = append(p.dups, len(p.ids))
		}
		if b.erased.get(i) || !b.dups.get(i) && !b.live(i) { // what cannot be read must not seem to be there
			p.dead = append(p.dead, len(p.ids))
		}
		p.ids = append(p.ids, b.ids[i])
		if b.live(i) {
			p.raw += len(b.events[i].Payload)
		}
		p.raw += len(b.ids[i]) + 8
	}
	var live int
	p.events, live = b.blanked(p.events, t.at, t.at+t.events)
	p.live += live
	p.raw += 128
}

// flush writes the block in the making.
func (p *packer) flush() error {
	if p.first == 0 {
		return nil
	}
	h := blockHeader{
		kind: kindEvents, first: p.first, span: uint32(p.last - p.first + 1), events: uint32(len(p.ids)), committed: p.committed,
		dups: bitmapOf(p.dups, len(p.ids)), erased: bitmapOf(p.dead, len(p.ids)),
	}
	raw := appendMeta(nil, p.first, p.committed, p.batches, p.ids)
	meta := p.codec.dense(raw, nil)
	h.metaLen, h.metaRaw, h.metaCRC = uint32(len(meta)), uint32(len(raw)), checksum(meta)
	var body []byte
	if p.live > 0 {
		body = h.encodeBody(p.codec.dense, p.events, false)
	}
	clear(p.events)
	*p = packer{
		Log: p.Log, w: p.w, pending: p.pending, expire: p.expire, batches: p.batches[:0], ids: p.ids[:0], events: p.events[:0],
		dups: p.dups[:0], dead: p.dead[:0],
	}
	return p.w.add(h, meta, body)
}

func bitmapOf(set []int, n int) bitmap {
	if len(set) == 0 {
		return nil
	}
	m := make(bitmap, bitmapLen(n))
	for _, i := range set {
		m.set(i)
	}
	return m
}

// packPause is how long Run leaves recompression alone after it failed, for
// instance for want of disk space.
const packPause = time.Minute
