package segmentlog

import (
	"sort"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// tail keeps the newest records in memory, with the fields that were extracted
// at acceptance, for followers that keep up.
type tail struct {
	limit int64 // bytes

	mu     sync.RWMutex // guards all below
	bytes  int64
	after  entity.Seq // the tail holds everything behind this Seq
	blocks []tailBlock
	front  int // index in blocks of the oldest
}

type tailBlock struct {
	last entity.Seq
	recs []entity.Record // those that can be read; never changed in place
	cost int64
}

// push adds a block that follows the one pushed before.
func (t *tail) push(b tailBlock) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blocks = append(t.blocks, b)
	t.bytes += b.cost
	for t.bytes > t.limit {
		old := &t.blocks[t.front]
		t.after = old.last
		t.bytes -= old.cost
		*old = tailBlock{}
		t.front++
	}
	if t.front > len(t.blocks)/2 {
		n := copy(t.blocks, t.blocks[t.front:])
		clear(t.blocks[n:])
		t.blocks, t.front = t.blocks[:n], 0
	}
}

// read returns up to limit records after a Seq and where to go on, or false when the tail
// begins later than that.
func (t *tail) read(after entity.Seq, limit int) (recs []entity.Record, upto entity.Seq, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if after < t.after {
		return nil, after, false
	}
	blocks := t.blocks[t.front:]
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].last > after })
	n := 0
	for j := i; j < len(blocks) && n < limit; j++ {
		n += len(blocks[j].recs)
	}
	recs = make([]entity.Record, 0, min(n, limit))
	upto = after
	for ; i < len(blocks); i++ {
		from := blocks[i].recs
		from = from[sort.Search(len(from), func(k int) bool { return from[k].Seq > after }):]
		if room := limit - len(recs); len(from) > room {
			if room > 0 {
				recs = append(recs, from[:room]...)
				upto = recs[len(recs)-1].Seq
			}
			return recs, upto, true
		}
		recs = append(recs, from...)
		upto = blocks[i].last
	}
	return recs, upto, true
}

// get returns the record at seq. known is false when the tail begins later.
func (t *tail) get(seq entity.Seq) (rec entity.Record, found, known bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if seq <= t.after {
		return rec, false, false
	}
	blocks := t.blocks[t.front:]
	i := sort.Search(len(blocks), func(i int) bool { return blocks[i].last >= seq })
	if i == len(blocks) {
		return rec, false, true
	}
	recs := blocks[i].recs
	k := sort.Search(len(recs), func(k int) bool { return recs[k].Seq >= seq })
	if k == len(recs) || recs[k].Seq != seq {
		return rec, false, true
	}
	return recs[k], true, true
}

// erase drops the records at seqs.
func (t *tail) erase(seqs map[entity.Seq]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := t.front; i < len(t.blocks); i++ {
		b := &t.blocks[i]
		var kept []entity.Record
		for _, r := range b.recs {
			if !seqs[r.Seq] {
				kept = append(kept, r)
			}
		}
		if len(kept) != len(b.recs) {
			b.recs = kept // readers of the old slice go on with theirs
		}
	}
}
