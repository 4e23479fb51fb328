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
	peak  time.Time // the latest that it has shown before it was set last
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

// latest is the latest that it has ever shown: what was over then may be
// forgotten, also when the clock goes back.
func (c *clock) latest() time.Time {
	now := c.now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.peak.After(now) {
		return c.peak
	}
	return now
}

// set makes the server's clock wrong by d at once.
func (c *clock) set(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now().Add(c.wrong); now.After(c.peak) {
		c.peak = now
	}
	next := c.path + ".next"
	if err := os.WriteFile(next, []byte(d.String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, c.path); err != nil { // the server reads the old or the new one, whole
		return err
	}
	c.wrong = d
	return nil
}
