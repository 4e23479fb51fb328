// Package spool keeps request bodies that could not be delivered as files, one body each, named
// <ULID>-<events>.json so that their order and number are known unread.
//
//	dir/<hash of the owner>/<ULID of the process>/lock
//	dir/<hash of the owner>/<ULID of the process>/<ULID>-<events>.json
//
// A process owns its directory by the lock on the lock file, which the system lets go when the
// process ends in whatever way; a process that starts takes over what the dead have left.
// Files are not synced: they outlive the process, not the machine.
package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// ErrFull is the error of a body for which there is no room.
var ErrFull = errors.New("spool: full")

// Dir is this process's directory. It is safe for concurrent use.
type Dir struct {
	path string
	lock *os.File
	max  int64

	mu    sync.Mutex // guards both
	files int
	bytes int64
}

// File is one body on disk.
type File struct {
	Events int // in the body, as the name says
	path   string
	bytes  int64
}

const lockName = "lock"

// Open makes this process's directory below dir and returns what processes of the same owner left
// there, oldest first. Bodies of one owner, a server and a key, never come to another. limit bounds the bytes of all files.
func Open(dir, owner string, limit int64) (*Dir, []*File, error) {
	sum := sha256.Sum256([]byte(owner))
	home := filepath.Join(dir, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, nil, fmt.Errorf("brokle: open spool: %w", err)
	}
	d := &Dir{max: limit}
	// The lock is taken before the directory has a name that others look at.
	name := wire.NewID()
	hidden := filepath.Join(home, ".new-"+name)
	if err := os.Mkdir(hidden, 0o700); err != nil {
		return nil, nil, fmt.Errorf("brokle: open spool: %w", err)
	}
	lock, err := takeLock(filepath.Join(hidden, lockName), true)
	if err == nil {
		d.path = filepath.Join(home, name)
		err = os.Rename(hidden, d.path)
	}
	var left []*File
	if err == nil {
		d.lock = lock
		left, err = d.takeOver(home)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("brokle: open spool: %w", err)
	}
	return d, left, nil
}

// Write makes a file of body, which holds that many events; ErrFull when there is no room.
func (d *Dir) Write(body []byte, events int) (*File, error) {
	n := int64(len(body))
	d.mu.Lock()
	if d.bytes+n > d.max {
		d.mu.Unlock()
		return nil, ErrFull
	}
	d.bytes += n
	d.files++
	d.mu.Unlock()
	f := &File{Events: events, bytes: n, path: filepath.Join(d.path, fmt.Sprintf("%s-%d.json", wire.NewID(), events))}
	tmp := strings.TrimSuffix(f.path, ".json") + ".tmp"
	err := os.WriteFile(tmp, body, 0o600)
	if err == nil {
		err = os.Rename(tmp, f.path)
	}
	if err != nil {
		_ = os.Remove(tmp) // the first error counts
		d.forget(f)
		return nil, err
	}
	return f, nil
}

func (d *Dir) forget(f *File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bytes -= f.bytes
	d.files--
}

// Read returns the body in f.
func (d *Dir) Read(f *File) ([]byte, error) { return os.ReadFile(f.path) }

// Remove deletes f.
func (d *Dir) Remove(f *File) error {
	d.forget(f)
	return os.Remove(f.path)
}

// Close lets the directory go, and removes it when nothing is left in it.
func (d *Dir) Close() error {
	d.mu.Lock()
	empty := d.files == 0
	d.mu.Unlock()
	var err error
	if empty {
		err = os.RemoveAll(d.path)
	}
	return errors.Join(err, dropLock(d.lock))
}
