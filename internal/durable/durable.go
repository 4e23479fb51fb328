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
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tempExt ends the name of the file that is written beside the one to replace. One that a crash left is
// written anew.
const tempExt = ".tmp"

// Replace gives the file at path a new content. The file is made when there is none; only its owner can read it. One
// caller at a time may replace a file.
func Replace(path string, content []byte) error {
	return replace(vfs.Default, path, content, func(tmp string) error { return os.Chmod(tmp, 0o600) })
}

// ReplaceIn is Replace in a file system that decides who can read the file.
func ReplaceIn(fs vfs.FS, path string, content []byte) error {
	return replace(fs, path, content, func(string) error { return nil })
}

// ReadIn reads a whole file.
func ReadIn(fs vfs.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// replace calls limit when the new file is there, and empty.
func replace(on vfs.FS, path string, content []byte, limit func(tmp string) error) error {
	tmp := path + tempExt
	f, err := on.Create(tmp, vfs.WriteCategoryUnspecified) // in the place of one that was left
	if err != nil {
		return errors.Join(err) // alone, a log would print its stack
	}
	if err = limit(tmp); err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = on.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, on.Remove(tmp))
	}
	return SyncDirIn(on, on.PathDir(path))
}

// SyncDir makes the names in a directory survive power loss.
func SyncDir(dir string) error {
	if err := SyncDirIn(vfs.Default, dir); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// SyncDirIn is SyncDir in another file system.
func SyncDirIn(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return errors.Join(err)
	}
	return errors.Join(d.Sync(), d.Close())
}
