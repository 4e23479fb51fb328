package server

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// pacedWindow is over how long a body must keep its rate, once it holds more than
	// freeOfPace bytes. A stall as long as TCP needs to get over a lost packet or two is none.
	pacedWindow = 10 * time.Second
	freeOfPace  = 32 << 10
	// recentWindow is the least time that says how fast a body comes now.
	recentWindow = time.Second
)

// errCut ends the body of a slow sender whose room others need.
var errCut = errors.New("the body came slowly while others had no room")

// pacedReader gives a body the time its size deserves: grace for the first byte
// and the rest of it, plus a second for every rate bytes that came. Of a body that holds much,
// the rate must come in every pacedWindow, too. Who is slower loses the connection, so that
// slowness costs no one else.
type pacedReader struct {
	src     io.Reader
	control *http.ResponseController
	start   time.Time
	grace   time.Duration
	rate    int64

	mu     sync.Mutex // guards what follows, and the deadline behind cut
	n      int64
	isCut  bool
	window mark // where the window began in which the rate is kept
	last   mark // a moment at least recentWindow before the newest bytes, or the start
	newest mark
}

// mark is how much had come at a time.
type mark struct {
	at time.Time
	n  int64
}

func newPacedReader(src io.Reader, control *http.ResponseController, grace time.Duration, rate int64) *pacedReader {
	now := mark{at: time.Now()}
	return &pacedReader{src: src, control: control, start: now.at, grace: grace, rate: rate, window: now, last: now, newest: now}
}

func (p *pacedReader) Read(b []byte) (int, error) {
	if !p.wait() {
		return 0, errCut
	}
	n, err := p.src.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += int64(n)
	now := mark{at: time.Now(), n: p.n}
	if now.at.Sub(p.newest.at) >= recentWindow {
		p.last, p.newest = p.newest, now
	}
	if p.n <= freeOfPace || now.n-p.window.n >= p.rate*int64(p.span()/time.Millisecond)/1000 {
		p.window = now
	}
	if err != nil && p.isCut {
		err = errCut
	}
	return n, err
}

// span is the window of the rate: a test's grace may be shorter than the usual one.
func (p *pacedReader) span() time.Duration { return min(pacedWindow, p.grace) }

// wait sets how long the next read may take, unless the body was cut.
func (p *pacedReader) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isCut {
		return false
	}
	until := p.start.Add(p.grace + time.Duration(p.n)*time.Second/time.Duration(p.rate))
	if p.n > freeOfPace {
		if end := p.window.at.Add(p.span()); end.Before(until) {
			until = end
		}
	}
	// A writer without deadlines (a test's recorder) has no slow client either.
	_ = p.control.SetReadDeadline(until)
	return true
}

// recent is how many bytes a second come now; known is false when it has begun too short a time ago.
func (p *pacedReader) recent(now time.Time) (rate int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := now.Sub(p.last.at)
	if took < recentWindow {
		return 0, false
	}
	return (p.n - p.last.n) * 1000 / max(1, took.Milliseconds()), true
}

// cut ends the read that is under way, and those that follow.
func (p *pacedReader) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	_ = p.control.SetReadDeadline(time.Now())
}
