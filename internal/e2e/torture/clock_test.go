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

	mu    sync.RWMutex // guards wrong and the file
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
	c.wrong = d
	return nil
}
