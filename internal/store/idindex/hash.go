package idindex

import (
	"encoding/binary"
	"math/bits"

	"github.com/brokle-ai/brokle-go/internal/varint"
)

// Kind is what an entry is about.
type Kind uint8

// The kinds of entries.
const (
	KindEvent  Kind = iota // an event that was stored: its mark
	KindFailed             // an event that failed, in its block
	KindBatch              // a batch, in the block that says what became of it
	KindJob                // a job, in the block that ended it
	kinds
)

// hasher makes the keys of entries. Its secret keeps clients from choosing ids whose keys meet.
type hasher struct {
	secret [2]uint64
	mask   uint64 // of the bits that are kept of an event's
}

// newHasher keeps so many bits, 0 for all 62.
func newHasher(secret [2]uint64, keep int) hasher {
	const most = 62
	if keep <= 0 || keep > most {
		keep = most
	}
	return hasher{secret, ^uint64(0) << (64 - keep)}
}

// key is the key of an id of a project: its hash, and in the lowest bits the kind. message is memory that key may use.
func (h *hasher) key(kind Kind, project, id string, message *[]byte) uint64 {
	b := append(varint.AppendString((*message)[:0], project), id...) // no two pairs have the same
	*message = b
	mask := ^uint64(kinds - 1)
	if kind == KindEvent {
		mask = h.mask
	}
	return sip(h.secret, b)&mask | uint64(kind)
}

// sip is SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012).
func sip(secret [2]uint64, b []byte) uint64 {
	v0, v1 := secret[0]^0x736f6d6570736575, secret[1]^0x646f72616e646f6d
	v2, v3 := secret[0]^0x6c7967656e657261, secret[1]^0x7465646279746573
	last := uint64(len(b)) << 56
	for ; len(b) >= 8; b = b[8:] {
		m := binary.LittleEndian.Uint64(b)
		v3 ^= m
		v0, v1, v2, v3 = sipRound(sipRound(v0, v1, v2, v3))
		v0 ^= m
	}
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	v3 ^= last
	v0, v1, v2, v3 = sipRound(sipRound(v0, v1, v2, v3))
	v0 ^= last
	v2 ^= 0xff
	v0, v1, v2, v3 = sipRound(sipRound(sipRound(sipRound(v0, v1, v2, v3))))
	return v0 ^ v1 ^ v2 ^ v3
}

func sipRound(v0, v1, v2, v3 uint64) (_, _, _, _ uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

// place is where a key belongs when n places share all keys evenly, in order.
func place(key uint64, n int) int {
	hi, _ := bits.Mul64(key, uint64(n))
	return int(hi)
}
