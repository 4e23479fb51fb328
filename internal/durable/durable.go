// Package durable replaces small files as a whole.
//
// It promises that after a crash or a power loss at any moment a file has its old content or its new one,
// and that it has the new one once Replace has returned nil: the content is synced before it gets the file's name, and the
// directory after that, because a rename that is only in memory is gone with the power.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tempExt ends the name of the file that is written beside the one to replace. One that a crash left is
// written anew.
const tempExt = ".tmp"

// Replace gives the file at path a new content. The file is made when there is none; only its owner can read it. One
// caller at a time may replace a file.
func Replace(path string, content []byte) error { return replace(osFiles{}, path, content) }

// ReplaceIn is Replace in a file system of Pebble's, which decides who can read the file.
func ReplaceIn(fs vfs.FS, path string, content []byte) error {
	return replace(vfsFiles{fs}, path, content)
}

// SyncDir makes the names in a directory survive power loss.
func SyncDir(dir string) error {
	if err := (osFiles{}).syncDir(dir); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// SyncDirIn is SyncDir in a file system of Pebble's.
func SyncDirIn(fs vfs.FS, dir string) error { return vfsFiles{fs}.syncDir(dir) }

// files is what replace needs of a file system.
type files interface {
	create(path string) (file, error)
	remove(path string) error // none there: no error
	rename(from, to string) error
	syncDir(dir string) error
	dirOf(path string) string
}

type file interface {
	io.WriteCloser
	Sync() error
}

func replace(on files, path string, content []byte) error {
	tmp := path + tempExt
	if err := on.remove(tmp); err != nil {
		return err
	}
	f, err := on.create(tmp)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = on.rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, on.remove(tmp))
	}
	return on.syncDir(on.dirOf(path))
}

// osFiles is the operating system's file system.
type osFiles struct{}

func (osFiles) create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}
func (osFiles) remove(path string) error     { return notThere(os.Remove(path)) }
func (osFiles) rename(from, to string) error { return os.Rename(from, to) }
func (osFiles) dirOf(path string) string     { return filepath.Dir(path) }

// vfsFiles is one of Pebble's.
type vfsFiles struct{ fs vfs.FS }

func (v vfsFiles) create(path string) (file, error) {
	return v.fs.Create(path, vfs.WriteCategoryUnspecified)
}
func (v vfsFiles) remove(path string) error     { return notThere(v.fs.Remove(path)) }
func (v vfsFiles) rename(from, to string) error { return v.fs.Rename(from, to) }
func (v vfsFiles) dirOf(path string) string     { return v.fs.PathDir(path) }

func (v vfsFiles) syncDir(dir string) error {
	d, err := v.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
