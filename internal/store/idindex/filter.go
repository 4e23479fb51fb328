package idindex

import (
	"errors"
	"hash/maphash"
	"math"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/brokle-ai/brokle-go/internal/bloom"
)

const (
	firstGeneration = 1 << 20  // bytes
	maxGeneration   = 16 << 20 // bytes
	maxFilter       = 63 << 20 // bytes, of all generations
	filterBitsPerID = 10       // about 1 false alarm in 60
	filterProbes    = 6
	// filterSlack is how far a caller's clock may lag behind the index's.
	filterSlack = minuteMicros
	filterMaxID = maxFilter * 8 / filterBitsPerID
)

// filter stands in memory before Pebble and proves of most new ids that they
// are not marked, in a tenth of the time that Pebble's own filters need. It is
// a row of Bloom filters, each for the ids of some stretch of time: one is
// dropped when all its marks have expired, and its memory is given back. When
// more ids are marked within their ttl than fit (about 52 million), the oldest
// is dropped early, and the filter proves nothing until the marks it stood
// for have expired: look-ups are slower then, never wrong.
type filter struct {
	seed  maphash.Seed
	state atomic.Pointer[cover]

	// The writer's, guarded by Index.mu.
	lost   int64 // the last expiry of marks that were dropped early
	unread int64 // the last expiry of marks from before Open that are not read in yet
}

// cover is one state of the filter. It does not change, only bits get set.
type cover struct {
	gens   []*generation
	proves int64 // from this time on, what no generation holds is not marked
}

// generation is one Bloom filter.
type generation struct {
	*bloom.Filter
	room    int   // ids that may still be added; the writer's
	expires int64 // the last expiry of its ids; the writer's
}

func newFilter() *filter {
	f := &filter{seed: maphash.MakeSeed()}
	f.state.Store(&cover{})
	return f
}

func newGeneration(size int) *generation {
	return &generation{Filter: bloom.New(size/bloom.LineBytes, filterProbes), room: size * 8 / filterBitsPerID}
}

func (f *filter) hash(key []byte) uint64 { return maphash.Bytes(f.seed, key) }

// covers returns the filter's state if it proves anything at now, else nil.
func (f *filter) covers(now int64) *cover {
	if c := f.state.Load(); now >= c.proves {
		return c
	}
	return nil
}

// absent says that nothing with this hash was added.
func (c *cover) absent(h uint64) bool {
	for i := len(c.gens) - 1; i >= 0; i-- {
		if c.gens[i].Has(h) {
			return false
		}
	}
	return true
}

// add adds a mark's hash. It comes before the mark is visible in Pebble.
func (f *filter) add(h uint64, expires, now int64) {
	gens := f.state.Load().gens
	if len(gens) == 0 || gens[len(gens)-1].room <= 0 {
		gens = f.grow(gens, now)
	}
	g := gens[len(gens)-1]
	g.expires = max(g.expires, expires)
	g.Add(h)
	g.room--
}

// grow drops what has expired, makes room, and adds a generation.
func (f *filter) grow(old []*generation, now int64) []*generation {
	size, total := firstGeneration, 0
	var gens []*generation
	for _, g := range old {
		size = min(maxGeneration, 2*g.Bytes())
		if g.expires+filterSlack > now {
			gens = append(gens, g)
			total += g.Bytes()
		}
	}
	for total+size > maxFilter {
		f.lost = max(f.lost, gens[0].expires)
		total -= gens[0].Bytes()
		gens = gens[1:]
	}
	gens = append(gens, newGeneration(size))
	f.publish(gens)
	return gens
}

func (f *filter) publish(gens []*generation) {
	f.state.Store(&cover{gens: gens, proves: max(f.lost, f.unread)})
}

// readIn starts filling the filter with the marks that were there before Open.
// Until that is done, or all of them have expired, the filter proves nothing.
func (x *Index) readIn() error {
	last, err := x.lastExpiry()
	if err != nil || last == math.MinInt64 {
		close(x.readInDone)
		return err
	}
	x.mu.Lock()
	x.filter.unread = last
	x.filter.publish(nil)
	x.mu.Unlock()
	if x.marks.Load() > filterMaxID {
		close(x.readInDone)
		return nil
	}
	it, err := x.db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{format, kindMark}, UpperBound: kindEnd(kindMark),
	})
	if err != nil {
		close(x.readInDone)
		return err
	}
	go func() {
		defer close(x.readInDone)
		if err := errors.Join(x.readMarks(it), it.Close()); err != nil {
			x.log.Warn("the id index's filter stays off until old marks expire", "error", err)
		}
	}()
	return nil
}

// lastExpiry is when the last mark will have expired, math.MinInt64 without marks.
func (x *Index) lastExpiry() (int64, error) {
	it, err := x.db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{format, kindMarkDue}, UpperBound: kindEnd(kindMarkDue),
	})
	if err != nil {
		return 0, err
	}
	last := int64(math.MinInt64)
	if it.Last() {
		last = dueKeyMinute(it.Key()) * minuteMicros
	}
	return last, errors.Join(it.Error(), it.Close())
}

// readMarks adds every mark of it to the filter, some at a time, and then lets
// the filter prove. It ends early, without that, when the index closes.
func (x *Index) readMarks(it *pebble.Iterator) error {
	type mark struct {
		hash    uint64
		expires int64
	}
	chunk := make([]mark, 0, 256)
	flush := func() {
		now := x.now().UnixMicro()
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, m := range chunk {
			if live(m.expires, now-filterSlack) {
				x.filter.add(m.hash, m.expires, now)
			}
		}
		chunk = chunk[:0]
	}
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		expires, err := parseExpiry(v)
		if err != nil {
			return err
		}
		if chunk = append(chunk, mark{x.filter.hash(it.Key()), expires}); len(chunk) == cap(chunk) {
			flush()
			if x.closing.Load() {
				return nil
			}
		}
	}
	flush()
	if err := it.Error(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.filter.unread = 0
	x.filter.publish(x.filter.state.Load().gens)
	return nil
}
