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
	unsent  size          // accepted and not yet cut into a batch
	held    size          // in memory: waiting and in flight
	queued  int           // events in tail and full
	oldest  time.Duration // when the oldest of them was accepted
	passed  int64         // events that ever entered the queue
	flushTo int64         // a flush wants all up to this one of them sent now
	armed   bool          // the worker sleeps and wants to hear of new events
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
		tail:    &chunk{},
		epoch:   &epoch{},
		n:       newCounters(),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if opts.SampleRate < 1 {
		p.sampler = newSampler(opts.SampleRate)
	}
	if opts.SpoolDir != "" {
		if err := p.openSpool(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// admit says whether an event of n bytes may enter. p.mu is held.
func (p *Processor) admit(n int) error {
	switch {
	case p.closing:
		p.gate.refused[refusedClosed].Add(1)
		return ErrClosed
	case n > p.opts.QueueMaxBytes: // it would not fit into an empty queue either
		p.gate.refused[refusedLarge].Add(1)
		return ErrTooLarge
	case p.held.events >= p.opts.QueueMaxEvents || p.held.bytes+n > p.opts.QueueMaxBytes:
		p.gate.refused[refusedFull].Add(1)
		p.gate.state.Store(stateFull) // until something that is held has its outcome
		return ErrQueueFull
	}
	return nil
}

// tailFor returns the chunk for an event of n bytes. p.mu is held.
func (p *Processor) tailFor(n int) *chunk {
	if n > bigEvent || p.tail.fits(n) {
		return p.tail
	}
	if len(p.tail.entries) > 0 {
		p.full = append(p.full, p.tail)
		p.tail = p.newChunk()
	}
	if p.tail.arena == nil {
		p.tail.arena = make([]byte, 0, chunkSize)
	}
	return p.tail
}

// newChunk returns an empty chunk. p.mu is held.
func (p *Processor) newChunk() *chunk {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	return &chunk{}
}

// accept counts an event that was put into the queue, and says whether the
// worker must hear of it. p.mu is held.
func (p *Processor) accept(e *entry) (wake bool) {
	if p.queued == 0 {
		p.oldest = e.at
	}
	p.queued++
	p.passed++
	p.n.accepted++
	p.epoch.pending++
	p.unsent.add(len(e.data))
	p.held.add(len(e.data))
	if !p.started {
		p.start()
	}
	if p.armed && (p.unsent.events == 1 || p.batchIsFull()) {
		p.armed = false
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
