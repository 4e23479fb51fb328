package delivery

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go/internal/spool"
)

// spoolQueue is the batches on disk in their order.
type spoolQueue struct {
	dir      *spool.Dir
	changed  chan struct{} // capacity 1: there is a new file
	draining chan struct{} // closed when no new file will come
	own      atomic.Int64  // files of this process's events: newer ones must go behind them

	mu    sync.Mutex // guards files
	files []*spooled // oldest first
}

// spooled is one batch on disk.
type spooled struct {
	file   *spool.File
	own    bool
	epochs []*epoch // one per event
	left   int      // events without an outcome; guarded by Processor.mu
}

// openSpool counts what lies in the spool as accepted, and starts the goroutines if there is
// any. It runs before the processor is shared.
func (p *Processor) openSpool() error {
	dir, left, err := spool.Open(p.opts.SpoolDir, p.opts.SpoolOwner, p.opts.SpoolMaxBytes)
	if err != nil {
		return err
	}
	p.spool = &spoolQueue{dir: dir, changed: make(chan struct{}, 1), draining: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, file := range left {
		p.spool.files = append(p.spool.files, &spooled{file: file, left: file.Events, epochs: slices.Repeat([]*epoch{p.epoch}, file.Events)})
		p.n.accepted += int64(file.Events)
		p.n.spooled += file.Events
		p.epoch.pending += file.Events
	}
	if len(left) > 0 {
		p.start()
	}
	return nil
}

// park moves b to the spool and returns "", or why it is lost: without a spool that is other.
func (p *Processor) park(b *batch, other DropReason) DropReason {
	if p.spool == nil {
		return other
	}
	file, err := p.spool.dir.Write(b.body, len(b.items))
	if err != nil {
		why := DropSpoolError
		if err == spool.ErrFull {
			why = DropSpoolFull
		}
		p.log.warn("spool", "spool did not take a batch", "reason", why, "events", len(b.items))
		return why
	}
	f := &spooled{file: file, own: true, left: len(b.items)}
	p.mu.Lock()
	p.n.spooled += len(b.items)
	for i := range b.items {
		f.epochs = append(f.epochs, b.items[i].epoch)
		p.held.events--
		p.held.bytes -= b.items[i].held
	}
	p.reopen()
	p.mu.Unlock()
	p.spool.add(f)
	return ""
}

// active says whether events of this process wait on disk.
func (q *spoolQueue) active() bool { return q != nil && q.own.Load() > 0 }

// add announces a file.
func (q *spoolQueue) add(f *spooled) {
	q.mu.Lock()
	q.files = append(q.files, f)
	q.mu.Unlock()
	q.own.Add(1)
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// head is the oldest file, or nil.
func (q *spoolQueue) head() *spooled {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.files) == 0 {
		return nil
	}
	return q.files[0]
}

// remove deletes the oldest file, which is f.
func (q *spoolQueue) remove(f *spooled) error {
	q.mu.Lock()
	q.files = slices.Delete(q.files, 0, 1)
	q.mu.Unlock()
	if f.own {
		q.own.Add(-1)
	}
	return q.dir.Remove(f.file)
}
