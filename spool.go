package brokle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// spool keeps undelivered batches as files, one request body each, named
// <ULID>-<events>.json so that their order and number are known unread.
//
//	dir/<hash of host and key>/<ULID of the process>/lock
//	dir/<hash of host and key>/<ULID of the process>/<ULID>-<events>.json
//
// A process owns its directory by the lock on the lock file, which the system lets go when the
// process ends in whatever way; a process that starts takes over what the dead have left.
// Files are not synced: they outlive the process, not the machine.
type spool struct {
	dir  string
	lock *os.File
	max  int64

	changed  chan struct{} // capacity 1: there is a new file
	draining chan struct{} // closed when no new file will come
	own      atomic.Int64  // files of this process's events: newer ones must go behind them

	mu    sync.Mutex // guards all below
	files []*spoolFile
	bytes int64
	why   DropReason // why the last batch was not taken
}

// spoolFile is one batch on disk.
type spoolFile struct {
	path   string
	events int
	bytes  int64
	own    bool
	epochs []*epoch // one per event
	left   int      // events without an outcome; guarded by processor.mu
}

const lockName = "lock"

// openSpool makes this process's directory below dir.
func openSpool(dir string, limit int64) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("brokle: open spool: %w", err)
	}
	s := &spool{max: limit, changed: make(chan struct{}, 1), draining: make(chan struct{})}
	// The lock is taken before the directory has a name that others look at.
	name := NewID()
	hidden := filepath.Join(dir, ".new-"+name)
	if err := os.Mkdir(hidden, 0o700); err != nil {
		return nil, fmt.Errorf("brokle: open spool: %w", err)
	}
	lock, err := takeLock(filepath.Join(hidden, lockName), true)
	if err == nil {
		s.dir = filepath.Join(dir, name)
		err = os.Rename(hidden, s.dir)
	}
	if err == nil {
		s.lock = lock
		err = s.takeOver(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("brokle: open spool: %w", err)
	}
	return s, nil
}

// spoolHome is the part of the spool directory that belongs to one server and key:
// events of one project must never reach another.
func spoolHome(cfg *Config) string {
	sum := sha256.Sum256([]byte(cfg.Host + "\n" + cfg.APIKey))
	return filepath.Join(cfg.SpoolDir, hex.EncodeToString(sum[:8]))
}

// takeOver moves the files of processes that have ended into this one's directory.
func (s *spool) takeOver(home string) error {
	dirs, err := os.ReadDir(home)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		old := filepath.Join(home, d.Name())
		if old == s.dir || !d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			continue
		}
		lock, err := takeLock(filepath.Join(old, lockName), false)
		if err != nil { // its owner lives, or someone else was first
			continue
		}
		err = s.moveFrom(old)
		lock.Close()
		if err != nil {
			return err
		}
	}
	slices.SortFunc(s.files, func(a, b *spoolFile) int { return strings.Compare(a.path, b.path) })
	return nil
}

func (s *spool) moveFrom(old string) error {
	names, err := os.ReadDir(old)
	if err != nil {
		return err
	}
	for _, f := range names {
		base, isBatch := strings.CutSuffix(f.Name(), ".json")
		_, count, _ := strings.Cut(base, "-")
		events, err := strconv.Atoi(count)
		if !isBatch || err != nil || events < 1 {
			continue
		}
		path := filepath.Join(s.dir, f.Name())
		if err := os.Rename(filepath.Join(old, f.Name()), path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		s.files = append(s.files, &spoolFile{path: path, events: events, bytes: info.Size()})
		s.bytes += info.Size()
	}
	return os.RemoveAll(old)
}

// active says whether events of this process wait on disk.
func (s *spool) active() bool { return s != nil && s.own.Load() > 0 }

// write makes a file of b, without announcing it. Nil when there is no room or the disk fails.
func (s *spool) write(b *batch) *spoolFile {
	n := int64(len(b.body))
	s.mu.Lock()
	if s.bytes+n > s.max {
		s.why = DropSpoolFull
		s.mu.Unlock()
		return nil
	}
	s.bytes += n
	s.mu.Unlock()
	f := &spoolFile{path: filepath.Join(s.dir, fmt.Sprintf("%s-%d.json", NewID(), len(b.items))), events: len(b.items), bytes: n, own: true}
	tmp := strings.TrimSuffix(f.path, ".json") + ".tmp"
	err := os.WriteFile(tmp, b.body, 0o600)
	if err == nil {
		err = os.Rename(tmp, f.path)
	}
	if err != nil {
		_ = os.Remove(tmp) // the first error counts
		s.mu.Lock()
		s.bytes -= n
		s.why = DropSpoolError
		s.mu.Unlock()
		return nil
	}
	for i := range b.items {
		f.epochs = append(f.epochs, b.items[i].epoch)
	}
	return f
}

// add announces a file.
func (s *spool) add(f *spoolFile) {
	s.mu.Lock()
	s.files = append(s.files, f)
	s.mu.Unlock()
	s.own.Add(1)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// head is the oldest file, or nil.
func (s *spool) head() *spoolFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.files) == 0 {
		return nil
	}
	return s.files[0]
}

// remove deletes the oldest file, which is f.
func (s *spool) remove(f *spoolFile) error {
	s.mu.Lock()
	s.files = slices.Delete(s.files, 0, 1)
	s.bytes -= f.bytes
	s.mu.Unlock()
	if f.own {
		s.own.Add(-1)
	}
	return os.Remove(f.path)
}

func (s *spool) refusal() DropReason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// drain says that no new file will come.
func (s *spool) drain() { close(s.draining) }

// close lets the directory go, and removes it when nothing is left in it.
func (s *spool) close() error {
	var err error
	if s.head() == nil {
		err = os.RemoveAll(s.dir)
	}
	return errors.Join(err, s.lock.Close())
}
