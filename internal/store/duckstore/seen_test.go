package duckstore

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
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
