package segmentlog

import (
	"container/list"
	"sync"
)

// blockCache keeps decoded blocks, the least recently used leave first.
type blockCache struct {
	limit int64 // bytes

	mu    sync.Mutex // guards all below
	bytes int64
	byKey map[blockKey]*list.Element
	lru   *list.List // of cachedBlock, the least recently used in front
}

// blockKey names a block: a segment's identity, which a rewritten segment does
// not share with what it replaces, and the offset.
type blockKey struct {
	segment uint64
	off     int64
}

type cachedBlock struct {
	key   blockKey
	block *block
}

func newBlockCache(limit int64) *blockCache {
	return &blockCache{limit: limit, byKey: map[blockKey]*list.Element{}, lru: list.New()}
}

func (c *blockCache) get(key blockKey) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.lru.MoveToBack(e)
	return e.Value.(cachedBlock).block
}

// put keeps b, unless it would take more than half of the cache.
func (c *blockCache) put(key blockKey, b *block) {
	if b.cost > c.limit/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil {
		return
	}
	c.byKey[key] = c.lru.PushBack(cachedBlock{key, b})
	c.bytes += b.cost
	for c.bytes > c.limit {
		c.remove(c.lru.Front())
	}
}

// drop forgets the blocks of a segment.
func (c *blockCache) drop(segment uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.byKey {
		if key.segment == segment {
			c.remove(e)
		}
	}
}

func (c *blockCache) remove(e *list.Element) {
	b := c.lru.Remove(e).(cachedBlock)
	delete(c.byKey, b.key)
	c.bytes -= b.block.cost
}
