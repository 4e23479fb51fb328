package dataset

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
)

// Export calls each for every file, with its name below the directory, with slashes, and what of it is whole at this moment. Changes go on meanwhile.
func (d *Datasets) Export(each func(name string, size int64, r io.Reader) error) error {
	for _, o := range d.opens() {
		if err := o.export(each); err != nil {
			return err
		}
	}
	return nil
}

// opens are the files that there are, in a steady order.
func (d *Datasets) opens() []opened {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var all []opened
	for name, p := range d.projects {
		dir := projectPrefix + name
		for id, set := range p.datasets {
			all = append(all, opened{path.Join(dir, id+ext), &set.mu, func() *journal { return set.journal }})
		}
		all = append(all, opened{path.Join(dir, experimentsFile), &p.experiments.mu, func() *journal { return p.experiments.journal }})
	}
	slices.SortFunc(all, func(a, b opened) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return all
}

// opened is a file and who guards it.
type opened struct {
	name    string
	mu      *sync.RWMutex
	journal func() *journal // nil: there is no file yet
}

func (o *opened) export(each func(name string, size int64, r io.Reader) error) error {
	o.mu.RLock()
	j := o.journal()
	if j == nil {
		o.mu.RUnlock()
		return nil
	}
	size := j.size
	f, err := os.Open(filepath.Clean(j.path)) // from here on it may be written anew, or deleted
	o.mu.RUnlock()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(each(o.name, size, io.LimitReader(f, size)), f.Close())
}
