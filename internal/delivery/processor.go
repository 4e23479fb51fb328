package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/payload"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Processor owns the background: a queue of encoded events, one worker that
// cuts batches from it, and at most Options.Senders goroutines that deliver them. It is safe for concurrent use.
type Processor struct {
	opts    Options
	log     *limitedLog
	scratch *payload.Pool
	sampler *sampler    // nil when every trace is kept
	spool   *spoolQueue // nil without a directory
	gate    gate
	began   time.Time
	suffix  []byte // what follows the events in every envelope
	later   int    // a payload that may become larger is written at once, bytes; 0: every one

	wake   chan struct{} // capacity 1: the worker has something to look at
	jobs   chan *batch   // worker to senders
	done   chan *batch   // senders to worker
	ctx    context.Context
	cancel context.CancelFunc // gives up: Close's context ended
	closed chan struct{}      // closed when Close begins
	ended  chan struct{}      // closed when every goroutine has returned

	failures  atomic.Int64 // requests in a row without success
	notBefore atomic.Int64 // no request before this time since began, ns (Retry-After)

	mu      sync.Mutex // guards all below; every counter of the accounting, so that one look is one instant
	started bool
	closing bool
	tail    *chunk   // being filled by callers
	full    []*chunk // filled, oldest first
	free    []*chunk
	laters  []*later      // empty, for the next chunks
	unsent  size          // accepted and not yet cut into a batch
	held    size          // in memory: waiting and in flight
	slack   int           // bytes that those which are not written yet may have more, at most
	queued  int           // events in tail and full
	oldest  time.Duration // when the oldest of them was accepted
	passed  int64         // events that ever entered the queue
	flushTo int64         // a flush wants all up to this one of them sent now
	armed   bool          // the worker sleeps and wants to hear of new events
	wakeAt  int           // so many queued: the worker wants to write them, though no sender is free; 0: it does not
	epoch   *epoch        // of the events accepted now
	sealed  []*epoch      // those somebody waits for
	n       counters
}

type size struct{ events, bytes int }

func (s *size) add(bytes int) { s.events++; s.bytes += bytes }

// epoch is a run of events between two flushes.
type epoch struct {
	pending int           // guarded by Processor.mu
	done    chan struct{} // closed when sealed and nothing is pending
}

// Open makes a Processor. It opens nothing but the spool, where there is one; goroutines start
// with the first event, or at once with what lies in the spool. Close ends them.
func Open(opts Options) (*Processor, error) {
	p := &Processor{
		opts: opts, log: newLimitedLog(opts.Logger),
		scratch: payload.NewPool(),
		began:   time.Now(),
		suffix:  envelopeSuffix(&opts),
		wake:    make(chan struct{}, 1),
		jobs:    make(chan *batch),
		done:    make(chan *batch, opts.Senders),
		closed:  make(chan struct{}),
		ended:   make(chan struct{}),
		later:   opts.EventMaxBytes,
		tail:    &chunk{},
		epoch:   &epoch{},
		n:       newCounters(),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if opts.SampleRate < 1 { // which looks at what an event names
		p.sampler, p.later = newSampler(opts.SampleRate), 0
	}
	if opts.SpoolDir != "" {
		if err := p.openSpool(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// admit says whether an event of n bytes may enter that may become slack more. p.mu is held.
func (p *Processor) admit(n, slack int) error {
	switch {
	case p.closing:
		p.gate.refused[refusedClosed].Add(1)
		return ErrClosed
	case n > p.opts.QueueMaxBytes: // it would not fit into an empty queue either
		p.gate.refused[refusedLarge].Add(1)
		return ErrTooLarge
	}
	if p.held.bytes+p.slack+n+slack > p.opts.QueueMaxBytes {
		p.weigh()
	}
	if p.held.events >= p.opts.QueueMaxEvents || p.held.bytes+p.slack+n+slack > p.opts.QueueMaxBytes {
		p.gate.refused[refusedFull].Add(1)
		p.gate.state.Store(stateFull) // until something that is held has its outcome
		return ErrQueueFull
	}
	return nil
}

// weigh gives what callers left for later its exact size, where the worker has not begun with it. p.mu is held.
func (p *Processor) weigh() {
	for _, c := range p.full {
		p.resize(c.weigh())
	}
	p.resize(p.tail.weigh())
}

// resize counts bytes that an event has more than was said when it was taken. p.mu is held.
func (p *Processor) resize(more, slack int) {
	p.unsent.bytes += more
	p.held.bytes += more
	p.slack -= slack
}

// tailFor returns the chunk for an event of n bytes that is written. p.mu is held.
func (p *Processor) tailFor(n int) *chunk {
	if n > bigEvent || p.tail.fits(n) {
		return p.tail
	}
	p.turn()
	if p.tail.arena == nil {
		p.tail.arena = make([]byte, 0, chunkSize)
	}
	return p.tail
}

// tailForLater returns the chunk for an event that is written later. p.mu is held.
func (p *Processor) tailForLater() *chunk {
	if !p.tail.takesLater() {
		p.turn()
	}
	if c := p.tail; c.later == nil {
		c.later = p.newLater()
	}
	return p.tail
}

// turn begins another chunk, unless the last one is empty. p.mu is held.
func (p *Processor) turn() {
	if len(p.tail.entries) > 0 {
		p.full = append(p.full, p.tail)
		p.tail = p.newChunk()
	}
}

// newLater returns an empty one. p.mu is held.
func (p *Processor) newLater() *later {
	if n := len(p.laters); n > 0 {
		l := p.laters[n-1]
		p.laters = p.laters[:n-1]
		return l
	}
	return newLater()
}

// newChunk returns an empty chunk. p.mu is held.
func (p *Processor) newChunk() *chunk {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	return newChunk()
}

// accept counts an event of n bytes that was put into the queue, and says whether the
// worker must hear of it. p.mu is held.
func (p *Processor) accept(n int, now time.Duration) (wake bool) {
	if p.queued == 0 {
		p.oldest = now
	}
	p.queued++
	p.passed++
	p.n.accepted++
	p.epoch.pending++
	p.unsent.add(n)
	p.held.add(n)
	if !p.started {
		p.start()
	}
	if p.armed && (p.unsent.events == 1 || p.batchIsFull()) || p.queued == p.wakeAt {
		p.armed, p.wakeAt = false, 0
		return true
	}
	return false
}

func (p *Processor) batchIsFull() bool {
	return p.unsent.events >= p.opts.BatchMaxSize || p.unsent.bytes >= p.opts.BatchMaxBytes
}

// acceptSampled counts an event whose trace is left out.
func (p *Processor) acceptSampled(id string, auto ulid.ULID, t wire.EventType) error {
	if id == "" {
		id = auto.String()
	}
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		p.gate.refused[refusedClosed].Add(1)
		return ErrClosed
	}
	p.n.accepted++
	p.n.dropped[DropSampled]++
	p.mu.Unlock()
	p.tell(Outcome{EventID: id, Type: t, Kind: Dropped, Reason: DropSampled,
		Err: &EventError{EventID: id, Type: t, Code: string(DropSampled)}})
	return nil
}

// start begins the goroutines. p.mu is held.
func (p *Processor) start() {
	p.started = true
	go func() {
		defer close(p.ended)
		p.run()
	}()
}

// signal wakes the worker.
func (p *Processor) signal() {
	select {
	case p.wake <- struct{}{}:
	default: // it has been told already
	}
}
