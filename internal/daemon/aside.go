package daemon

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
)

const (
	// asideKept is how long a damaged warehouse file stays for people to look at, unless something is erased before, or events are kept
	// for less: it has what erasures and retention do not reach.
	asideKept = 7 * 24 * time.Hour
	// asideEvery is how far apart looks for such files are, asideSoon while one waits for the warehouse.
	asideEvery, asideSoon = time.Minute, time.Second
)

// asides removes warehouse files that were put aside: of an older layout once the one in its place has all that the log had, damaged ones in time.
type asides struct {
	path   string        // of the warehouse
	kept   time.Duration // of damaged files
	head   entity.Seq    // of the log, when the node began
	cursor func(context.Context) (entity.Seq, error)
	now    func() time.Time
	logger *slog.Logger
}

// run looks until ctx ends.
func (a *asides) run(ctx context.Context) error {
	for ctx.Err() == nil {
		pause := asideEvery
		waits, err := a.look(ctx)
		if waits {
			pause = asideSoon
		}
		if err != nil && ctx.Err() == nil {
			a.logger.Warn("a warehouse file that was put aside could not be removed; it is tried again", "error", err)
		}
		if clock.Sleep(ctx, pause) != nil {
			break
		}
	}
	return nil
}

// look removes what is due. It says whether a file waits for the warehouse to be built.
func (a *asides) look(ctx context.Context) (waits bool, err error) {
	all, err := duckstore.Asides(a.path)
	if err != nil || len(all) == 0 {
		return false, err
	}
	cursor, err := a.cursor(ctx) // what lies before it is in the file, and synced
	if err != nil {
		return false, err
	}
	var failed []error
	for _, f := range all {
		switch {
		case f.Damaged && a.now().Sub(f.At) < a.kept:
		case !f.Damaged && cursor < a.head:
			waits = true
		default:
			failed = append(failed, a.remove(&f))
		}
	}
	return waits, errors.Join(failed...)
}

// all removes every one: an erasure ends with it.
func (a *asides) all() error {
	all, err := duckstore.Asides(a.path)
	for i := range all {
		err = errors.Join(err, a.remove(&all[i]))
	}
	return err
}

func (a *asides) remove(f *duckstore.Aside) error {
	if err := f.Remove(); err != nil {
		return err
	}
	a.logger.Info("a warehouse file that was put aside was removed", "file", f.Path, "damaged", f.Damaged)
	return nil
}
