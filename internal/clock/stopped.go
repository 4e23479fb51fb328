package clock

import (
	"sync"
	"time"
)

// Stopped is a clock for tests: it stands still until Advance. It may be used concurrently.
type Stopped struct {
	mu sync.Mutex // guards t
	t  time.Time
}

// NewStopped returns a Stopped that stands at t.
func NewStopped(t time.Time) *Stopped { return &Stopped{t: t} }

// Now is the time that the clock shows.
func (c *Stopped) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the clock by d.
func (c *Stopped) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
