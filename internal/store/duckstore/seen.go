package duckstore

import "hash/maphash"

// seen remembers which keys were inserted, approximately: it never forgets
// one, and takes a new key for an old one about once in 50 000 until its
// memory bound is reached, more often beyond it. So the exact look-up that an
// idempotent insert needs is made only for the few keys that seem old.
//
// It is a row of blocked Bloom filters (F. Putze, P. Sanders, J. Singler,
// "Cache-, Hash- and Space-Efficient Bloom Filters", 2007), each larger than
// the one before. It is not safe for concurrent use.
type seen struct {
	seed    maphash.Seed
	filters []filter
	blocks  int // in all filters
	max     int // blocks
}

type filter struct {
	blocks [][blockWords]uint64
	room   int // keys until the filter is full
}

const (
	blockWords   = 8
	blockBytes   = blockWords * 8
	blockBits    = blockBytes * 8
	keysPerBlock = 16 // 32 bits a key
	bitsPerKey   = 7
	firstBlocks  = 1 << 13 // 512 KiB
)

func newSeen(maxBytes int) *seen {
	s := &seen{seed: maphash.MakeSeed(), max: max(maxBytes/blockBytes, firstBlocks)}
	s.grow()
	return s
}

// grow adds a filter twice as large as the last, or as large as is allowed. At
// the bound it changes nothing: the last filter then takes all keys.
func (s *seen) grow() {
	n := firstBlocks
	if len(s.filters) > 0 {
		n = 2 * len(s.filters[len(s.filters)-1].blocks)
	}
	n = min(n, s.max-s.blocks)
	if n <= 0 {
		return
	}
	s.blocks += n
	s.filters = append(s.filters, filter{blocks: make([][blockWords]uint64, n), room: n * keysPerBlock})
}

// add puts the key in and says whether it seemed to be there.
func (s *seen) add(key uint64) bool {
	old := len(s.filters) - 1
	for i := range old {
		if s.filters[i].has(key) {
			return true
		}
	}
	f := &s.filters[old]
	if f.put(key) {
		return true
	}
	if f.room--; f.room == 0 {
		s.grow()
	}
	return false
}

// place is the block of key, and where its bits stand: nine bits of hash each.
func (f *filter) place(key uint64) (b *[blockWords]uint64, bits uint64) {
	i := (key >> 32) * uint64(len(f.blocks)) >> 32
	return &f.blocks[i], mix(key, 1)
}

func (f *filter) has(key uint64) bool {
	b, bits := f.place(key)
	for range bitsPerKey {
		if b[bits%blockBits/64]&(1<<(bits%64)) == 0 {
			return false
		}
		bits >>= 9
	}
	return true
}

func (f *filter) put(key uint64) (had bool) {
	b, bits := f.place(key)
	had = true
	for range bitsPerKey {
		word, mask := &b[bits%blockBits/64], uint64(1)<<(bits%64)
		had = had && *word&mask != 0
		*word |= mask
		bits >>= 9
	}
	return had
}

// factKey is the key of an event with its content.
func (s *seen) factKey(project, id string, content uint64) uint64 {
	return mix(mix(maphash.String(s.seed, id), maphash.String(s.seed, project)), content)
}

// entityKey is the key of an entity.
func (s *seen) entityKey(project, id string, kind uint8) uint64 {
	return mix(maphash.String(s.seed, id), maphash.String(s.seed, project)+uint64(kind))
}

// mix joins two keys; each bit of the result depends on both.
func mix(a, b uint64) uint64 {
	k := (a ^ b*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	k ^= k >> 32
	k *= 0xc4ceb9fe1a85ec53
	return k ^ k>>29
}
