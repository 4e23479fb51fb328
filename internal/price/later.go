package price

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Later makes books when they are asked for the first time, and forgets those that were not asked for long: it keeps books of together at
// most so many own prices, and always the last. It is safe for concurrent use.
type Later struct {
	most int
	mu   sync.Mutex // guards what follows
	kept []*later   // whose books are made; those that came first are looked at first
	size int        // own prices in kept
}

// NewLater keeps at most so many own prices.
func NewLater(most int) *Later { return &Later{most: most} }

// later is a book that is made when it is asked.
type later struct {
	keeper *Later
	own    func() ([]Own, error)
	base   *Book
	is     atomic.Pointer[Book] // nil: it is not made
	asked  atomic.Bool          // since the keeper looked at it
	size   int                  // guarded by the keeper's mu: own prices in it
}

// Over is a book with own prices of one project, or of all, before base: own makes them, the same each time. When it fails the book prices
// nothing: what base says is not what holds.
func (k *Later) Over(base *Book, own func() ([]Own, error)) *Book {
	return &Book{version: base.version, text: base.text, later: &later{keeper: k, own: own, base: base}}
}

// made is the book that prices.
func (b *Book) made() *Book {
	if b.later == nil {
		return b
	}
	l := b.later
	if is := l.is.Load(); is != nil {
		if !l.asked.Load() {
			l.asked.Store(true)
		}
		return is
	}
	return l.keeper.make(l)
}

func (k *Later) make(l *later) *Book {
	k.mu.Lock()
	defer k.mu.Unlock()
	if is := l.is.Load(); is != nil {
		return is
	}
	list, err := l.own()
	is := &Book{version: l.base.version, text: l.base.text, broken: true}
	if err == nil {
		project := ""
		if len(list) > 0 {
			project = list[0].Project
		}
		is = NewPrices(l.base, list).For(project)
	}
	l.size = len(list)
	k.forget(k.most - l.size)
	l.is.Store(is)
	k.kept, k.size = append(k.kept, l), k.size+l.size
	return is
}

// forget makes room: no more than most own prices stay, and first go those that were not asked since they were looked at last.
func (k *Later) forget(most int) {
	for len(k.kept) > 0 && k.size > most {
		l := k.kept[0]
		k.kept = slices.Delete(k.kept, 0, 1)
		if l.asked.Swap(false) {
			k.kept = append(k.kept, l)
			continue
		}
		l.is.Store(nil)
		k.size -= l.size
	}
}
