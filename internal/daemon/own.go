package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
)

// ownDir is a directory that was opened. It is held open: as long as it is, no other gets its identity,
// whatever happens to its name.
type ownDir struct {
	path string
	file *os.File
}

func openOwnDir(path string) (*ownDir, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return &ownDir{path, f}, nil
}

// check returns an error when the directory is not to be found under its name any more. It names no path: the
// error is shown to people who need not know it.
func (d *ownDir) check() error {
	mine, err := d.file.Stat()
	if err != nil {
		return fmt.Errorf("the data directory: %w", bare(err))
	}
	now, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the data directory is gone")
	case err != nil:
		return fmt.Errorf("the data directory: %w", bare(err))
	case !os.SameFile(mine, now):
		return errors.New("the data directory is another one than when the node started")
	}
	return nil
}

func (d *ownDir) close() error { return d.file.Close() }

// bare takes the path out of an error.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Op, pe.Err)
	}
	return err
}

// checkFiles returns an error when the files of the data directory that hold the truth are not the node's any more. A
// log that is being closed cannot tell of its own.
func (s stores) checkFiles() error {
	if err := s.dir.check(); err != nil {
		return err
	}
	err := s.log.CheckFiles()
	if errors.Is(err, store.ErrClosed) {
		return nil
	}
	return err
}

// agree takes out of the Warehouse what the Log has lost: it would be in lists and sums, and nowhere else. A Log that
// is empty beside a filled Warehouse has lost its directory as a whole, list of segments and all; that is to be accepted like any other loss.
func (s stores) agree(w *duckstore.Warehouse, accept bool, logger *slog.Logger) error {
	cursor, err := w.Cursor(context.Background())
	if err != nil {
		return err
	}
	upto := s.log.Head()
	if had := s.log.Stats(); had.Segments == 0 && upto == 0 && cursor > 0 && !accept {
		return fmt.Errorf("the log is empty, and the warehouse was filled from one with events up to %d (so many at most are lost): "+
			"the directory %q is missing or was emptied. Put its files back, or start once with --accept-loss to go on without what they held", cursor, datadir.LogDir)
	}
	missing := s.log.Missing()
	for _, loss := range missing {
		upto = min(upto, loss.First-1)
	}
	aside, err := w.Rewind(upto)
	if err != nil {
		return err
	}
	if aside != "" {
		logger.Error("the warehouse has events that the log has lost; it was put aside and is built again from the log", "aside", aside)
	}
	if len(missing) == 0 {
		return nil
	}
	return s.log.ForgetMissing()
}
