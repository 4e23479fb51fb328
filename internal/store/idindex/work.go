package idindex

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The pauses before Pebble may begin another table after one could not be written.
const (
	firstPause = 20 * time.Millisecond
	mostPause  = 5 * time.Second

	brokenPause = 200 * time.Millisecond // of an index that will be closed
)

// ErrStopped is what a broken index answers: its manifest could not be written, so Pebble can keep no
// promise any more. Nothing is lost by it; Open recovers the directory.
var ErrStopped = errors.New("the id index has stopped: its manifest could not be written; opening it again recovers it")

// work watches what Pebble does in the background. Pebble repeats failed work at once and for
// ever; here it waits longer each time, and whoever must not wait for it can tell.
type work struct {
	log    *slog.Logger
	broken chan struct{} // closed when the manifest could not be written

	mu       sync.Mutex    // guards all below
	failures int           // of work, in a row
	last     error         // of them
	failed   chan struct{} // closed and replaced at each failure
	wake     chan struct{} // closed and replaced: whoever pauses goes on
	closing  bool
	reason   error // of broken
}

func newWork(log *slog.Logger) *work {
	return &work{log: log, broken: make(chan struct{}), failed: make(chan struct{}), wake: make(chan struct{})}
}

// fails notes work that failed. Pebble calls it, holds its own lock, and begins again at once when it returns:
// where the manifest is what fails, no table's turn holds that up, so that this has to.
func (w *work) fails(err error) {
	w.note(err)
	if w.fault() == nil {
		return
	}
	w.mu.Lock()
	wake, closing := w.wake, w.closing
	w.mu.Unlock()
	if closing {
		return
	}
	pause := time.NewTimer(brokenPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-wake:
	}
}

func (w *work) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures++
	w.last = err
	close(w.failed)
	w.failed = make(chan struct{})
	if !w.closing {
		w.log.Error("the id index cannot write its tables; it tries again", "failures", w.failures, "error", err.Error()) // as text: Pebble's errors carry stacks
	}
}

// succeeds notes work that was done.
func (w *work) succeeds() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures > 0 {
		w.log.Info("the id index writes its tables again", "failures", w.failures)
	}
	w.failures, w.last = 0, nil
}

// breaks notes that Pebble cannot go on.
func (w *work) breaks(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reason == nil {
		w.reason = fmt.Errorf("%w: %w", ErrStopped, reason)
		close(w.broken)
	}
}

// fault says why the index is not to be asked any more; nil: it may be.
func (w *work) fault() error {
	select {
	case <-w.broken:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.reason
	default:
		return nil
	}
}

// hurry ends the pauses that are under way.
func (w *work) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.wake)
	w.wake = make(chan struct{})
}

// close lets all work fail from now on: Pebble waits for what it began.
func (w *work) close() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.hurry()
}

// turn waits until a table may be begun.
func (w *work) turn() error {
	w.mu.Lock()
	n, wake, closing := w.failures, w.wake, w.closing
	w.mu.Unlock()
	if n == 0 || closing {
		return w.fault()
	}
	pause := time.NewTimer(min(firstPause<<min(n-1, 10), mostPause))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-wake:
	}
	return w.fault()
}

// refuse says why db must not be written to now: it is broken, or it has failed to write its tables
// for so long that another write would wait for that.
func (w *work) refuse(db *pebble.DB, most uint64) error {
	if err := w.fault(); err != nil {
		return err
	}
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	if last == nil || db.Metrics().MemTable.Size < most {
		return nil
	}
	return fmt.Errorf("the index cannot write its tables: %w", last)
}

// flush makes db write what it has in memory, and gives up at the first failure.
func (w *work) flush(db *pebble.DB, most uint64) error {
	if err := w.refuse(db, most); err != nil {
		return err
	}
	w.mu.Lock()
	failed := w.failed
	w.mu.Unlock()
	done, err := db.AsyncFlush()
	if err != nil {
		return err
	}
	w.hurry()
	select {
	case <-done:
		return nil
	case <-failed:
		w.mu.Lock()
		defer w.mu.Unlock()
		return errors.Join(w.reason, w.last)
	}
}

// open opens the directory. Pebble's own Open waits for ever for a manifest that cannot be written; this does not,
// and then leaves it behind, with the directory's lock: the process is to end.
func (w *work) open(dir string, p *pebble.Options) (*pebble.DB, error) {
	type result struct {
		db  *pebble.DB
		err error
	}
	opened := make(chan result, 1)
	go func() {
		db, err := pebble.Open(dir, p)
		opened <- result{db, err}
	}()
	select {
	case r := <-opened:
		return r.db, r.err
	case <-w.broken:
	}
	patience := time.NewTimer(brokenPause) // most faults it returns by itself
	defer patience.Stop()
	select {
	case r := <-opened:
		if r.db != nil {
			w.close()
			return nil, errors.Join(w.fault(), r.db.Close())
		}
		return nil, errors.Join(w.fault(), r.err)
	case <-patience.C:
		return nil, w.fault()
	}
}

// patientFS is the file system that Pebble gets: a table begins when it is its turn.
type patientFS struct {
	vfs.FS
	work *work
}

func (f patientFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasSuffix(name, ".sst") {
		if err := f.work.turn(); err != nil {
			return nil, err
		}
	}
	return f.FS.Create(name, c)
}

func (f patientFS) Unwrap() vfs.FS { return f.FS }
