// Package recent remembers what was used last, within a bound.
package recent

import "container/list"

// Map is a map of bounded size that forgets what was longest not got.
type Map[K comparable, V any] struct {
	most  int
	items map[K]*list.Element
	order *list.List // of entry; the latest first
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// New returns an empty Map for at most so many keys.
func New[K comparable, V any](most int) Map[K, V] {
	return Map[K, V]{most: most, items: map[K]*list.Element{}, order: list.New()}
}

// Get finds a value, which is the latest then.
func (m *Map[K, V]) Get(k K) (v V, ok bool) {
	e, ok := m.items[k]
	if !ok {
		return v, false
	}
	m.order.MoveToFront(e)
	return e.Value.(entry[K, V]).value, true
}

// Put adds a key that is not there.
func (m *Map[K, V]) Put(k K, v V) {
	if len(m.items) >= m.most {
		last := m.order.Back()
		delete(m.items, last.Value.(entry[K, V]).key)
		m.order.Remove(last)
	}
	m.items[k] = m.order.PushFront(entry[K, V]{k, v})
}

// Len is how many keys there are.
func (m *Map[K, V]) Len() int { return m.order.Len() }

// Values are all that are there, the latest first.
func (m *Map[K, V]) Values() []V {
	all := make([]V, 0, m.order.Len())
	for e := m.order.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(entry[K, V]).value)
	}
	return all
}
