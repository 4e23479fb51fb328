package duckstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What stands behind the path of a file that was put aside, before the time.
const (
	asideDamaged = ".damaged-"
	asideOlder   = ".older-"
	asideTime    = "20060102T150405.000000"
)

// putAside renames the file and its write-ahead log.
func putAside(path, as string, now time.Time) (aside string, err error) {
	aside = path + as + now.UTC().Format(asideTime)
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	err = os.Rename(path+".wal", aside+".wal")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return aside, nil
}

// Aside is a file that was put aside. No erasure and no retention looks into it: whoever opens a Warehouse removes it in time.
type Aside struct {
	Path string
	// Damaged is false of a file that was whole and had the layout of another release: it has nothing that the one
	// built in its place has not.
	Damaged bool
	At      time.Time // when it was put aside
}

// Asides are the files that were put aside in the place of path, each with its write-ahead log.
func Asides(path string) ([]Aside, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("list files put aside: %w", err)
	}
	var all []Aside
	for _, e := range entries {
		rest, mine := strings.CutPrefix(e.Name(), filepath.Base(path))
		if !mine || e.IsDir() {
			continue
		}
		for _, as := range []string{asideDamaged, asideOlder} {
			// The log of one whose removal was interrupted counts, too.
			at, err := time.Parse(asideTime, strings.TrimSuffix(strings.TrimPrefix(rest, as), ".wal"))
			if strings.HasPrefix(rest, as) && err == nil {
				all = append(all, Aside{filepath.Join(filepath.Dir(path), e.Name()), as == asideDamaged, at})
			}
		}
	}
	return all, nil
}

// Remove deletes the file. One that is gone is no error.
func (a *Aside) Remove() error {
	if err := os.Remove(a.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove a file put aside: %w", err)
	}
	return nil
}
