package duckstore

import (
	"cmp"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// entityKey names an entity, and the bundle of its events.
type entityKey struct {
	project string
	kind    entity.Kind
	trace   string // of an observation, "" when it is in none
	id      string
}

func traceKey(project, id string) entityKey { return entityKey{project, entity.TraceKind, "", id} }

// all names, as a key of heads, all observations with the id of one; of anything else it is the key.
func (k entityKey) all() entityKey {
	k.trace = ""
	return k
}

// in is the key of the observation with the id that is in a trace.
func (k entityKey) in(trace string) entityKey {
	k.trace = trace
	return k
}

func compareKeys(a, b entityKey) int {
	return cmp.Or(strings.Compare(a.project, b.project), strings.Compare(a.id, b.id), strings.Compare(a.trace, b.trace))
}

// cache keeps what was touched last, so that what is updated soon after it was made is
// not read again. It has two generations: when the young one is full it becomes the old
// one, and what was in the old one is forgotten. It must hold what the tables hold: who
// fails to write forgets all.
type cache[V interface{ weigh() int }] struct {
	young, old map[entityKey]V
	weight     int // of the young
	most       int
}

func newCache[V interface{ weigh() int }](most int) *cache[V] {
	return &cache[V]{young: map[entityKey]V{}, most: most / 2}
}

func (c *cache[V]) get(k entityKey) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	return v, ok
}

func (c *cache[V]) put(k entityKey, v V) {
	n := v.weigh()
	if n > c.most {
		delete(c.young, k)
		delete(c.old, k)
		return // it alone would drive out everything
	}
	if c.weight += n; c.weight > c.most {
		c.old, c.young, c.weight = c.young, make(map[entityKey]V), n
	}
	c.young[k] = v
}

func (c *cache[V]) drop(k entityKey) {
	delete(c.young, k)
	delete(c.old, k)
}
