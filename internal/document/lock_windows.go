package document

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile waits for the lock on path, which every process that changes the file
// takes; the system gives it back when a process dies.
func lockFile(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0,
		math.MaxUint32, math.MaxUint32, new(windows.Overlapped))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // closing gives the lock back
}
