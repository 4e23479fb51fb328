package segmentlog

import (
	"context"
	"errors"

	"github.com/brokle-ai/brokle-go/internal/store"
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
		if more, err := l.filterOne(ctx, calm); err != nil || !more {
			return err
		}
	}
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
	if err := l.writeFilters(seg, appendFilters(nil, h, list, filters)); err != nil {
		return err
	}
	seg.find.Lock()
	defer seg.find.Unlock()
	seg.filter = &filterFile{id: l.nextID.Add(1), path: filterPath(seg.path)}
	seg.checked, seg.places = false, places{}
	return nil
}

// buildFilters makes the stretches of the view and the filters of their words.
func (v *view) buildFilters(ctx context.Context) (list []stretch, filters []byte, err error) {
	seg := v.seg
	seg.find.Lock()
	err = seg.extend(v)
	list = append(list, seg.places.list...)
	seg.find.Unlock()
	if err != nil {
		return nil, nil, err
	}
	var set hashSet
	words := store.Words{Found: func(word []byte) {
		if word != nil {
			set.add(store.WordHash(word))
		}
	}}
	for i := range list {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		s := &list[i]
		set.reset()
		if err := v.eachEvents(s, func(b *block) {
			for j := range b.batches {
				t := &b.batches[j]
				set.add(projectHash(t.project))
				for e := t.at; e < t.at+t.events; e++ {
					if b.live(e) {
						words.Event(&b.events[e])
					}
				}
			}
		}); err != nil {
			return nil, nil, err
		}
		s.at = int64(len(filters))
		filters = set.appendFilter(filters, s.raw)
		s.lines = uint32((int64(len(filters)) - s.at) / lineBytes)
		s.sum = checksum(filters[s.at:])
	}
	if len(list) > maxStretches {
		return nil, nil, errors.New("segment has more stretches than a filter file can name")
	}
	return list, filters, nil
}
