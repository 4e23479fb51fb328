package price

import (
	"strings"
	"sync"
)

// Names of calls come from outside: so many of them are remembered, and none that is longer.
const (
	mostNames   = 4096
	longestName = 512
)

// memo remembers what the names of calls match. It forgets all when it is full.
type memo struct {
	mu    sync.RWMutex // guards known
	known map[names]*matched
}

type names struct{ provider, answered, asked string }

// matched is the models that a call may be of, the best first, and why there is none.
type matched struct {
	found  []found
	reason Reason // Priced when there is one
}

// found is a model, and how a name led to it.
type found struct {
	model *model
	name  string // of the call
	as    string // in the book's spelling
	rule  string
}

func newMemo() memo { return memo{known: map[names]*matched{}} }

func (m *memo) find(b *Book, c *Call) *matched {
	key := names{c.Provider, c.Answered, c.Asked}
	m.mu.RLock()
	known := m.known[key]
	m.mu.RUnlock()
	if known != nil {
		return known
	}
	if len(key.provider) > longestName || len(key.answered) > longestName || len(key.asked) > longestName {
		return &matched{reason: NoPrice}
	}
	key = names{strings.Clone(key.provider), strings.Clone(key.answered), strings.Clone(key.asked)} // the caller's memory may be used again
	known = b.match(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= mostNames {
		clear(m.known)
	}
	m.known[key] = known
	return known
}
