package daemon

import (
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/dataset"
)

// openDatasets opens the datasets. A node that shares its Warehouse has none: each of them must be able to read all. What it had when it was alone stays in its files.
func (n *node) openDatasets() (err error) {
	if n.shared != nil {
		return nil
	}
	n.datasets, err = dataset.Open(dataset.Options{Dir: filepath.Join(n.cfg.DataDir, datadir.DatasetsDir), Now: now, Logger: n.logger.With("part", "datasets")})
	return err
}
