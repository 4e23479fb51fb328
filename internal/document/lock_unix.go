//go:build unix

package document

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile waits for the lock on path, which every process that changes the file
// takes; the kernel gives it back when a process dies.
func lockFile(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // closing gives the lock back
}
