package segmentlog

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Gone counts the events behind one place of the Log and up to another that were stored and that nobody
// can read any more, because they were erased or have expired. Of segments that are gone as a whole it counts the places.
func (l *Log) Gone(after, upto entity.Seq) (int64, error) {
	return call(l, "count what is gone of the log", func() (int64, error) { return l.gone(after, upto) })
}

func (l *Log) gone(after, upto entity.Seq) (n int64, err error) {
	for after < upto {
		v, err := l.view(after + 1)
		if err != nil || v == nil {
			return n, err
		}
		if first := min(v.seg.base, upto+1); first > after+1 {
			n += int64(first - after - 1)
			after = first - 1
		}
		of, err := v.gone(after, upto)
		last := v.last
		v.release()
		if err != nil {
			return n, err
		}
		n, after = n+of, max(after, last)
	}
	return n, nil
}

// gone does it for one segment.
func (v *view) gone(after, upto entity.Seq) (n int64, err error) {
	sc := v.seg.from(after+1, v.h, v.end, scanAhead)
	c := v.hidden.Load()
	for h, off := range sc.blocks() {
		if h.first > upto {
			break
		}
		if h.kind != kindEvents || h.last() <= after {
			continue
		}
		b, err := v.decode(sc, &h, off, true)
		if err != nil {
			return n, fmt.Errorf("read block: %w", err)
		}
		if b == nil {
			continue // it is damaged, which is counted elsewhere
		}
		for t, i := range b.each() {
			if seq := t.seq(i); seq > after && seq <= upto && !b.dups.get(i) && !b.shown(t, i, c) {
				n++
			}
		}
	}
	return n, sc.err
}
