package delivery

import (
	"math/bits"

	"github.com/brokle-ai/brokle-go/internal/payload"
)

// ordering keeps the events of one trace in their order while several batches are
// in flight. An event stands for the ids in its payload (its trace's, its
// observation's, its own); one that shares an id with a batch in flight, or
// with an event passed over before it, waits. Ids are compared by a hash: a collision delays, nothing more.
type ordering struct {
	off    bool // one sender needs none of this
	mask   uint32
	flying []uint16 // by key: batches in flight that hold it
	passed []uint32 // by key: the cut in which an event with it was passed over
	mine   []uint32 // by key: the cut whose batch holds it already
	cut    uint32
	keys   []uint32 // of the event read last
}

func newOrdering(batchSize, senders int) *ordering {
	if senders == 1 {
		return &ordering{off: true}
	}
	// About 3 ids an event and 16 places for each keep collisions near 6 %.
	n := 1 << bits.Len(uint(batchSize*senders*3*16))
	return &ordering{mask: uint32(n - 1), flying: make([]uint16, n), passed: make([]uint32, n), mine: make([]uint32, n)}
}

// begin starts a new cut.
func (o *ordering) begin() {
	if o.cut++; o.cut == 0 { // after 2^32 cuts old marks would look new
		clear(o.passed)
		clear(o.mine)
		o.cut = 1
	}
}

// claim takes an event's keys for the batch being cut and adds them to held, or
// returns false when the event has to wait.
func (o *ordering) claim(keys []uint32, held *[]uint32) bool {
	for _, k := range keys {
		if o.passed[k] == o.cut || o.flying[k] > 0 && o.mine[k] != o.cut {
			return false
		}
	}
	for _, k := range keys {
		if o.mine[k] != o.cut {
			o.mine[k] = o.cut
			o.flying[k]++
			*held = append(*held, k)
		}
	}
	return true
}

// pass marks the keys of an event that waits: what comes behind it in this cut has to wait too.
func (o *ordering) pass(keys []uint32) {
	for _, k := range keys {
		o.passed[k] = o.cut
	}
}

// release ends the flight of a batch's ids.
func (o *ordering) release(keys []uint32) {
	for _, k := range keys {
		o.flying[k]--
	}
}

// read finds the keys of e; they stay valid until the next read. Without
// ordering there are none, and nothing ever waits.
func (o *ordering) read(e *entry) []uint32 {
	o.keys = o.keys[:0]
	if o.off {
		return nil
	}
	named := false
	payload.EachID(e.body(), func(name payload.Name, value []byte) {
		if name == payload.ID {
			named = true
		}
		o.keys = append(o.keys, hash(value)&o.mask)
	})
	if !named { // then its event id is what others call it by
		o.keys = append(o.keys, hash(e.data[idStart:e.idEnd])&o.mask)
	}
	return o.keys
}

// hash is FNV-1a, 64 bits folded to 32.
func hash(b []byte) uint32 {
	h := hash64(b)
	return uint32(h ^ h>>32)
}

func hash64[T string | []byte](b T) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(b); i++ {
		h = (h ^ uint64(b[i])) * 1099511628211
	}
	return h
}
