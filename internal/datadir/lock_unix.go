//go:build unix

package datadir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Lock keeps servers away from a data directory while it is looked at. It takes a shared lock on the
// file that a server locks for itself, and writes nothing.
func Lock(dir string) (io.Closer, error) {
	f, err := os.Open(filepath.Join(dir, LogDir, "LOCK"))
	if errors.Is(err, os.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	lock := syscall.Flock_t{Type: syscall.F_RDLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lock); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
