package duckstore

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A key that was added is never new, and few of those that were not seem old: each of these takes its entity the long way.
func TestSeenIsSeldomWrong(t *testing.T) {
	t.Parallel()
	rng := chance.From(chance.Seed(t), 21)
	const n = 1_000_000
	s, wrong := newSeen(64<<20), 0
	keys := make([]uint64, n)
	for i := range keys {
		if keys[i] = rng.Uint64(); s.add(keys[i]) {
			wrong++
		}
	}
	for _, key := range keys {
		if !s.has(key) {
			t.Fatal("a key was forgotten")
		}
	}
	if wrong > n/10_000 {
		t.Errorf("%d of %d new keys seemed old, want at most one in 10 000", wrong, n)
	}
}

// What was removed leaves the filter when there is much of it, also while questions have the room reclaimed by checkpoints of their own.
func TestSeenLosesWhatIsRemoved(t *testing.T) {
	t.Parallel()
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // the test is over
	const n = 2000
	recs := newGenerator(1).next(n)
	if err := insertNow(t.Context(), w, recs); err != nil {
		t.Fatal(err)
	}
	seen := w.seen
	w.forgotten = forgetAfter - n // as if so many had been removed before
	if err := w.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := store.Cutoffs{Now: time.Now().AddDate(10, 0, 0), Retention: store.Retention{Default: time.Hour}}
	if removed, err := w.Expire(t.Context(), c); err != nil || removed != n {
		t.Fatalf("%d removed, %v", removed, err)
	}
	if w.forgotten != 0 || w.seen == seen {
		t.Errorf("the filter has the keys of %d removed events, and is the same: %v", w.forgotten, w.seen == seen)
	}
}
