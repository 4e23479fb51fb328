package server

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// budget bounds the memory that the bodies of all requests hold together. When it is
// short, clients that send slowly give theirs back: what they hold, others could have used.
type budget struct {
	limit int64
	used  atomic.Int64

	mu        sync.Mutex // guards what follows
	receiving map[*pacedReader]*hold
	freed     chan struct{} // closed at the next give; nil while nobody waits
	waiting   atomic.Bool   // freed is not nil
}

func newBudget(limit int64) *budget {
	return &budget{limit: limit, receiving: map[*pacedReader]*hold{}}
}

// hold is what one request has taken from the budget. One goroutine takes and gives.
type hold struct {
	from  *budget
	bytes atomic.Int64
}

// pressedWait is how long a request waits for what slow ones were told to give back.
const pressedWait = 2 * time.Second

// take adds n bytes to the hold, or says that the server has too much in flight.
func (h *hold) take(n int64) error {
	if h.from.try(n) || h.from.press(h, n) {
		h.bytes.Add(n)
		return nil
	}
	return overloaded()
}

func overloaded() *problem {
	return &problem{
		status: http.StatusServiceUnavailable, code: codeOverloaded, retryAfter: time.Second,
		message: "the server holds as many bytes of requests as it may; send this one again after the seconds of Retry-After",
	}
}

// give returns n bytes of the hold.
func (h *hold) give(n int64) {
	h.bytes.Add(-n)
	h.from.used.Add(-n)
	if h.from.waiting.Load() {
		h.from.wake()
	}
}

// release returns all that is still held.
func (h *hold) release() { h.give(h.bytes.Load()) }

func (b *budget) try(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
		b.waiting.Store(false)
	}
}

// press cuts slow senders, the slowest first, until they hold n bytes, and waits for these. false
// when there are too few of them: those that keep up are never cut.
func (b *budget) press(asks *hold, n int64) bool {
	if !b.cutSlow(asks, n) {
		return false
	}
	end := time.NewTimer(pressedWait)
	defer end.Stop()
	for {
		b.mu.Lock()
		if b.freed == nil {
			b.freed = make(chan struct{})
			b.waiting.Store(true)
		}
		freed := b.freed
		b.mu.Unlock()
		if b.try(n) {
			return true
		}
		select {
		case <-freed:
		case <-end.C:
			return b.try(n)
		}
	}
}

// cutSlow says whether the slow senders that it has cut, and those cut before, hold enough for n more bytes.
func (b *budget) cutSlow(asks *hold, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	type sender struct {
		*pacedReader
		rate, bytes int64
	}
	var slow []sender
	now := time.Now()
	for p, h := range b.receiving {
		if rate, known := p.recent(now); known && rate < pressedRate && h != asks {
			slow = append(slow, sender{p, rate, h.bytes.Load()})
		}
	}
	slices.SortFunc(slow, func(a, b sender) int { return int(a.rate - b.rate) })
	need := b.used.Load() + n - b.limit
	for _, s := range slow {
		if need <= 0 {
			return true
		}
		s.cut()
		need -= s.bytes
	}
	return need <= 0
}

// receive lets the body's reader be cut while it comes in. The caller calls done when it has come, or not.
func (b *budget) receive(p *pacedReader, h *hold) (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receiving[p] = h
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.receiving, p)
	}
}
