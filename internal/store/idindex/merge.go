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
// do not depend on it, only the size of the index does. It returns how many entries left.
func (x *Index) Sweep(now time.Time) (int, error) {
	x.files.Lock()
	defer x.files.Unlock()
	if x.isFrozen() {
		if err := x.writeFrozen(); err != nil {
			return 0, fmt.Errorf("sweep id index: %w", err)
		}
	}
	before := x.entries()
	x.mu.Lock()
	if x.active.n > 0 && dead(x.active.first, now.UnixMicro()) {
		x.active = x.active.without(now.UnixMicro())
	}
	x.mu.Unlock()
	for {
		more, err := x.fewer(now.UnixMicro())
		if err != nil {
			return before - x.entries(), fmt.Errorf("sweep id index: %w", err)
		}
		if !more {
			return before - x.entries(), nil
		}
	}
}

// entries counts those in the active table and in runs.
func (x *Index) entries() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := x.active.n
	for _, r := range x.runs {
		n += r.entries
	}
	return n
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
	total, first, freed := 0, olds[0].first, 0
	for _, r := range olds {
		total += r.entries
		first = min(first, r.first)
		if r.filter != nil {
			freed += r.filter.Bytes()
		}
	}
	m, err := newMerger(olds)
	if err != nil {
		return err
	}
	w, err := x.begin(total, max(first, now-lag))
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		e, ok, err := m.next()
		if err == nil && i%(1<<14) == 0 {
			err = x.interrupt()
		}
		if err == nil && ok && !dead(e.expires, now) {
			err = w.add(e)
		}
		if err != nil {
			return x.abandon(w, err)
		}
		if !ok {
			break
		}
	}
	if w.entries == 0 {
		if err := x.abandon(w, nil); err != nil {
			return err
		}
		return x.swap(olds, nil)
	}
	r, err := x.end(w, freed)
	if err != nil {
		return err
	}
	return x.swap(olds, r)
}

func (x *Index) interrupt() error {
	switch {
	case x.isClosing():
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
		if with != nil {
			x.leftover = append(x.leftover, with.path)
			err = errors.Join(err, with.file.Close())
		}
		return err
	}
	x.mu.Lock()
	x.runs = runs
	x.mu.Unlock()
	var errs []error
	for _, r := range olds {
		x.leftover = append(x.leftover, r.path)
		errs = append(errs, r.file.Close())
	}
	x.removeLeftover()
	return errors.Join(append(errs, x.loadFilters(runs, false))...)
}

// removeLeftover removes files that the manifest does not name. What cannot be removed now stays until the next time.
func (x *Index) removeLeftover() {
	x.leftover = slices.DeleteFunc(x.leftover, func(path string) bool { return x.fs.Remove(path) == nil })
}

// begin begins a run of at most n entries. x.files is held.
func (x *Index) begin(n int, first int64) (*writer, error) {
	number := x.next
	x.next++
	return newWriter(x.fs, x.fs.PathJoin(x.dir, runName(number)), number, n, first)
}

// abandon ends a run that will not be.
func (x *Index) abandon(w *writer, err error) error {
	return errors.Join(err, w.file.Close(), x.fs.Remove(w.path))
}

// end makes w a run. Its filter stays in memory when there is room, with so many bytes that become free.
func (x *Index) end(w *writer, freed int) (*run, error) {
	r, err := w.end()
	if err != nil {
		return nil, errors.Join(err, x.fs.Remove(w.path))
	}
	if r.filter.Bytes() > x.room()+freed {
		r.filter = nil
	}
	return r, nil
}

// room is how many bytes there are left for filters.
func (x *Index) room() int {
	left := int(x.o.CacheBytes * 3 / 4)
	for _, r := range x.runs {
		if r.filter != nil {
			left -= r.filter.Bytes()
		}
	}
	return left
}

// loadFilters brings those filters into memory for which there is room. check has it look at the others, too.
func (x *Index) loadFilters(runs []*run, check bool) error {
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		keep := r.lines*bloom.LineBytes <= x.room()
		if r.filter != nil || !keep && !check {
			continue
		}
		f, err := r.loadFilter()
		if err != nil {
			return err
		}
		if keep {
			x.mu.Lock()
			r.filter = f
			x.mu.Unlock()
		}
	}
	return nil
}
