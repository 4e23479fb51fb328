package idindex

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/lowprio"
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

// work is the one goroutine that writes full tables and merges runs, behind all else, until the index closes.
func (x *Index) work() {
	defer close(x.done)
	runtime.LockOSThread() // and never unlocked: a priority cannot be raised again, so the thread ends with the goroutine
	lowprio.Lower()
	for {
		for !x.closing.Load() && x.step() {
		}
		pause := time.NewTimer(x.pause())
		select {
		case <-x.wake:
		case <-pause.C:
		}
		pause.Stop()
		if x.closing.Load() {
			return
		}
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
	if x.trouble != nil && x.attempted(x.save(x.runs, x.saved)) != nil { // whether the disk takes anything is tried with little
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
	pending := slices.SortedFunc(maps.Values(x.pending), func(a, b pendingJob) int { return cmp.Compare(a.Request, b.Request) })
	x.frozen = &frozen{table: x.active, saved: saved{x.Cursor(), pending}}
	x.active = newTable(x.span)
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
	err := x.flush()
	for ; err == nil && len(x.old) > 0; x.old = x.old[1:] {
		err = x.fs.RemoveAll(x.old[0])
	}
	if err != nil {
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
	return nil
}

// writeFrozen makes the frozen table a run and names it in the manifest. x.files is held.
func (x *Index) writeFrozen() error {
	f, runs := x.frozen, slices.Clone(x.runs) // only who holds files takes it away
	r, err := x.writeTable(f.table)
	if err == nil {
		if r != nil {
			runs = append(runs, r)
		}
		if err = x.save(runs, f.saved); err != nil && r != nil {
			err = errors.Join(err, x.discard(r))
		}
	}
	if err == nil {
		x.mu.Lock()
		x.runs, x.frozen = runs, nil
		x.mu.Unlock()
		err = x.fitFilters(runs, false)
	}
	return x.attempted(err)
}

// writeTable writes a run, unless there is nothing in the table that anybody asks for.
func (x *Index) writeTable(t *table) (*run, error) {
	now := x.o.Now().UnixMicro()
	if t.n == 0 || dead(t.last, now) {
		return nil, nil
	}
	w, err := x.newWriter(t.n, t.first)
	for i := 0; err == nil && i < len(t.slots); i++ {
		if e := t.slots[i]; e.seq != 0 && !dead(e.expires, now) {
			err = w.add(e)
		}
	}
	return w.end(err)
}
