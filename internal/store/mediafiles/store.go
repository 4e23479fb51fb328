package mediafiles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// FormatVersion is the version of the names of files.
const FormatVersion = 1

const (
	tmpDir        = "tmp"
	projectPrefix = "project-" // a project may be named ".."
	shardLength   = 2          // characters of a hash
)

var _ store.Media = (*Store)(nil)

// Store is a directory of media. Its methods may be called concurrently.
type Store struct {
	fs  vfs.FS
	dir string

	mu      sync.Mutex // guards all below
	held    map[key]*holding
	watches map[*watch]bool
	temps   int
	stats   store.MediaStats
}

// key is what a medium is known by.
type key struct{ project, hash string }

// holding is a medium that somebody works with.
type holding struct {
	mu sync.Mutex // who changes the file has it
	n  int        // how many hold it; guarded by Store.mu
}

// Open opens the directory, which is made. on is the file system; nil is the operating system's.
func Open(on vfs.FS, dir string) (*Store, error) {
	if on == nil {
		on = vfs.Default
	}
	s := &Store{fs: on, dir: dir, held: map[key]*holding{}, watches: map[*watch]bool{}}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open media: %w", errors.Join(err))
	}
	return s, nil
}

// open removes what a crash left, and makes every name durable that is there: one may be that was not when the crash came.
func (s *Store) open() error {
	tmp := s.path(tmpDir)
	if err := s.makeDir(s.dir); err != nil {
		return err
	}
	if err := s.makeDir(tmp); err != nil {
		return err
	}
	left, err := s.fs.List(tmp)
	for _, name := range left {
		err = errors.Join(err, s.fs.Remove(s.path(tmpDir, name)))
	}
	if err != nil {
		return err
	}
	projects, err := s.Projects()
	for _, project := range projects {
		shards, listed := s.fs.List(s.path(projectPrefix + project))
		err = errors.Join(err, listed)
		for _, shard := range shards {
			err = errors.Join(err, durable.SyncDirIn(s.fs, s.path(projectPrefix+project, shard)))
		}
		err = errors.Join(err, durable.SyncDirIn(s.fs, s.path(projectPrefix+project)))
	}
	return errors.Join(err, durable.SyncDirIn(s.fs, s.dir))
}

func (s *Store) path(names ...string) string {
	return s.fs.PathJoin(append([]string{s.dir}, names...)...)
}

// makeDir makes a directory whose parent is there, and its name durable.
func (s *Store) makeDir(dir string) error {
	if _, err := s.fs.Stat(dir); err == nil {
		return nil
	}
	if err := s.fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return durable.SyncDirIn(s.fs, s.fs.PathDir(dir))
}

// shardOf is the directory that a medium is in.
func (s *Store) shardOf(k key) string {
	return s.path(projectPrefix+k.project, k.hash[:shardLength])
}

func nameOf(hash string, until time.Time) string {
	return hash + "-" + strconv.FormatInt(until.Unix(), 10)
}

// parseName reads the name of a file.
func parseName(name string) (n store.MediumName, ok bool) {
	hash, seconds, _ := strings.Cut(name, "-")
	at, err := strconv.ParseInt(seconds, 10, 64)
	return store.MediumName{Hash: hash, Until: time.Unix(at, 0).UTC()}, err == nil && at >= 0 && medium.ValidHash(hash)
}

// find is the name of a medium's file; "" when there is none.
func (s *Store) find(k key) (name string, until time.Time, err error) {
	names, err := s.fs.List(s.shardOf(k))
	if errors.Is(err, fs.ErrNotExist) {
		return "", until, nil
	}
	for _, is := range names {
		if n, ok := parseName(is); ok && n.Hash == k.hash {
			return is, n.Until, err
		}
	}
	return "", until, err
}

// OpenMedium implements store.Media.
func (s *Store) OpenMedium(project, hash string) (*store.MediumFile, error) {
	if !medium.ValidHash(hash) {
		return nil, fs.ErrNotExist
	}
	k := key{project, hash}
	const tries = 3 // it may get a later name between two steps
	var err error
	for range tries {
		name, until, failed := s.find(k)
		if failed != nil {
			return nil, fmt.Errorf("open medium: %w", errors.Join(failed))
		}
		if name == "" {
			return nil, fs.ErrNotExist
		}
		var f *store.MediumFile
		if f, err = s.openFile(s.fs.PathJoin(s.shardOf(k), name)); err == nil {
			f.MediumName = store.MediumName{Hash: hash, Until: until}
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, fmt.Errorf("open medium: %w", errors.Join(err))
}

func (s *Store) openFile(path string) (*store.MediumFile, error) {
	f, err := s.fs.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &store.MediumFile{SectionReader: io.NewSectionReader(f, 0, info.Size()), Closer: f}, nil
}

// Projects implements store.Media.
func (s *Store) Projects() ([]string, error) {
	names, err := s.fs.List(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list media: %w", errors.Join(err))
	}
	var projects []string
	for _, name := range names {
		if project, is := strings.CutPrefix(name, projectPrefix); is {
			projects = append(projects, project)
		}
	}
	return projects, nil
}

// Shard implements store.Media.
func (s *Store) Shard(project string, n int) ([]store.MediumName, error) {
	names, err := s.fs.List(s.path(projectPrefix+project, fmt.Sprintf("%02x", n)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list media: %w", errors.Join(err))
	}
	var all []store.MediumName
	for _, name := range names {
		if is, ok := parseName(name); ok {
			all = append(all, is)
		}
	}
	return all, nil
}

// Stats counts since Open.
func (s *Store) Stats() store.MediaStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
