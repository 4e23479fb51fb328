package segmentlog

import (
	"context"
	"errors"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// calmRate is how many events between two ticks of Run leave room for making filters.
const calmRate = 10_000

// tidy does what is due in the background: it recompresses, and makes filters. calm
// says that little is appended.
func (l *Log) tidy(ctx context.Context, calm bool) error {
	if l.packDue() {
		if _, err := l.pack(ctx); err != nil {
			return err
		}
	}
	for {
		if more, err := l.filterOne(ctx, calm); err != nil {
			return err
		} else if !more {
			break
		}
	}
	if calm {
		return l.filterActive(ctx)
	}
	return nil
}

// filterActive makes filters, in memory, of what the segment that is appended to
// has in whole stretches.
func (l *Log) filterActive(ctx context.Context) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.exit()
	l.mu.RLock()
	if len(l.segs) == 0 || l.segs[len(l.segs)-1].sealed {
		l.mu.RUnlock()
		return nil
	}
	v, err := l.openView(l.segs[len(l.segs)-1])
	l.mu.RUnlock()
	if err != nil {
		return err
	}
	defer v.release()
	list, _, err := v.stretches()
	if err != nil {
		return err
	}
	b := newFilterBuilder(v)
	for i := range list {
		if list[i].mem != nil || list[i].raw < stretchBytes {
			continue
		}
		filter, err := b.filter(ctx, nil, &list[i])
		if err != nil {
			return err
		}
		v.seg.remember(i, filter)
	}
	return nil
}

// remember keeps the filter of a whole stretch of a segment without a filter file.
func (s *segment) remember(i int, filter []byte) {
	s.find.Lock()
	defer s.find.Unlock()
	if s.filter != nil || i >= len(s.covered.list) {
		return
	}
	s.covered.list = slices.Clone(s.covered.list) // searches hold the old one
	s.covered.list[i].mem, s.covered.list[i].lines = filter, uint32(len(filter)/bloom.LineBytes)
}

// filterOne makes the filters of one segment, if it is time. It reports whether it did.
func (l *Log) filterOne(ctx context.Context, calm bool) (bool, error) {
	if l.filterDue(calm) == nil {
		return false, ctx.Err()
	}
	if err := l.takeMaint(ctx); err != nil {
		return false, err
	}
	defer l.giveMaint()
	seg := l.filterDue(calm) // it may have been replaced meanwhile
	if seg == nil {
		return false, nil
	}
	err := l.filter(ctx, seg)
	return err == nil, err
}

// filterDue is the newest sealed segment without filters, when it is time to make
// them; nil when not. A damaged one gets none: searches read it whole.
func (l *Log) filterDue(calm bool) *segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var newest *segment
	n := 0
	for _, seg := range l.segs {
		if seg.sealed && seg.salted && !seg.damaged.Load() && !seg.filtered() {
			newest = seg
			n++
		}
	}
	if calm || n > l.o.MaxUnfiltered {
		return newest
	}
	return nil
}

func (s *segment) filtered() bool {
	s.find.Lock()
	defer s.find.Unlock()
	return s.filter != nil
}

// filter makes the filter file of a sealed segment. The holder of maint calls it.
func (l *Log) filter(ctx context.Context, seg *segment) error {
	v, err := l.viewOf(seg)
	if err != nil {
		return err
	}
	defer v.release()
	list, filters, err := v.buildFilters(ctx)
	if err != nil || seg.damaged.Load() {
		return err
	}
	h := filterHeader{salt: seg.salt, base: seg.base, end: v.end}
	if err := durable.ReplaceIn(l.fs, filterPath(seg.path), appendFilters(nil, h, list, filters)); err != nil {
		return err
	}
	seg.find.Lock()
	defer seg.find.Unlock()
	seg.filter = &filterFile{id: l.nextID.Add(1), path: filterPath(seg.path)}
	seg.checked, seg.covered = false, covered{}
	return nil
}

// buildFilters makes the stretches of the view and the filters of their words.
func (v *view) buildFilters(ctx context.Context) (list []stretch, filters []byte, err error) {
	seg := v.seg
	seg.find.Lock()
	err = seg.extend(v)
	list = append(list, seg.covered.list...)
	seg.find.Unlock()
	if err != nil {
		return nil, nil, err
	}
	b := newFilterBuilder(v)
	for i := range list {
		s := &list[i]
		s.at = int64(len(filters))
		if s.mem != nil {
			filters = append(filters, s.mem...)
		} else if filters, err = b.filter(ctx, filters, s); err != nil {
			return nil, nil, err
		}
		s.mem = nil
		s.lines = uint32((int64(len(filters)) - s.at) / bloom.LineBytes)
		s.sum = checksum(filters[s.at:])
	}
	if len(list) > maxStretches {
		return nil, nil, errors.New("segment has more stretches than a filter file can name")
	}
	return list, filters, nil
}

// filterBuilder makes the filters of a view's stretches.
type filterBuilder struct {
	*view
	set        hashSet
	words      textsearch.Words
	attributes textsearch.Attributes
}

func newFilterBuilder(v *view) *filterBuilder {
	b := &filterBuilder{view: v}
	b.words.Found = func(word []byte) {
		if word != nil {
			b.set.add(textsearch.WordHash(word))
		}
	}
	b.attributes.Found = b.set.add
	return b
}

// filter appends the filter of a stretch to dst.
func (b *filterBuilder) filter(ctx context.Context, dst []byte, s *stretch) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return dst, err
	}
	b.set.reset()
	err := b.eachEvents(s, func(blk *block) {
		for i := range blk.batches {
			t := &blk.batches[i]
			b.set.add(projectHash(t.project))
			for e := t.at; e < t.at+t.events; e++ {
				if blk.live(e) {
					b.words.Event(&blk.events[e])
					b.attributes.Event(&blk.events[e])
					b.set.mentions(t.project, &blk.events[e])
				}
			}
		}
	})
	return b.set.appendFilter(dst, s.raw+mentionBytes*int64(s.events)), err
}
