package idindex

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The pauses before files are written again after they could not be.
const (
	firstPause = 20 * time.Millisecond
	mostPause  = 5 * time.Second
)

// lag is how far a caller's clock may lag behind the index's, in µs.
const lag = int64(time.Minute / time.Microsecond)

// dead says that nobody asks for an entry any more.
func dead(expires, now int64) bool { return expires+lag <= now }

// errClosed ends work that Close does not wait for.
var errClosed = errors.New("the id index is closed")

// work is the one goroutine that writes full tables and merges runs, until the index closes.
func (x *Index) work() {
	defer close(x.done)
	for {
		for !x.isClosing() && x.step() {
		}
		pause := time.NewTimer(x.pause())
		select {
		case <-x.closing:
			pause.Stop()
			return
		case <-x.wake:
		case <-pause.C:
		}
		pause.Stop()
	}
}

func (x *Index) isClosing() bool {
	select {
	case <-x.closing:
		return true
	default:
		return false
	}
}

// poke tells the worker that there may be something to do.
func (x *Index) poke() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// pause is how long the worker does nothing by itself.
func (x *Index) pause() time.Duration {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.failed == 0 {
		return time.Hour
	}
	return min(firstPause<<min(x.failed-1, 10), mostPause)
}

// step writes the frozen table or, when there is none, makes runs fewer. It reports whether there may be more to do at once.
func (x *Index) step() (more bool) {
	x.files.Lock()
	defer x.files.Unlock()
	if x.isFrozen() {
		return x.writeFrozen() == nil
	}
	x.mu.RLock()
	failed := x.failed
	x.mu.RUnlock()
	if failed > 0 && x.attempted(x.save(x.runs, x.saved)) != nil { // whether the disk takes anything is tried with little
		return false
	}
	more, err := x.fewer(x.o.Now().UnixMicro())
	return more && err == nil
}

// attempted notes how an attempt to write ended, and tells those who wait for it.
func (x *Index) attempted(err error) error {
	if errors.Is(err, errClosed) {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.failed++
		x.o.Logger.Error("the id index cannot write its files; it tries again", "failures", x.failed, "error", err.Error())
	} else if x.failed > 0 {
		x.o.Logger.Info("the id index writes its files again", "failures", x.failed)
		x.failed = 0
	}
	x.trouble = err
	close(x.ended)
	x.ended = make(chan struct{})
	return err
}

func (x *Index) isFrozen() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.frozen != nil
}

// freeze hands the active table to the worker. x.mu is held, and nothing is frozen.
func (x *Index) freeze() {
	pending := make([]pendingJob, 0, len(x.pending))
	for _, p := range x.pending {
		pending = append(pending, p)
	}
	slices.SortFunc(pending, func(a, b pendingJob) int { return cmp.Compare(a.Request, b.Request) })
	x.frozen = &frozen{table: x.active, saved: saved{x.Cursor(), pending}}
	if x.active, x.spare = x.spare, nil; x.active == nil {
		x.active = newTable(x.span)
	}
	x.poke()
}

// makeRoom returns when the active table may take more, or with the reason why that will not be soon.
func (x *Index) makeRoom() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.active.full() {
		switch {
		case x.frozen == nil:
			x.freeze()
		case x.trouble != nil:
			return x.trouble
		default:
			if err := x.await(); err != nil {
				return err
			}
		}
	}
	return nil
}

// await waits until the worker has tried something. x.mu is held, but for the wait.
func (x *Index) await() error {
	ended := x.ended
	x.mu.Unlock()
	defer x.mu.Lock()
	select {
	case <-ended:
		return nil
	case <-x.done:
		return errClosed
	}
}

// Flush makes everything applied so far survive a crash. It is not needed for
// correctness; it shortens the replay at the next start. It gives up at the first failure.
func (x *Index) Flush() error {
	if err := x.flush(); err != nil {
		return fmt.Errorf("flush id index: %w", err)
	}
	return nil
}

func (x *Index) flush() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for upto := x.Cursor(); x.saved.cursor < upto; {
		if x.frozen == nil {
			x.freeze()
		}
		x.poke()
		if err := x.await(); err != nil {
			return err
		}
		if x.trouble != nil {
			return x.trouble
		}
	}
	for ; len(x.old) > 0; x.old = x.old[1:] {
		if err := x.fs.RemoveAll(x.old[0]); err != nil {
			return err
		}
	}
	return nil
}

// writeAll writes what is in memory, once the worker has ended.
func (x *Index) writeAll() error {
	x.files.Lock()
	defer x.files.Unlock()
	for x.Cursor() > x.saved.cursor {
		if !x.isFrozen() {
			x.mu.Lock()
			x.freeze()
			x.mu.Unlock()
		}
		if err := x.writeFrozen(); err != nil {
			return err
		}
	}
	return nil
}

// writeFrozen makes the frozen table a run and names it in the manifest. x.files is held.
func (x *Index) writeFrozen() error {
	f := x.frozen // only who holds files takes it away
	err := x.writeRun(f)
	runs := slices.Clone(x.runs)
	if err == nil {
		if f.run != nil {
			runs = append(runs, f.run)
		}
		err = x.save(runs, f.saved)
	}
	if err == nil {
		x.mu.Lock()
		x.runs, x.frozen = runs, nil
		x.mu.Unlock()
		x.recycle(f.table)
	}
	return x.attempted(err)
}

// recycle keeps an empty table for the next time.
func (x *Index) recycle(t *table) {
	if t.span != x.span {
		return
	}
	clear(t.slots)
	*t = table{slots: t.slots, span: t.span}
	x.mu.Lock()
	x.spare = t
	x.mu.Unlock()
}

// writeRun writes the table, unless that is done or there is nothing in it that anybody asks for.
func (x *Index) writeRun(f *frozen) error {
	now := x.o.Now().UnixMicro()
	if f.run != nil || f.n == 0 || dead(f.last, now) {
		return nil
	}
	w, err := x.begin(f.n, f.first)
	if err != nil {
		return err
	}
	for _, e := range f.slots {
		if e.seq == 0 || dead(e.expires, now) {
			continue
		}
		if err := w.add(e); err != nil {
			return x.abandon(w, err)
		}
	}
	f.run, err = x.end(w, 0)
	return err
}
