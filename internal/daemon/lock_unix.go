//go:build unix

package daemon

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lockStopped keeps servers away from a directory while it is looked at. It takes a shared lock on the
// file that a server locks for itself, and writes nothing.
func lockStopped(path string) (io.Closer, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nopUnlock{}, nil
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
