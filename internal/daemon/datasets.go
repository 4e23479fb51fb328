package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/dataset"
)

// openDatasets opens the datasets: in files, or where the nodes share them.
func (n *node) openDatasets() (err error) {
	o := dataset.Options{Dir: filepath.Join(n.cfg.DataDir, datadir.DatasetsDir), Now: now, Logger: n.logger.With("part", "datasets")}
	if n.shared != nil {
		o.Store = n.shared
	}
	n.datasets, err = dataset.Open(o)
	return err
}

// joinAgain is how long after a failure the datasets of this node's files are brought in again.
const joinAgain = time.Second

// joinDatasets brings in what this node has in files, once the shared warehouse is there. Until then nobody is answered about datasets.
func (n *node) joinDatasets(ctx context.Context) error {
	if n.shared == nil {
		return nil
	}
	select {
	case <-n.shared.Ready():
	case <-ctx.Done():
		return ctx.Err()
	}
	for told := ""; ; {
		err := n.datasets.Join(ctx, n.identity.get().ID)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if err.Error() != told {
			told = err.Error()
			n.logger.Warn("the datasets that this node has in files are not for all nodes yet, and nobody is answered about datasets here before; it is tried again", "error", err)
		}
		if err := clock.Sleep(ctx, joinAgain); err != nil {
			return err
		}
	}
}

// endErasures ends the erasure that was interrupted, which is about items of datasets, too.
func (n *node) endErasures(ctx context.Context) error {
	if err := n.joinDatasets(ctx); err != nil {
		return err
	}
	return n.eraser.Run(ctx)
}

// copyDatasets writes the datasets that nodes share into the files of the new directory. What the node still has in files, because it never began to share since it could, comes with them.
func (b *copyingBack) copyDatasets(ctx context.Context) error {
	d, err := dataset.Open(dataset.Options{Dir: filepath.Join(b.from, datadir.DatasetsDir), Store: b.shared, Now: now, Logger: b.logger.With("part", "datasets")})
	if err != nil {
		return err
	}
	if err := d.Join(ctx, b.state.From); err != nil {
		return err
	}
	return d.WriteFiles(ctx, filepath.Join(b.cfg.DataDir, datadir.DatasetsDir))
}

// eraseRestored erases items of datasets in a data directory that nobody serves.
func eraseRestored(ctx context.Context, dir, project string, traces []string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) || len(traces) == 0 {
		return nil
	}
	d, err := dataset.Open(dataset.Options{Dir: dir, Now: now})
	if err != nil {
		return err
	}
	_, err = d.Erase(ctx, project, traces)
	return err
}
