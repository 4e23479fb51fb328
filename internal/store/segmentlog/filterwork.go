package segmentlog

import (
	"context"
	"errors"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// filterOne makes the filter file of one packed segment that has none: of what the packer kept in memory, or else of what the
// segment holds. It reports whether it did.
func (l *Log) filterOne(ctx context.Context) (bool, error) {
	if l.filterDue() == nil {
		return false, ctx.Err()
	}
	if err := l.takeMaint(ctx); err != nil {
		return false, err
	}
	defer l.giveMaint()
	seg := l.filterDue() // it may have been replaced meanwhile
	if seg == nil {
		return false, nil
	}
	err := l.filter(ctx, seg)
	return err == nil, err
}

// filterDue is the newest packed segment without a filter file; nil when all have one. A damaged one gets
// none: searches read it whole.
func (l *Log) filterDue() *segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, seg := range slices.Backward(l.segs) {
		if seg.packed && seg.salted && !seg.damaged.Load() && !seg.filtered() {
			return seg
		}
	}
	return nil
}

func (s *segment) filtered() bool {
	s.find.Lock()
	defer s.find.Unlock()
	return s.filter != nil
}

// filter makes the filter file of a packed segment. The holder of maint calls it.
func (l *Log) filter(ctx context.Context, seg *segment) error {
	v, err := l.viewOf(seg)
	if err != nil {
		return err
	}
	defer v.release()
	seg.find.Lock()
	list := seg.covered.list
	made := seg.covered.made == len(list) && seg.covered.to == v.end
	seg.find.Unlock()
	if !made {
		list, err = v.buildFilters(ctx)
	}
	if err != nil || seg.damaged.Load() {
		return err
	}
	if len(list) > maxStretches {
		return errors.New("segment has more stretches than a filter file can name")
	}
	h := filterHeader{names: l.o.Unsearched, salt: seg.salt, base: seg.base, end: v.end}
	if err := durable.ReplaceIn(l.fs, filterPath(seg.path), appendFilters(nil, h, list)); err != nil {
		return err
	}
	seg.find.Lock()
	defer seg.find.Unlock()
	seg.filter = &filterFile{id: l.nextID.Add(1), path: filterPath(seg.path)}
	seg.checked, seg.covered = false, covered{}
	return nil
}

// buildFilters reads the segment and makes the filters of its words.
func (v *view) buildFilters(ctx context.Context) ([]stretch, error) {
	f := newFilters(!v.o.Unsearched)
	sc := v.seg.scanner(v.h, v.end, scanAhead)
	err := v.decoded(sc, func(b *block, off int64) error { // what is damaged is passed over, and its segment gets no filters
		f.add(b, off)
		return ctx.Err()
	})
	f.close()
	return f.list, err
}
