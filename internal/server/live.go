package server

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
	// liveRead is how many records the follower takes from the Log at once.
	liveRead = 1000
	// maxChunks and maxQueuedBytes bound what waits for one stream whose client reads too slowly.
	maxChunks      = 256
	maxQueuedBytes = 8 << 20
	// liveRetry is how long the follower leaves a Log alone that could not be read.
	liveRetry = time.Second
)

// live hands the events that are accepted to all streams. One goroutine follows
// the Log for all of them, and only while there is one, so that an event is read and encoded once.
type live struct {
	log    store.Log
	logger *slog.Logger
	most   int // streams

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
	events []*liveEvent
	bytes  int64
}

func newLive(log store.Log, logger *slog.Logger, most int) *live {
	return &live{log: log, logger: logger, most: most, idle: true,
		subs: map[string]map[*subscriber]struct{}{}, wake: make(chan struct{}, 1)}
}

// follow hands out until ctx ends or the Log is closed.
func (l *live) follow(ctx context.Context) {
	for ctx.Err() == nil {
		after, ok := l.next()
		if !ok {
			select {
			case <-l.wake:
			case <-ctx.Done():
			}
			continue
		}
		recs, upto, err := l.log.Read(ctx, after, liveRead)
		switch {
		case ctx.Err() != nil || errors.Is(err, store.ErrClosed):
			l.endAll(endStopping)
			return
		case err != nil:
			l.logger.Error("the live stream cannot read the log", "error", err)
			l.endAll(codeUnavailable)
			_ = clock.Sleep(ctx, liveRetry) // the loop sees how it ended
		default:
			l.hand(recs, upto)
		}
	}
	l.endAll(endStopping)
}

// next is where to read on; false when nobody listens.
func (l *live) next() (after entity.Seq, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idle = l.count == 0
	return l.at, !l.idle
}

// hand queues the records for the streams of their projects. A stream that has
// no room is ended: its client can go on behind what it has read.
func (l *live) hand(recs []entity.Record, upto entity.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	chunks := map[string]*chunk{}
	for i := range recs {
		rec := &recs[i]
		if l.subs[rec.Project] == nil {
			continue
		}
		c := chunks[rec.Project]
		if c == nil {
			c = &chunk{}
			chunks[rec.Project] = c
		}
		c.events = append(c.events, &liveEvent{rec: rec})
		c.bytes += int64(len(rec.Event.Payload)) + 512 // and what stands around it
	}
	for project, c := range chunks {
		for sub := range l.subs[project] {
			if sub.queued.Load() > 0 && sub.queued.Load()+c.bytes > maxQueuedBytes || len(sub.chunks) == cap(sub.chunks) {
				l.end(sub, endTooSlow)
				continue
			}
			sub.queued.Add(c.bytes)
			sub.chunks <- *c
		}
	}
	l.at = upto
}

// join begins to queue for a new stream; nil when there are as many as there may be.
func (l *live) join(project string) *subscriber {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count >= l.most {
		return nil
	}
	if l.idle {
		l.idle = false
		l.at = max(l.at, l.log.Head())
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	sub := &subscriber{project: project, from: l.at, chunks: make(chan chunk, maxChunks)}
	if l.subs[project] == nil {
		l.subs[project] = map[*subscriber]struct{}{}
	}
	l.subs[project][sub] = struct{}{}
	l.count++
	return sub
}

// leave ends a stream from its own side; more than once is once.
func (l *live) leave(sub *subscriber) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(sub, endStopping)
}

// position is how far everything has been queued, and whether sub has nothing left.
func (l *live) position(sub *subscriber) (at entity.Seq, drained bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at, len(sub.chunks) == 0
}

func (l *live) streams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

func (l *live) endAll(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, subs := range l.subs {
		for sub := range subs {
			l.end(sub, why)
		}
	}
}

// end takes a stream out. The caller holds mu.
func (l *live) end(sub *subscriber, why string) {
	subs := l.subs[sub.project]
	if _, in := subs[sub]; !in {
		return
	}
	delete(subs, sub)
	if len(subs) == 0 {
		delete(l.subs, sub.project)
	}
	l.count--
	sub.why = why
	close(sub.chunks)
}
