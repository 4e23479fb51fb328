package document

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// Store keeps documents that nodes share, by name, each in versions that count from 1. It is safe for concurrent use.
type Store interface {
	// DocumentVersions are the newest versions of all documents.
	DocumentVersions(ctx context.Context) (map[string]uint64, error)
	// Document is the newest version, 0 when there is none, and its text where that is another version than known.
	Document(ctx context.Context, name string, known uint64) (text []byte, version uint64, err error)
	// PutDocument makes text a version; false: another one was first.
	PutDocument(ctx context.Context, name string, version uint64, text []byte) (won bool, err error)
}

// ErrUnavailable is that of changes while the place that nodes share cannot be reached, or has not been yet.
var ErrUnavailable = errors.New("what all nodes share cannot be changed now")

const (
	// Every is how far apart looks for the changes of others are.
	Every = time.Second
	// changeTime bounds a change, and freshTime the wait for what is fresh.
	changeTime = 10 * time.Second
	freshTime  = 3 * time.Second
)

// Shared is the documents that a node shares with others. Before Run they are what the files say, and changes are changes of the files; from then on
// they are the Store's. A file that is not what the node has copied into it last is brought in once, by its join: it may be that of a node that was alone, or changed by hand.
type Shared struct {
	copies *copies
	logger *slog.Logger
	now    func() time.Time

	mu    sync.Mutex // guards what follows
	store Store      // nil before Run
	all   []*shared
	fault error     // of the last look
	at    time.Time // of the last look that succeeded
}

// NewShared reads which files in dir are copies, which is noted in the file "shared.json" there.
func NewShared(dir string, now func() time.Time, logger *slog.Logger) (*Shared, error) {
	c, err := readCopies(filepath.Join(dir, CopiesFile))
	if err != nil {
		return nil, err
	}
	return &Shared{copies: c, now: now, logger: logger, fault: errNotYet}, nil
}

var errNotYet = errors.New("it has not been asked yet")

// Join makes one text of that of a file and the shared one, which may be nil.
type Join func(own, shared []byte) ([]byte, error)

// Place is the document of a name, whose copy is in the file.
func (s *Shared) Place(name string, file File, join Join) Place {
	d := &shared{of: s, name: name, file: file, join: join, changed: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.all, func(is *shared) bool { return is.name == name }); i >= 0 {
		return s.all[i]
	}
	s.all = append(s.all, d)
	return d
}

// Run begins to share, and takes what other nodes change until ctx ends; then it returns nil.
func (s *Shared) Run(ctx context.Context, store Store) error {
	s.mu.Lock()
	s.store = store
	s.mu.Unlock()
	clock.Every(ctx, Every, func() { s.look(ctx) })
	return nil
}

// State is why the last look at the shared place failed, nil when it did not, and when one succeeded last; zero: none has yet.
func (s *Shared) State() (since time.Time, fault error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at, s.fault
}

func (s *Shared) shares() Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store
}

// look takes what has changed.
func (s *Shared) look(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, changeTime)
	defer cancel()
	began := s.now()
	versions, err := s.shares().DocumentVersions(bounded)
	s.mu.Lock()
	all := s.all
	s.mu.Unlock()
	for i := 0; err == nil && i < len(all); i++ {
		err = all[i].follow(bounded, versions[all[i].name])
	}
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.fault
	if s.fault = err; err == nil {
		s.at = began
	}
	switch {
	case err != nil && (had == nil || had == errNotYet && !errors.Is(err, ErrUnavailable)):
		s.logger.Warn("what all nodes share cannot be read: this node goes on with what it knew last", "error", err)
	case err == nil && had != nil:
		s.logger.Info("sharing with the other nodes what is kept beside the data", "documents", len(all))
	}
}

// unavailable is err as one of ErrUnavailable.
func unavailable(name string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, name, err)
}
