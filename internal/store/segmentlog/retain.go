package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// expireAtOnce is how many segments one step of Expire rewrites into one: other
// work on segments gets its turn between two steps.
const expireAtOnce = 8

// Hide takes what has expired out of all answers of the Log, at once. What of it
// is on the disk goes with Expire.
func (l *Log) Hide(c store.Cutoffs) { l.hidden.Store(&c) }

// Expire takes the payloads of events up to a Seq that Hide has hidden off the
// disk. A segment is rewritten when all of its events have expired, or one of them for longer than
// the Retention's Slack, or at least half when these two are far apart; neighbours become one. The ids of
// expired events stay until their marks have gone, and the first segment goes when nothing is left of it and its
// receipts have gone, after store.ReceiptTTL. Requests of pending jobs stay. A crash leaves each segment as it was or rewritten.
func (l *Log) Expire(ctx context.Context, upto entity.Seq) error {
	for {
		more, err := l.expireSome(ctx, upto)
		if err != nil {
			return fmt.Errorf("expire events of the log: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// Removed counts the project's events that retention has removed since the Log was opened.
func (l *Log) Removed(project string) store.Removed {
	l.removing.Lock()
	defer l.removing.Unlock()
	return l.removed[project]
}

// expireSome does one step. It reports whether there may be another to do.
func (l *Log) expireSome(ctx context.Context, upto entity.Seq) (more bool, err error) {
	if err := l.takeMaint(ctx); err != nil {
		return false, err
	}
	defer l.giveMaint()
	if err := l.removeLeftover(); err != nil {
		return false, err
	}
	l.hiddenUpto.Store(uint64(upto))
	e := l.newExpiry()
	if e == nil {
		return false, nil
	}
	run, active, drop, err := e.choose(ctx)
	switch {
	case err != nil:
		return false, err
	case len(drop) > 0:
		return true, e.drop(drop)
	case len(run) == 0:
		return false, nil
	case active: // the next step rewrites it
		s := &eraser{Log: l}
		return true, s.sealActive(ctx, run[0].base)
	}
	if err := l.repack(ctx, run, e); err != nil && !errors.Is(err, errDamaged) {
		return false, err
	}
	return true, nil // of a run with damage, the next choice leaves out the damaged
}

// newExpiry begins to take out what is hidden now; nil when nothing ever is.
func (l *Log) newExpiry() *expiry {
	c := l.hidden.Load()
	if c == nil || c.Shortest() == 0 {
		return nil
	}
	return &expiry{
		Log: l, hidden: c, upto: entity.Seq(l.hiddenUpto.Load()), now: l.o.Now().UnixMicro(), kept: newAges(), gone: map[string]store.Removed{},
	}
}

// expiry takes expired events out of segments. The holder of maint uses it.
type expiry struct {
	*Log
	hidden *store.Cutoffs
	upto   entity.Seq // what lies behind it stays
	now    int64      // Unix µs

	kept *ages                    // of what stays
	gone map[string]store.Removed // by project
}

// batch takes what has expired out of batch t of b, which nobody else uses.
func (e *expiry) batch(b *block, t *batch) {
	unmarked := !t.dedup || t.committed+t.ttl.Microseconds() <= e.now
	for i := t.at; i < t.at+t.events; i++ {
		if !b.live(i) {
			if unmarked && b.erased.get(i) && !b.dups.get(i) {
				b.ids[i] = ""
			}
			continue
		}
		at := b.events[i].Timestamp.UnixMicro()
		if b.shown(t, i, e.hidden) || t.seq(i) > e.upto {
			e.kept.add(t.project, at, t.received, e.hidden)
			continue
		}
		n := store.Removed{Aged: 1}
		if e.hidden.Late(t.project, at, t.received) {
			n = store.Removed{Late: 1}
		}
		e.gone[t.project] = e.gone[t.project].Add(n)
		b.erase(i)
		if unmarked {
			b.ids[i] = ""
		}
	}
}

// whole says whether all of the segment is to go. Then nobody need look at its events.
func (e *expiry) whole(seg *segment) bool {
	return seg.last <= e.upto && seg.ages != nil && seg.ages.to == seg.end && seg.ages.live(e.hidden) == 0
}

// countWhole counts the events of such a segment.
func (e *expiry) countWhole(seg *segment) {
	for project, h := range seg.ages.projects {
		e.gone[project] = e.gone[project].Add(store.Removed{Aged: int64(h.n - h.late), Late: int64(h.late)})
	}
}

// replaced notes that what was taken out is off the disk, and what w holds.
func (e *expiry) replaced(w *rewrite) {
	e.kept.to = w.off
	w.seg.ages = e.kept
	e.note()
}

func (e *expiry) note() {
	e.removing.Lock()
	defer e.removing.Unlock()
	if e.removed == nil {
		e.removed = map[string]store.Removed{}
	}
	for project, n := range e.gone {
		e.removed[project] = e.removed[project].Add(n)
	}
	clear(e.gone)
}

// choose finds segments that are to go as a whole, or else neighbours to rewrite as
// one. active says that run is the segment that is appended to.
func (e *expiry) choose(ctx context.Context) (run []*segment, active bool, drop []*segment, err error) {
	e.mu.RLock()
	segs, within := e.segs, 0 // within: those that may be touched
	for within < len(segs) && segs[within].last <= e.upto {
		within++
	}
	e.mu.RUnlock()
	pending := e.index.PendingJobs()
	for i, seg := range segs[:within] {
		if err := ctx.Err(); err != nil {
			return nil, false, nil, err
		}
		if err := e.look(seg); err != nil {
			return nil, false, nil, err
		}
		if len(drop) == i && e.droppable(segs, i, pending) { // from the beginning: a hole would look like a loss
			drop = append(drop, seg)
		}
	}
	if len(drop) > 0 {
		return nil, false, drop, nil
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	run = e.run(segs[:within])
	return run, len(run) > 0 && !run[len(run)-1].sealed, nil, nil
}

// droppable: all of the segment's events have expired, its receipts too, and no job
// needs it. The newest segment says where the Log ends, and the name of one may
// fence what a failed write left behind the one before.
func (e *expiry) droppable(segs []*segment, i int, pending []entity.Seq) bool {
	seg := segs[i]
	if i == len(segs)-1 || i > 0 && !segs[i-1].rewrote || seg.ages.live(e.hidden) > 0 {
		return false
	}
	if e.now-seg.newestCommit() <= store.ReceiptTTL.Microseconds() {
		return false
	}
	return !slices.ContainsFunc(pending, func(seq entity.Seq) bool { return seg.base <= seq && seq <= seg.last })
}

// drop removes segments whole.
func (e *expiry) drop(segs []*segment) error {
	for _, seg := range segs {
		e.countWhole(seg)
	}
	e.note()
	return e.remove(segs)
}

// run is the first segments side by side that are due, and small ones beside them,
// as many as make one segment.
func (e *expiry) run(segs []*segment) []*segment {
	first := slices.IndexFunc(segs, e.due)
	if first < 0 {
		return nil
	}
	if !segs[first].sealed {
		return segs[first : first+1]
	}
	last, size := first, e.rest(segs[first])
	fits := func(s *segment) bool {
		return last-first+1 < expireAtOnce && s.sealed && (e.due(s) || e.small(s) && s.ages != nil) && size+e.rest(s) <= e.o.SegmentBytes
	}
	for last+1 < len(segs) && fits(segs[last+1]) {
		last++
		size += e.rest(segs[last])
	}
	for first > 0 && fits(segs[first-1]) {
		first--
		size += e.rest(segs[first])
	}
	return slices.Clone(segs[first : last+1])
}

// rest is about the size that a segment will have without what has expired.
func (e *expiry) rest(seg *segment) int64 {
	total, live := seg.ages.total(), seg.ages.live(e.hidden)
	if total == 0 {
		return seg.end
	}
	return int64(float64(seg.end) * float64(live) / float64(total))
}

// due says whether it is worth it to rewrite the segment, or time to. What goes together soon is not rewritten twice.
func (e *expiry) due(seg *segment) bool {
	if seg.ages == nil || seg.damaged.Load() || seg.end <= headerLen {
		return false
	}
	total, live := seg.ages.total(), seg.ages.live(e.hidden)
	if total == 0 {
		return false
	}
	return live == 0 || seg.ages.overdue(e.hidden) || 2*live <= total && !seg.ages.together(e.hidden)
}

// look brings what is known of the segment's times up to its end.
func (e *expiry) look(seg *segment) error {
	if seg.ages == nil {
		seg.ages = newAges()
	}
	v, err := e.viewOf(seg)
	if err != nil {
		return err
	}
	defer v.release()
	a := seg.ages
	if a.to >= v.end {
		return nil
	}
	sc := seg.scanner(v.h, v.end, scanAhead)
	if a.to > sc.off {
		sc.off, sc.after = a.to, a.after
	}
	err = v.decoded(sc, func(b *block, _ int64) error {
		for t, i := range b.each() {
			if b.live(i) {
				a.add(t.project, b.events[i].Timestamp.UnixMicro(), t.received, e.hidden)
			}
		}
		return nil
	})
	if err != nil {
		seg.ages = nil // it counted a part
		return err
	}
	a.to, a.after = v.end, sc.after
	return nil
}
