package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// takeOver moves the files of processes that have ended into this one's directory.
func (d *Dir) takeOver(home string) (left []*File, err error) {
	dirs, err := os.ReadDir(home)
	if err != nil {
		return nil, err
	}
	for _, entry := range dirs {
		old := filepath.Join(home, entry.Name())
		if old == d.path || !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		lock, err := takeLock(filepath.Join(old, lockName), false)
		if err != nil { // its owner lives, or someone else was first
			continue
		}
		moved, err := d.moveFrom(old)
		lock.Close()
		if err != nil {
			return nil, err
		}
		left = append(left, moved...)
	}
	slices.SortFunc(left, func(a, b *File) int { return strings.Compare(a.path, b.path) })
	for _, f := range left {
		d.files++
		d.bytes += f.bytes
	}
	return left, nil
}

func (d *Dir) moveFrom(old string) (moved []*File, err error) {
	names, err := os.ReadDir(old)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		base, isBatch := strings.CutSuffix(name.Name(), ".json")
		_, count, _ := strings.Cut(base, "-")
		events, err := strconv.Atoi(count)
		if !isBatch || err != nil || events < 1 {
			continue
		}
		path := filepath.Join(d.path, name.Name())
		if err := os.Rename(filepath.Join(old, name.Name()), path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		moved = append(moved, &File{Events: events, path: path, bytes: info.Size()})
	}
	return moved, os.RemoveAll(old)
}
