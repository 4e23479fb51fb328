package segmentlog

import (
	"sort"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// tail keeps the newest blocks in memory, decoded and with the rows that were read
// at acceptance, for followers that keep up.
type tail struct {
	limit int64 // bytes

	mu     sync.RWMutex // guards all below
	bytes  int64
	after  entity.Seq // the tail holds everything behind this Seq
	blocks []*block   // of jobs: the header only
	front  int        // index in blocks of the oldest
}

// push adds a block that follows the one pushed before.
func (t *tail) push(b *block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blocks = append(t.blocks, b)
	t.bytes += b.cost
	for t.bytes > t.limit {
		old := t.blocks[t.front]
		t.after = old.last()
		t.bytes -= old.cost
		t.blocks[t.front] = nil
		t.front++
	}
	if t.front > len(t.blocks)/2 {
		n := copy(t.blocks, t.blocks[t.front:])
		clear(t.blocks[n:])
		t.blocks, t.front = t.blocks[:n], 0
	}
}

// from is the blocks from the one on that holds seq, or is the next one. The lock is the caller's.
func (t *tail) from(seq entity.Seq) []*block {
	blocks := t.blocks[t.front:]
	return blocks[sort.Search(len(blocks), func(i int) bool { return blocks[i].last() >= seq }):]
}

// read returns up to limit records after a Seq that are shown and where to go on, or false when the tail
// begins later than that.
func (t *tail) read(after entity.Seq, limit int, c *store.Cutoffs) (recs []entity.Record, upto entity.Seq, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if after < t.after {
		return nil, after, false
	}
	blocks, n := t.from(after+1), 0
	for i := 0; i < len(blocks) && n < limit; i++ {
		n += len(blocks[i].events)
	}
	recs, upto = make([]entity.Record, 0, min(n, limit)), after
	for _, b := range blocks {
		if recs, upto = b.appendRecords(recs, after, limit-len(recs), c); upto < b.last() {
			break
		}
	}
	return recs, upto, true
}

// next returns the block that holds seq, or is the next one; nil when there is none. known is false when the tail begins later.
func (t *tail) next(seq entity.Seq) (b *block, known bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if seq <= t.after {
		return nil, false
	}
	if blocks := t.from(seq); len(blocks) > 0 {
		return blocks[0], true
	}
	return nil, true
}

// erase drops the records at seqs.
func (t *tail) erase(seqs map[entity.Seq]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := t.front; i < len(t.blocks); i++ {
		b := t.blocks[i]
		for at := range b.events {
			if !seqs[b.first+entity.Seq(at)] {
				continue
			}
			if b == t.blocks[i] { // readers of the old block go on with theirs
				changed := *b
				changed.erased = b.erased.own(len(b.events))
				t.blocks[i] = &changed
			}
			t.blocks[i].erased.set(at)
		}
	}
}
