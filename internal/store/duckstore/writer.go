package duckstore

import (
	"runtime"

	"github.com/brokle-ai/brokle-go/internal/lowprio"
)

// writer is the operating system thread that fills the table, and from which
// DuckDB's own threads descend. It runs at a lower priority than the rest of the
// process: when processors are scarce, accepting events goes before showing
// them, and the view catches up afterwards. Other work that can wait has such threads, too.
type writer struct {
	work chan func()
	done chan struct{}
}

func newWriter() *writer {
	w := &writer{work: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		// Never unlocked: a lowered priority cannot be raised again without
		// privileges, so the thread ends with the goroutine.
		runtime.LockOSThread()
		lowprio.Lower()
		for f := range w.work {
			f()
		}
	}()
	return w
}

// do runs f on the thread and waits for it. Only one call may be under way.
func (w *writer) do(f func() error) error { return w.start(f)() }

// start begins to run f on the thread; wait waits for it, and is called once, before the next start.
func (w *writer) start(f func() error) (wait func() error) {
	ran := make(chan error, 1)
	w.work <- func() { ran <- f() }
	return func() error { return <-ran }
}

// close ends the thread and waits for that.
func (w *writer) close() {
	close(w.work)
	<-w.done
}
