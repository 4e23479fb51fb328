package duckstore

import (
	"hash/maphash"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// seen remembers which keys were inserted, approximately: it never forgets
// one, and takes a new key for an old one about once in 10 000 until its
// memory bound is reached, more often beyond it. So the exact look-up that an
// idempotent insert needs is made only for the few keys that seem old.
//
// It is a row of Bloom filters, the first of them each larger than the one before. It is not
// safe for concurrent use.
type seen struct {
	seed    maphash.Seed
	filters []filter
	lines   int // in all filters
	max     int // lines
}

type filter struct {
	*bloom.Filter
	room int // keys until the filter is full
}

const (
	keysPerLine = 16 // 32 bits a key
	bitsPerKey  = 7
	firstLines  = 1 << 13 // 512 KiB
	mostLines   = 1 << 17 // 8 MiB
)

func newSeen(maxBytes int) *seen {
	s := &seen{seed: maphash.MakeSeed(), max: max(maxBytes/bloom.LineBytes, firstLines)}
	s.grow()
	return s
}

// grow adds a filter twice as large as the last, up to mostLines, or as large as is allowed. At
// the bound it changes nothing: the last filter then takes all keys.
func (s *seen) grow() {
	n := firstLines
	if len(s.filters) > 0 {
		n = 2 * s.filters[len(s.filters)-1].Bytes() / bloom.LineBytes
	}
	n = min(n, mostLines, s.max-s.lines)
	if n <= 0 {
		return
	}
	s.lines += n
	s.filters = append(s.filters, filter{bloom.New(n, bitsPerKey), n * keysPerLine})
}

// add puts the key in and says whether it seemed to be there.
func (s *seen) add(key uint64) bool {
	old := len(s.filters) - 1
	for i := range old {
		if s.filters[i].Has(key) {
			return true
		}
	}
	f := &s.filters[old]
	if f.Add(key) {
		return true
	}
	if f.room--; f.room == 0 {
		s.grow()
	}
	return false
}

// has says whether the key seems to be there.
func (s *seen) has(key uint64) bool {
	for i := range s.filters {
		if s.filters[i].Has(key) {
			return true
		}
	}
	return false
}

// factKey is the key of what factKey is the hash of, in a project.
func (s *seen) factKey(project string, fact uint64) uint64 {
	return mix(fact, maphash.String(s.seed, project))
}

// entityKey is the key of an entity.
func (s *seen) entityKey(project, id string, kind uint8) uint64 {
	return mix(maphash.String(s.seed, id), maphash.String(s.seed, project)+uint64(kind))
}

// callKey is a key of calls that may be twins.
func (s *seen) callKey(project string, key entity.Key) uint64 {
	return mix(maphash.Comparable(s.seed, key), maphash.String(s.seed, project))
}

// mix joins two keys; each bit of the result depends on both.
func mix(a, b uint64) uint64 {
	k := (a ^ b*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	k ^= k >> 32
	k *= 0xc4ceb9fe1a85ec53
	return k ^ k>>29
}
