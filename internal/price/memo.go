package price

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Names of calls come from outside: so many of them are remembered, and none that is longer.
const (
	mostNames   = 4096
	longestName = 512
)

// memo remembers what the names of calls match. It forgets all when it is full. Before it stand names that were asked lately, each at the
// place that some of its letters say: most calls find theirs there, without a lock and without a hash of all letters.
type memo struct {
	lately [latelyAsked]atomic.Pointer[remembered]
	mu     sync.RWMutex // guards known
	known  map[names]*remembered
}

// latelyAsked is how many names stand before the memo; a power of 2.
const latelyAsked = 64

type names struct{ provider, answered, asked string }

// place is where the names stand among those that were asked lately.
func (n *names) place() uint32 {
	name := n.answered
	if name == "" {
		name = n.asked
	}
	h := uint32(len(name)) + uint32(len(n.provider))<<8 + uint32(len(n.asked))<<16
	for i := max(0, len(name)-6); i < len(name); i++ { // what tells versions and sizes apart stands at the end
		h = h*31 + uint32(name[i])
	}
	return (h * 0x9e3779b1) / (1 << 32 / latelyAsked)
}

// remembered is names and what they match. It does not change.
type remembered struct {
	names
	is matched
}

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

func newMemo() memo { return memo{known: map[names]*remembered{}} }

func (m *memo) find(b *Book, c *Call) *matched {
	key := names{c.Provider, c.Answered, c.Asked}
	at := &m.lately[key.place()]
	if known := at.Load(); known != nil && known.names == key {
		return &known.is
	}
	m.mu.RLock()
	known := m.known[key]
	m.mu.RUnlock()
	if known == nil {
		if len(key.provider) > longestName || len(key.answered) > longestName || len(key.asked) > longestName {
			return &matched{reason: NoPrice}
		}
		known = m.remember(b, names{strings.Clone(key.provider), strings.Clone(key.answered), strings.Clone(key.asked)}) // the caller's memory may be used again
	}
	at.Store(known)
	return &known.is
}

// remember finds what names match, and keeps it.
func (m *memo) remember(b *Book, key names) *remembered {
	known := &remembered{key, b.match(key)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= mostNames {
		clear(m.known)
	}
	m.known[key] = known
	return known
}
