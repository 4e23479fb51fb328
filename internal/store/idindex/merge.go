package idindex

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/bloom"
)

const (
	fanout = 8        // runs of about one size become one
	maxRun = 16 << 20 // entries: larger ones are not made, so that what expires leaves in parts
)

// Sweep drops what has expired at now and is due: from memory, whole runs, and most of those that are nearly gone. Look-ups
// do not depend on it, only the size of the index does.
func (x *Index) Sweep(now time.Time) error {
	x.files.Lock()
	defer x.files.Unlock()
	x.mu.Lock()
	if x.active.n > 0 && dead(x.active.first, now.UnixMicro()) {
		x.active = x.active.copy(x.span, now.UnixMicro())
	}
	x.mu.Unlock()
	var err error
	if x.isFrozen() {
		err = x.writeFrozen()
	}
	for more := true; more && err == nil; {
		more, err = x.fewer(now.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("sweep id index: %w", err)
	}
	return nil
}

// fewer drops the runs of which everything has expired or, when there are none, makes one of those that are due. It reports
// whether it did anything. x.files is held.
func (x *Index) fewer(now int64) (did bool, err error) {
	var gone []*run
	for _, r := range x.runs {
		if dead(r.last, now) {
			gone = append(gone, r)
		}
	}
	from, to := choose(x.runs, x.span, now)
	switch {
	case len(gone) > 0:
		err = x.swap(gone, nil)
	case to > from:
		err = x.merge(x.runs[from:to], now)
	default:
		return false, nil
	}
	if errors.Is(err, errDamaged) {
		x.damaged()
	}
	return true, x.attempted(err)
}

// choose finds runs side by side that are to become one: a run of which only a few entries stay, but for long; or as many of
// about one size as make the next size, with smaller ones between them. Runs stay in the order of time, so that what goes together stays together.
func choose(runs []*run, span int, now int64) (from, to int) {
	for i, r := range runs {
		if dead(r.most, now) && r.last-r.most > 2*(r.most-r.first) {
			return i, i + 1
		}
	}
	least := 0
	for limit := span; limit <= maxRun; limit *= fanout {
		for i := 0; i < len(runs); i = max(i+1, to) {
			n, total := 0, 0
			for to = i; to < len(runs) && runs[to].entries <= limit && total+runs[to].entries <= maxRun; to++ {
				total += runs[to].entries
				if runs[to].entries > least {
					n++
				}
			}
			if n >= fanout {
				return i, to
			}
		}
		least = limit
	}
	return 0, 0
}

// merge makes one run of those in olds, without what nobody asks for any more. When a table is waiting to be written, that comes
// first.
func (x *Index) merge(olds []*run, now int64) error {
	total, first := 0, olds[0].first
	for _, r := range olds {
		total += r.entries
		first = min(first, r.first)
	}
	m, err := newMerger(olds, func(expires int64) bool { return dead(expires, now) })
	if err != nil {
		return err
	}
	w, err := x.newWriter(total, max(first, now-lag))
	for err == nil && m.ok {
		if w.entries%(1<<14) == 0 {
			err = x.interrupt()
		}
		if err == nil {
			err = w.add(m.e)
		}
		if err == nil {
			err = m.advance()
		}
	}
	r, err := w.end(err)
	if err != nil {
		return err
	}
	return x.swap(olds, r)
}

func (x *Index) interrupt() error {
	switch {
	case x.closing.Load():
		return errClosed
	case x.isFrozen():
		return x.writeFrozen()
	}
	return nil
}

// swap puts a run, or nothing, in the place of olds, which lie side by side or are to go.
func (x *Index) swap(olds []*run, with *run) error {
	runs := make([]*run, 0, len(x.runs))
	for _, r := range x.runs {
		if with != nil && r == olds[0] {
			runs = append(runs, with)
		}
		if !slices.Contains(olds, r) {
			runs = append(runs, r)
		}
	}
	if err := x.save(runs, x.saved); err != nil {
		return errors.Join(err, x.discard(with))
	}
	x.mu.Lock()
	x.runs = runs
	x.mu.Unlock()
	return errors.Join(x.discard(olds...), x.fitFilters(runs, false))
}

// discard closes and removes runs that the manifest does not name. A file that stays is removed by the next Open.
func (x *Index) discard(runs ...*run) error {
	var errs []error
	for _, r := range runs {
		if r != nil {
			errs = append(errs, r.file.Close(), x.fs.Remove(r.path))
		}
	}
	return errors.Join(errs...)
}

// fitFilters keeps in memory what there is room for of the runs' filters. What is too much it takes from the oldest: first
// half of a filter, then more, and at last all. check has it look at those in the files, too.
func (x *Index) fitFilters(runs []*run, check bool) error {
	lines := x.filterLines(runs)
	for i, r := range runs {
		filter := r.filter
		if check || lines[i] > 0 && (filter == nil || filter.Lines() < lines[i]) {
			var err error
			if filter, err = r.loadFilter(); err != nil {
				return err
			}
		}
		if lines[i] == 0 {
			filter = nil
		}
		for filter != nil && filter.Lines() > lines[i] {
			filter = filter.Half()
		}
		x.mu.Lock()
		r.filter = filter
		x.mu.Unlock()
	}
	return nil
}

// filterLines is how many lines of each run's filter there is room for.
func (x *Index) filterLines(runs []*run) []int {
	lines, left := make([]int, len(runs)), int(x.o.CacheBytes*13/16/bloom.LineBytes)
	for i, r := range runs {
		lines[i] = r.lines
		left -= r.lines
	}
	for _, least := range []int{6, 6, 0} { // bits an entry that are worth halving
		for i, r := range runs {
			switch {
			case left >= 0:
				return lines
			case least == 0:
				left += lines[i]
				lines[i] = 0
				x.o.Logger.Warn("there is no memory for all filters of the id index, which makes it slow: --index-cache gives it more", "ids", r.entries)
			case lines[i]*8*bloom.LineBytes >= least*r.entries && lines[i]%2 == 0:
				lines[i] /= 2
				left += lines[i]
			}
		}
	}
	return lines
}
