package idindex

import (
	"errors"
	"log/slog"
	"os"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// damagedFile stands in the directory of an index of which a damaged file was read.
const damagedFile = "DAMAGED"

// ErrDamaged is returned by Open for a directory in which damage was found before.
// The index can be deleted: it is rebuilt from the Log.
var ErrDamaged = errors.New("a file of the index was found damaged")

// damage remembers that a file was found damaged, over the end of the process.
type damage struct {
	fs     vfs.FS // nil: nothing is written down
	path   string
	logger *slog.Logger

	once sync.Once
	c    chan struct{} // closed when damage was found
}

func newDamage(dir string, o Options) (*damage, error) {
	d := &damage{fs: o.FS, logger: o.Logger, c: make(chan struct{})}
	d.path = d.fs.PathJoin(dir, damagedFile)
	switch _, err := d.fs.Stat(d.path); {
	case err == nil:
		return nil, ErrDamaged
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	return d, nil
}

// found is called by Pebble, on any goroutine and as often as it likes. When the note cannot be
// written, the next start meets the damage itself.
func (d *damage) found() {
	d.once.Do(func() {
		defer close(d.c)
		if d.fs == nil {
			return
		}
		if err := durable.ReplaceIn(d.fs, d.path, nil); err != nil {
			d.logger.Warn("the damage of the id index could not be written down", "error", err)
		}
	})
}
