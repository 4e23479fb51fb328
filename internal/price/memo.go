package price

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
)

// Names of calls come from outside: so many of them are remembered, and none that is longer.
const (
	mostNames   = 4096
	longestName = 512
)

// memo remembers what the names of calls match. It forgets all when it is full. Who finds names that are known takes no lock.
type memo struct {
	seed  maphash.Seed // nobody outside can make names whose hashes are alike
	table atomic.Pointer[nameTable]
	mu    sync.Mutex // held while something is put into the table
	n     int        // guarded by mu: names in it
}

// nameTable has names at the places of their hashes, or behind these. Half of it is empty, at least; its length is a power of 2.
type nameTable []atomic.Pointer[remembered]

const fewNames = 16

type names struct{ provider, answered, asked string }

// remembered is names and what they match. It does not change.
type remembered struct {
	names
	hash uint64
	is   matched
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

func (m *memo) init() {
	m.seed = maphash.MakeSeed()
	m.clear(fewNames)
}

func (m *memo) clear(size int) nameTable {
	t := make(nameTable, size)
	m.table.Store(&t)
	return t
}

func (m *memo) hash(n *names) uint64 {
	h := maphash.String(m.seed, n.answered)
	if n.provider != "" {
		h = bits.RotateLeft64(h, 21) ^ maphash.String(m.seed, n.provider)
	}
	if n.asked != "" {
		h = bits.RotateLeft64(h, 21) ^ maphash.String(m.seed, n.asked)
	}
	return h
}

// find is where the names are, or the empty place where they would be.
func (t nameTable) find(n *names, hash uint64) (*atomic.Pointer[remembered], *remembered) {
	for i := hash; ; i++ {
		at := &t[i&uint64(len(t)-1)]
		known := at.Load()
		if known == nil || known.hash == hash && known.names == *n {
			return at, known
		}
	}
}

func (m *memo) find(b *Book, c *Call) *matched {
	key := names{c.Provider, c.Answered, c.Asked}
	hash := m.hash(&key)
	if _, known := m.table.Load().find(&key, hash); known != nil {
		return &known.is
	}
	if len(key.provider) > longestName || len(key.answered) > longestName || len(key.asked) > longestName {
		return &matched{reason: NoPrice}
	}
	key = names{strings.Clone(key.provider), strings.Clone(key.answered), strings.Clone(key.asked)} // the caller's memory may be used again
	known := &remembered{key, hash, b.match(key)}
	m.remember(known)
	return &known.is
}

// remember puts names into the table, unless another did.
func (m *memo) remember(r *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := *m.table.Load()
	switch {
	case m.n >= mostNames:
		t, m.n = m.clear(fewNames), 0
	case 2*m.n >= len(t):
		t = m.grow(t)
	}
	if at, known := t.find(&r.names, r.hash); known == nil {
		at.Store(r)
		m.n++
	}
}

// grow makes the table twice as long.
func (m *memo) grow(old nameTable) nameTable {
	t := make(nameTable, 2*len(old))
	for i := range old {
		if r := old[i].Load(); r != nil {
			at, _ := t.find(&r.names, r.hash)
			at.Store(r)
		}
	}
	m.table.Store(&t)
	return t
}
