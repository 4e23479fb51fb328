package dataset

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Export calls each for every file, with its name below the directory, with slashes, and what of it is whole at this moment. Changes go on meanwhile. What nodes share is in no file.
func (d *Datasets) Export(each func(name string, size int64, r io.Reader) error) error {
	for _, p := range d.known() {
		k, alone := p.keep.(*files)
		if !alone {
			return nil
		}
		for _, of := range k.all() {
			if err := p.export(k, of, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// export calls each for a file, unless it was deleted meanwhile.
func (p *project) export(k *files, of string, each func(name string, size int64, r io.Reader) error) error {
	p.turn.Lock()
	j := k.get(of)
	if j == nil {
		p.turn.Unlock()
		return nil
	}
	size := j.size
	f, err := os.Open(filepath.Clean(j.path)) // from here on it may be written anew, or deleted
	p.turn.Unlock()
	if err != nil {
		return err
	}
	return errors.Join(each(path.Join(projectPrefix+p.name, fileOf(of)), size, io.LimitReader(f, size)), f.Close())
}
