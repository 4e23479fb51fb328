package torture

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// clock is how wrong the server's clock is, which it reads from a file.
type clock struct {
	path string

	mu    sync.RWMutex // guards the rest, and the file
	wrong time.Duration
	past  []spell
}

// spell is how long the clock was wrong by so much, in our own time.
type spell struct {
	until time.Time
	wrong time.Duration
}

func newClock(dir string) (*clock, error) {
	c := &clock{path: filepath.Join(dir, "clock")}
	return c, c.set(0)
}

// now is the server's time.
func (c *clock) now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return time.Now().Add(c.wrong)
}

// latestSince is the latest that it has shown since a moment of our own clock: what was
// over then may be forgotten, also when the clock goes back.
func (c *clock) latestSince(t time.Time) time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	latest := time.Now().Add(c.wrong)
	for _, s := range c.past {
		if at := s.until.Add(s.wrong); !s.until.Before(t) && at.After(latest) {
			latest = at
		}
	}
	return latest
}

// set makes the server's clock wrong by d at once.
func (c *clock) set(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.path + ".next"
	if err := os.WriteFile(next, []byte(d.String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, c.path); err != nil { // the server reads the old or the new one, whole
		return err
	}
	c.past = append(c.past, spell{time.Now(), c.wrong})
	c.wrong = d
	return nil
}
