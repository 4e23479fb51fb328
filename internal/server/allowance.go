package server

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// allowance bounds the memory that the bodies of all requests hold together. When it is
// short, clients that send slowly give theirs back: what they hold, others could have used.
type allowance struct {
	limit int64
	used  atomic.Int64

	mu        sync.Mutex // guards what follows
	receiving map[*pacedReader]*hold
	freed     chan struct{} // closed at the next give; nil while nobody waits
	waiting   atomic.Bool   // freed is not nil
}

func newAllowance(limit int64) *allowance {
	return &allowance{limit: limit, receiving: map[*pacedReader]*hold{}}
}

// hold is what one request has taken from the allowance. One goroutine takes and gives.
type hold struct {
	from  *allowance
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

func (a *allowance) try(n int64) bool {
	if a.used.Add(n) > a.limit {
		a.used.Add(-n)
		return false
	}
	return true
}

func (a *allowance) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.freed != nil {
		close(a.freed)
		a.freed = nil
		a.waiting.Store(false)
	}
}

// press cuts slow senders, the slowest first, until they hold n bytes, and waits for these. false
// when there are too few of them: those that keep up are never cut.
func (a *allowance) press(asks *hold, n int64) bool {
	if !a.cutSlow(asks, n) {
		return false
	}
	end := time.NewTimer(pressedWait)
	defer end.Stop()
	for {
		a.mu.Lock()
		if a.freed == nil {
			a.freed = make(chan struct{})
			a.waiting.Store(true)
		}
		freed := a.freed
		a.mu.Unlock()
		if a.try(n) {
			return true
		}
		select {
		case <-freed:
		case <-end.C:
			return a.try(n)
		}
	}
}

// cutSlow says whether the slow senders that it has cut, and those cut before, hold enough for n more bytes.
func (a *allowance) cutSlow(asks *hold, n int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	type sender struct {
		*pacedReader
		rate, bytes int64
	}
	var slow []sender
	now := time.Now()
	for p, h := range a.receiving {
		if rate, known := p.recent(now); known && rate < pressedRate && h != asks {
			slow = append(slow, sender{p, rate, h.bytes.Load()})
		}
	}
	slices.SortFunc(slow, func(a, b sender) int { return int(a.rate - b.rate) })
	need := a.used.Load() + n - a.limit
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
func (a *allowance) receive(p *pacedReader, h *hold) (done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.receiving[p] = h
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.receiving, p)
	}
}
