package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/brokle-ai/brokle-go/internal/datadir"
)

// startRoom is what a start has to be able to write, in bytes: its own first files, and some to spare. The
// engines below take a disk that is full from the start for a fault of their own.
const startRoom = 4 << 20

// probeFile is written and removed again; one that a crash left is written over.
const probeFile = "room.tmp"

// makeDataDir makes dir when it is not there, and says in a sentence what keeps a node from writing to it.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cannotWrite(dir, err)
	}
	for _, d := range []string{dir, filepath.Join(dir, datadir.LogDir)} { // which may be mounted apart
		info, err := os.Stat(d)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return fmt.Errorf("data directory: %w", err)
		case !info.IsDir():
			return fmt.Errorf("data directory: %s is a file, and has to be a directory", d)
		}
		if err := probe(filepath.Join(d, probeFile)); err != nil {
			return cannotWrite(d, err)
		}
	}
	return nil
}

// probe writes as much as a start needs, and takes it back.
func probe(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	if _, err = f.Write(make([]byte, startRoom)); err != nil {
		return err
	}
	return f.Sync()
}

// cannotWrite says what err means to whoever starts a node on dir.
func cannotWrite(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("data directory: the disk of %s is full: a start needs %d MiB. Nothing is lost; make room and start again (%w)", dir, startRoom>>20, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("data directory: the disk of %s is mounted read-only; the system's log says why (%w)", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("data directory: this user may not write to %s (%w)", dir, err)
	}
	return fmt.Errorf("data directory: cannot write to %s: %w", dir, err)
}
