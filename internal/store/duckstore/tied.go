package duckstore

import (
	"sync"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// kindSet is a set of kinds.
type kindSet uint8

func (s kindSet) has(k store.Kind) bool { return s&(1<<k) != 0 }

// tiedKinds knows the kinds that have ties, by project. It may name more than
// there are: that costs time, nothing else. It is safe for concurrent use.
type tiedKinds struct {
	mu   sync.Mutex
	sets map[string]kindSet
}

func (t *tiedKinds) of(project string) kindSet {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sets[project]
}

func (t *tiedKinds) add(project string, k store.Kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sets == nil {
		t.sets = make(map[string]kindSet)
	}
	t.sets[project] |= 1 << k
}
