package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	// readAtOnce is how many records the follower takes from the Log at once.
	readAtOnce = 1000
	// maxChunks and maxQueuedBytes bound what waits for one stream whose client reads too slowly.
	maxChunks      = 256
	maxQueuedBytes = 8 << 20
	// retryAfter is how long the follower leaves a Log alone that could not be read.
	retryAfter = time.Second
)

// Why a stream ends, as its last message says; the error codes of answers are in use, too.
const (
	endTooSlow      = "too_slow" // the client reads more slowly than events come
	endStopping     = "stopping" // the server stops
	endUnavailable  = "unavailable"
	endUnauthorized = "unauthorized"
	endOverloaded   = "overloaded"
)

// Options are the settings of a Hub. All are required.
type Options struct {
	Log store.Log
	// Most is how many streams there may be at once.
	Most int
	// Heartbeat is the time between two signs of life, and WriteTimeout what one write may take.
	Heartbeat, WriteTimeout time.Duration
	// ID tells a place in the Log to clients of the project.
	ID func(project string, at entity.Seq) string
	// Encode writes the JSON of an event.
	Encode func(any) ([]byte, error)
	Logger *slog.Logger
}

// Hub hands the events that are accepted to all streams. One goroutine follows
// the Log for all of them, and only while there is one, so that an event is read and encoded once.
type Hub struct {
	o Options

	mu    sync.Mutex // guards all below
	at    entity.Seq // everything up to here was handed out; what follows will be
	idle  bool       // the follower waits for a first stream
	count int
	subs  map[string]map[*subscriber]struct{} // by project
	wake  chan struct{}                       // has room for one
}

// subscriber is the queue of one stream.
type subscriber struct {
	project string
	from    entity.Seq   // the queue holds everything after it
	chunks  chan chunk   // closed by end
	queued  atomic.Int64 // bytes in chunks
	why     string       // code of the end; written before chunks is closed
}

// chunk is what one read of the Log gave to a project. Streams share it.
type chunk struct {
	events []*event
	bytes  int64
}

// New returns a Hub without streams. Run must run for streams to get their events.
func New(o Options) *Hub {
	return &Hub{o: o, idle: true, subs: map[string]map[*subscriber]struct{}{}, wake: make(chan struct{}, 1)}
}

// Run hands out until ctx ends or the Log is closed; then it ends all streams.
func (h *Hub) Run(ctx context.Context) {
	for ctx.Err() == nil {
		after, ok := h.next()
		if !ok {
			select {
			case <-h.wake:
			case <-ctx.Done():
			}
			continue
		}
		recs, upto, err := h.o.Log.Read(ctx, after, readAtOnce)
		switch {
		case ctx.Err() != nil || errors.Is(err, store.ErrClosed):
			h.End(endStopping)
			return
		case err != nil:
			h.o.Logger.Error("the live stream cannot read the log", "error", err)
			h.End(endUnavailable)
			_ = clock.Sleep(ctx, retryAfter) // the loop sees how it ended
		default:
			h.hand(recs, upto)
		}
	}
	h.End(endStopping)
}

// next is where to read on; false when nobody listens.
func (h *Hub) next() (after entity.Seq, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = h.count == 0
	return h.at, !h.idle
}

// hand queues the records for the streams of their projects. A stream that has
// no room is ended: its client can go on behind what it has read.
func (h *Hub) hand(recs []entity.Record, upto entity.Seq) {
	h.mu.Lock()
	defer h.mu.Unlock()
	chunks := map[string]*chunk{}
	for i := range recs {
		rec := &recs[i]
		if h.subs[rec.Project] == nil {
			continue
		}
		c := chunks[rec.Project]
		if c == nil {
			c = &chunk{}
			chunks[rec.Project] = c
		}
		c.events = append(c.events, &event{rec: rec})
		c.bytes += int64(len(rec.Event.Payload)) + 512 // and what stands around it
	}
	for project, c := range chunks {
		for sub := range h.subs[project] {
			if sub.queued.Load() > 0 && sub.queued.Load()+c.bytes > maxQueuedBytes || len(sub.chunks) == cap(sub.chunks) {
				h.end(sub, endTooSlow)
				continue
			}
			sub.queued.Add(c.bytes)
			sub.chunks <- *c
		}
	}
	h.at = upto
}

// join begins to queue for a new stream; nil when there are as many as there may be.
func (h *Hub) join(project string) *subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count >= h.o.Most {
		return nil
	}
	if h.idle {
		h.idle = false
		h.at = max(h.at, h.o.Log.Head())
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
	sub := &subscriber{project: project, from: h.at, chunks: make(chan chunk, maxChunks)}
	if h.subs[project] == nil {
		h.subs[project] = map[*subscriber]struct{}{}
	}
	h.subs[project][sub] = struct{}{}
	h.count++
	return sub
}

// leave ends a stream from its own side; more than once is once.
func (h *Hub) leave(sub *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end(sub, endStopping)
}

// position is how far everything has been queued, and whether sub has nothing left.
func (h *Hub) position(sub *subscriber) (at entity.Seq, drained bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at, len(sub.chunks) == 0
}

// Streams is how many there are.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// End ends all streams; why is what their last message says.
func (h *Hub) End(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, subs := range h.subs {
		for sub := range subs {
			h.end(sub, why)
		}
	}
}

// end takes a stream out. The caller holds mu.
func (h *Hub) end(sub *subscriber, why string) {
	subs := h.subs[sub.project]
	if _, in := subs[sub]; !in {
		return
	}
	delete(subs, sub)
	if len(subs) == 0 {
		delete(h.subs, sub.project)
	}
	h.count--
	sub.why = why
	close(sub.chunks)
}
