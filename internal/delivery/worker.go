package delivery

import (
	"math"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/transport"
)

// worker is the state of the one goroutine that empties the queue. Nothing in it is shared.
type worker struct {
	p        *Processor
	backlog  []*chunk   // taken from the queue, oldest first
	next     int        // the first event of backlog[0] that is not cut yet
	popped   int64      // events that left the backlog, ever
	deferred []deferred // passed over because their trace was in flight, oldest first
	order    *ordering
	stuck    bool // all that was cut last waits for a batch in flight
	busy     int  // batches in flight
	senders  int  // goroutines
	wg       sync.WaitGroup
	spare    []*batch
	usual    int // bytes of the last batch: the next one's are about as many
	blocks   blocks
}

// run is the worker's life: until Close, and then until everything is settled or given up.
func (p *Processor) run() {
	w := &worker{p: p, order: newOrdering(p.opts.BatchMaxSize, p.opts.Senders)}
	var replay sync.WaitGroup
	if p.spool != nil {
		replay.Go(p.replay)
	}
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		wait, finished := w.step()
		if finished {
			break
		}
		timer.Reset(wait)
		select {
		case <-p.wake:
		case <-timer.C:
		case b := <-p.done:
			w.finished(b)
		case <-p.ctx.Done():
			w.giveUp()
		}
	}
	close(p.jobs)
	w.wg.Wait()
	if p.spool != nil {
		close(p.spool.draining)
		replay.Wait()
	}
}

// step hands out batches while any is due and a sender is free. It returns how
// long nothing will be due by itself.
func (w *worker) step() (wait time.Duration, finished bool) {
	for {
		due, wait, finished := w.look()
		if !due || finished {
			for _, c := range w.backlog { // what waits long holds nothing of the program
				if c.later != nil {
					w.write(c)
				}
			}
			return wait, finished
		}
		b := w.cut()
		if w.stuck = b == nil; !w.stuck {
			w.hand(b)
		}
	}
}

// look decides whether a batch is due now, and takes the queue over if so.
func (w *worker) look() (due bool, wait time.Duration, finished bool) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.wakeAt = false, 0
	switch {
	case w.busy == p.opts.Senders: // done will wake the worker, events need not, but to be written
		if p.queued >= p.opts.BatchMaxSize {
			w.take()
		}
		p.wakeAt = p.opts.BatchMaxSize
		return false, math.MaxInt64, false
	case w.stuck:
		return w.lookBehind()
	case p.unsent.events == 0:
		p.armed = true
		return false, math.MaxInt64, p.closing && w.busy == 0
	}
	oldest := p.oldest
	if len(w.backlog) > 0 {
		oldest = w.backlog[0].entries[w.next].at
	}
	left := w.left(oldest)
	if len(w.deferred) > 0 || p.batchIsFull() || left <= 0 || w.popped < p.flushTo || p.closing {
		w.take()
		return true, 0, false
	}
	p.armed = true
	return false, left, false
}

// lookBehind is look where all that was cut last waits for a batch in flight: what came after it may go. p.mu is held.
func (w *worker) lookBehind() (due bool, wait time.Duration, finished bool) {
	p := w.p
	if p.queued == 0 {
		p.wakeAt = 1
		return false, math.MaxInt64, false
	}
	left := w.left(p.oldest)
	if p.queued >= p.opts.BatchMaxSize || left <= 0 || p.passed-int64(p.queued) < p.flushTo || p.closing {
		w.take()
		return true, 0, false
	}
	p.wakeAt = p.opts.BatchMaxSize
	return false, left, false
}

// left is how long an event that was accepted then may still wait for its batch to fill.
func (w *worker) left(accepted time.Duration) time.Duration {
	return w.p.opts.BatchFlushInterval - (time.Since(w.p.began) - accepted)
}

// take moves the queue to the backlog. p.mu is held.
func (w *worker) take() {
	p := w.p
	w.backlog = append(w.backlog, p.full...)
	clear(p.full)
	p.full = p.full[:0]
	if len(p.tail.entries) > 0 {
		w.backlog = append(w.backlog, p.tail)
		p.tail = p.newChunk()
	}
	p.queued = 0
}

// hand gives b to a sender, starting one if all that run are busy.
func (w *worker) hand(b *batch) {
	if w.senders == w.busy {
		w.senders++
		w.wg.Go(func() {
			for b := range w.p.jobs {
				w.p.deliver(b)
				w.p.done <- b
			}
		})
	}
	w.busy++
	w.usual = len(b.body)
	w.p.jobs <- b
}

// finished takes a batch back from its sender: its traces may go on.
func (w *worker) finished(b *batch) {
	w.busy--
	w.stuck = false
	w.order.release(b.keys)
	if b.reusable && cap(b.body) <= 2*w.p.opts.BatchMaxBytes && len(w.spare) < transport.MaxSenders {
		b.reset()
		w.spare = append(w.spare, b)
	}
}

// giveUp settles whatever has not been cut; the senders do it for what they hold. Afterwards
// the worker waits for them only.
func (w *worker) giveUp() {
	w.order.off = true
	for {
		w.p.mu.Lock()
		w.take()
		w.p.mu.Unlock()
		b := w.cut()
		if b == nil {
			break
		}
		w.p.abandon(b)
	}
	for w.busy > 0 {
		w.finished(<-w.p.done)
	}
}
