package segmentlog

import (
	"context"
	"errors"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const (
	// packBytes is the size, decompressed, at which a block of a packed segment is full.
	packBytes = 1 << 20
	// packEvents is the number of events at which it is full: without their texts a mebibyte of ids is of tens of thousands, of
	// which each takes memory.
	packEvents = 8192
)

// packer gathers batches into large blocks, and their words into filters. The holder of maint uses it.
type packer struct {
	*Log
	w       *rewrite
	filters *filters
	expire  *expiry // what goes on the way; nil: nothing

	pending []entity.Seq         // requests of jobs that were not done when it was looked, rising
	looked  entity.Seq           // pending knows those up to here; later ones count as pending
	kept    map[entity.Seq]int64 // bytes of those that were written

	first, last entity.Seq // of the block in the making; first 0: none
	committed   int64
	batches     []batch
	ids         []string
	events      []wire.Event
	rows        []entity.Row
	dups, dead  []int // indexes of duplicates and of erased events
	live        int
	body, meta  int // bytes

	metaRaw, metaBuf, bodyRaw, bodyBuf []byte // used again
}

// newPacker begins a packed segment in the place of others, which lie side by side.
func (l *Log) newPacker(olds []*segment, expire *expiry) (*packer, error) {
	w, err := l.beginRewrite(olds, true)
	if err != nil {
		return nil, err
	}
	return &packer{Log: l, w: w, filters: newFilters(!l.o.Unsearched), expire: expire, kept: map[entity.Seq]int64{}}, nil
}

// repack makes one packed segment of a run of others. A damaged one among them is errDamaged: it is left as it
// is, since what could not be read may still be worth something to a person.
func (l *Log) repack(ctx context.Context, run []*segment, expire *expiry) error {
	for _, seg := range run {
		v, err := l.viewOf(seg) // loads it, which finds damage and the newest commit
		if err != nil {
			return err
		}
		v.release()
		if seg.damaged.Load() {
			return errDamaged
		}
	}
	p, err := l.newPacker(run, expire)
	if err != nil {
		return err
	}
	for _, seg := range run {
		bodies := true
		if expire != nil && expire.whole(seg) {
			expire.countWhole(seg)
			bodies = false
		}
		if err = p.each(seg, func(h *blockHeader, stored []byte) error {
			return errors.Join(ctx.Err(), p.stored(seg, h, stored, bodies))
		}); err != nil {
			return joinDiscard(err, p.w)
		}
	}
	return p.finish()
}

func joinDiscard(err error, w *rewrite) error { return errors.Join(err, w.discard()) }

// finish puts the packed segment in its place, with the filters in memory.
func (p *packer) finish() error {
	if err := p.flush(); err != nil {
		return joinDiscard(err, p.w)
	}
	p.filters.close()
	p.w.seg.covered = covered{list: p.filters.list, made: len(p.filters.list), to: p.w.off, after: p.w.olds[len(p.w.olds)-1].last}
	if err := p.w.replace(); err != nil {
		return err
	}
	p.recompressed.Add(int64(len(p.w.olds)))
	if p.expire != nil {
		p.expire.replaced(p.w)
	}
	return nil
}

// stored takes a block of seg as its file has it; without bodies, all its events are erased.
func (p *packer) stored(seg *segment, h *blockHeader, stored []byte, bodies bool) error {
	if h.kind != kindEvents {
		return p.job(h, stored)
	}
	b, err := p.decoded(seg, h, stored, bodies)
	if err != nil {
		return err
	}
	if !bodies {
		b.bodyRaw = 0
		for i := range b.ids {
			if !b.dups.get(i) {
				b.erase(i)
			}
		}
	}
	return p.block(b)
}

// decoded is a block of seg, whose damage it reports.
func (p *packer) decoded(seg *segment, h *blockHeader, stored []byte, bodies bool) (*block, error) {
	b, err := p.codec.decodeSections(h, stored, bodies)
	if errors.Is(err, errDamaged) {
		p.report(seg, h.size(), 1)
	}
	return b, err
}

// job takes the end of a job, or its request, which goes when its events, or its failure, are in the Log.
func (p *packer) job(h *blockHeader, stored []byte) error {
	if h.kind == kindJob {
		if !p.pends(h.first) {
			return nil
		}
		p.kept[h.first] = h.size()
	}
	if err := p.flush(); err != nil {
		return err
	}
	return p.w.add(*h, stored[:h.metaLen], stored[h.metaLen:])
}

// pends says whether the request at seq is that of a pending job.
func (p *packer) pends(seq entity.Seq) bool {
	if seq > p.looked {
		p.looked = p.index.Cursor() // less than the head while the index takes nothing
		p.pending = p.index.PendingJobs()
	}
	_, pends := slices.BinarySearch(p.pending, seq)
	return pends || seq > p.looked
}

// block takes a block of events.
func (p *packer) block(b *block) error {
	if p.large(b) {
		if err := p.flush(); err != nil {
			return err
		}
	}
	for i := range b.batches {
		p.addBatch(b, &b.batches[i])
		if max(p.body, p.meta) >= p.o.packBytes || len(p.ids) >= packEvents {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// large says that a block is not to be joined to what is before it: together they might pass the format's limits.
func (p *packer) large(b *block) bool { return int(max(b.bodyRaw, b.metaRaw)) >= p.o.packBytes }

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
		p.meta += len(b.ids[i]) + 2
		var row entity.Row
		if b.live(i) {
			p.body += len(b.events[i].Payload)
			if b.rows != nil {
				row = b.rows[i]
			}
		}
		p.rows = append(p.rows, row)
	}
	var live int
	p.events, live = b.blanked(p.events, t.at, t.at+t.events)
	p.live += live
	p.meta += 128 + t.said()
}

// flush writes the block in the making.
func (p *packer) flush() error {
	if p.first == 0 {
		return nil
	}
	b := &block{batches: p.batches, ids: p.ids, events: p.events, rows: p.rows}
	b.blockHeader = blockHeader{
		kind: kindEvents, first: p.first, span: uint32(p.last - p.first + 1), events: uint32(len(p.ids)), committed: p.committed,
		dups: bitmapOf(p.dups, len(p.ids)), erased: bitmapOf(p.dead, len(p.ids)),
	}
	p.metaRaw = appendMeta(p.metaRaw[:0], p.first, p.committed, p.batches, p.ids)
	meta := p.dense(p.metaRaw, &p.metaBuf)
	b.metaLen, b.metaRaw, b.metaCRC = uint32(len(meta)), uint32(len(p.metaRaw)), checksum(meta)
	var body []byte
	if p.live > 0 {
		p.bodyRaw, _ = appendBody(slices.Grow(p.bodyRaw[:0], bodySize(p.events)), p.events)
		body = p.dense(p.bodyRaw, &p.bodyBuf)
		b.setBody(body, p.bodyRaw)
	}
	p.filters.add(b, p.w.off)
	err := p.w.add(b.blockHeader, meta, body)
	p.reset()
	return err
}

// dense compresses raw in the memory of buf.
func (p *packer) dense(raw []byte, buf *[]byte) []byte {
	out := p.codec.dense(raw, *buf)
	if len(out) < len(raw) { // else it is raw itself
		*buf = out
	}
	return out
}

// reset leaves the memory of a block to the next one.
func (p *packer) reset() {
	clear(p.batches)
	clear(p.ids)
	clear(p.events)
	clear(p.rows)
	p.batches, p.ids, p.events, p.rows, p.dups, p.dead = p.batches[:0], p.ids[:0], p.events[:0], p.rows[:0], p.dups[:0], p.dead[:0]
	p.first, p.live, p.body, p.meta = 0, 0, 0, 0
	if cap(p.bodyRaw)+cap(p.metaRaw) > 4*packBytes { // of a batch that was larger than a block
		p.metaRaw, p.metaBuf, p.bodyRaw, p.bodyBuf = nil, nil, nil, nil
	}
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

// How many small neighbours are worth making one, when nothing is appended and while something is.
const (
	mergeIdle = 4
	mergeBusy = 16
)

// small says that a segment is packed, and so small that it may be made one with others. l.mu is held.
func (l *Log) small(s *segment) bool {
	return s.packed && s.end < l.o.SegmentBytes/4 && !s.damaged.Load()
}

// mergeRun is small packed neighbours that are worth making one: several, and each of them at most twice as large as those behind it
// together, so that an event is written again only when its segment has grown by half.
func (l *Log) mergeRun(least int) []*segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for end := len(l.segs); end > 0; end-- {
		if !l.small(l.segs[end-1]) {
			continue
		}
		first, size := end-1, l.segs[end-1].end
		for first > 0 && l.small(l.segs[first-1]) && l.segs[first-1].end <= 2*size && size+l.segs[first-1].end <= l.o.SegmentBytes {
			first--
			size += l.segs[first].end
		}
		if end-first >= least {
			return slices.Clone(l.segs[first:end])
		}
	}
	return nil
}

// merge makes one segment of small neighbours. It reports false when there were none.
func (l *Log) merge(ctx context.Context) (bool, error) {
	if err := l.takeMaint(ctx); err != nil {
		return false, err
	}
	defer l.giveMaint()
	least := mergeBusy
	if l.idle() {
		least = mergeIdle
	}
	run := l.mergeRun(least)
	if len(run) == 0 {
		return false, nil
	}
	err := l.repack(ctx, run, l.newExpiry())
	if errors.Is(err, errDamaged) { // one of run was found damaged; the next choice leaves it out
		return true, nil
	}
	return err == nil, err
}
