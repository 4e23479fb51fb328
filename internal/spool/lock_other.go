//go:build !unix

package spool

import "os"

// takeLock opens path. Where the system has no advisory locks, two living
// processes may both send a file; its ids make sure that it counts once.
func takeLock(path string, create bool) (*os.File, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	return os.OpenFile(path, flags, 0o600)
}

// dropLock closes f.
func dropLock(f *os.File) error { return f.Close() }
