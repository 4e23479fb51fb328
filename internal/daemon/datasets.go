package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/durable"
)

// openDatasets opens the datasets. A node that shares its Warehouse has none: each of them must be able to read all. What it had when it was alone stays in its files.
func (n *node) openDatasets() (err error) {
	if n.shared != nil {
		return nil
	}
	n.datasets, err = dataset.Open(dataset.Options{Dir: filepath.Join(n.cfg.DataDir, datadir.DatasetsDir), Now: now, Logger: n.logger.With("part", "datasets")})
	return err
}

// copyDatasets copies the files of datasets that a node had before it shared its Warehouse.
func copyDatasets(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == from {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return errors.Join(os.MkdirAll(filepath.Join(to, name), 0o700), durable.SyncDir(filepath.Dir(filepath.Join(to, name))))
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return durable.Replace(filepath.Join(to, name), raw)
	})
}
