package otel

import (
	"encoding/binary"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// keys is a set of attributes' keys that may be asked for others than it holds: most of the keys that a
// dialect looks for are not there, and for these one look at a bit is enough. It is a Bloom filter
// with one hash.
type keys [8]uint64

// keysOf is the set of the keys of attributes.
func keysOf(attrs []Attribute) (k keys) {
	for i := range attrs {
		h := hashOf(attrs[i].Key)
		k[h/64] |= 1 << (h % 64)
	}
	return k
}

// may says whether key may be there; false is certain.
func (k *keys) may(key string) bool {
	h := hashOf(key)
	return k[h/64]&(1<<(h%64)) != 0
}

// hashOf is a number below 512 that depends on the length and the last 16 bytes: keys of one
// convention begin alike.
func hashOf(key string) uint64 {
	n := len(key)
	h := uint64(n)
	switch b := rawjson.Bytes(key); {
	case n >= 16:
		h ^= binary.LittleEndian.Uint64(b[n-8:]) + 31*binary.LittleEndian.Uint64(b[n-16:])
	case n >= 8:
		h ^= binary.LittleEndian.Uint64(b[n-8:]) + 31*binary.LittleEndian.Uint64(b)
	default:
		for _, c := range b {
			h = h*31 + uint64(c)
		}
	}
	return h * 0x9e3779b97f4a7c15 >> 55
}
