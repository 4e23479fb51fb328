package extract

import (
	"iter"
	"math/bits"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// slot is a key of a payload that Extract looks at: a field stands for the key of its name, and
// what is behind the last field for a further key of the table or one of furtherKeys.
type slot = entity.Field

// The keys that are no field's.
const (
	sScoreID slot = entity.NumFields + iota
	sScoreName
	sUsageDetails
	sUsageMetadata
	sUsageMetadataCamel
	sOperation
	sMethod
	sEndpoint
	sResponseAttributes
	sRequestAttributes
	sDurationMS
	sTimestamp
	sSuccess
	sError
	sErrorMessage
	sReason
	firstAlias // from here on: further keys of fields

	firstRare = sUsageDetails
)

var furtherKeys = [maxSlots]string{
	sScoreID: "score_id", sScoreName: "score_name", sUsageDetails: "usage_details", sUsageMetadata: "usage_metadata",
	sUsageMetadataCamel: "usageMetadata", sOperation: "operation", sMethod: "method", sEndpoint: "endpoint",
	sResponseAttributes: "response_attributes", sRequestAttributes: "request_attributes", sDurationMS: "duration_ms",
	sTimestamp: "timestamp", sSuccess: "success", sError: "error", sErrorMessage: "error_message",
	sReason: "reason",
}

const (
	maxSlots = firstAlias + 16
	noSlot   = slot(255)
)

// keys is what follows from the table for reading payloads.
var keys = newKeyTable()

type keyTable struct {
	names [maxSlots]string
	// of are the keys of a field, in the order in which they count.
	of [entity.NumFields][]slot
	// plain are the fields of a kind without those that code of its own reads.
	plain [entity.GenericKind + 1]slots
	// aliases are the keys of fields behind the first ones, and field what these say.
	aliases slots
	field   [maxSlots]entity.Field
	rare    slots          // the keys that few payloads have
	cells   [numCells]slot // by hash, with open addressing
	spanID  slot
	// number and category are the keys of a score's value, in the order in which they count.
	number, category []slot
}

func newKeyTable() *keyTable {
	t := &keyTable{}
	for i := range t.cells {
		t.cells[i] = noSlot
	}
	for s, key := range furtherKeys {
		if key != "" {
			t.add(slot(s), key)
		}
	}
	next := firstAlias
	t.add(entity.ID, entity.ID.String())
	for _, kind := range [...]entity.Kind{entity.TraceKind, entity.ObservationKind, entity.ScoreKind} {
		for _, f := range entity.Said(kind) {
			if t.of[f] == nil {
				t.add(f, f.String())
				t.of[f] = []slot{f}
				for _, key := range f.Keys() {
					t.add(next, key)
					t.of[f] = append(t.of[f], next)
					t.aliases.add(next)
					t.field[next] = f
					next++
				}
			}
			if f.Form() != entity.OwnForm {
				t.plain[kind].add(f)
			}
		}
	}
	for s := firstRare; s < maxSlots; s++ {
		t.rare.add(s)
	}
	for _, f := range [...]entity.Field{entity.RequestedModel, entity.Attributes, entity.Status, entity.ErrorType} {
		t.rare.add(f)
	}
	t.spanID = t.slot([]byte("span_id"))
	t.number = append(slices.Clone(t.of[entity.Value]), entity.StringValue)
	t.category = append([]slot{entity.StringValue}, t.of[entity.Value]...)
	return t
}

const numCells = 512

func (t *keyTable) add(s slot, key string) {
	at := hash([]byte(key))
	for t.cells[at] != noSlot {
		at = (at + 1) % numCells
	}
	t.cells[at], t.names[s] = s, key
}

// slot finds a key: about one comparison for one that is known, and none for most others.
func (t *keyTable) slot(key []byte) slot {
	if len(key) == 0 {
		return noSlot
	}
	for at := hash(key); ; at = (at + 1) % numCells {
		if s := t.cells[at]; s == noSlot || t.names[s] == string(key) {
			return s
		}
	}
}

// hash looks at the length of a key and three of its bytes, which tell nearly all keys apart.
func hash(key []byte) uint32 {
	n := len(key)
	h := uint32(n)<<24 ^ uint32(key[0])<<16 ^ uint32(key[n/2])<<8 ^ uint32(key[n-1])
	return h * 0x9E3779B1 >> 23
}

// slots is a set of slots.
type slots [(maxSlots + 63) / 64]uint64

func (s *slots) add(i slot)      { s[i/64] |= 1 << (i % 64) }
func (s *slots) has(i slot) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s slots) and(other slots) slots {
	for i := range s {
		s[i] &= other[i]
	}
	return s
}

func (s *slots) anyOf(other *slots) bool { return s.and(*other) != slots{} }

func (s *slots) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// all yields the slots of the set, rising.
func (s slots) all() iter.Seq[slot] {
	return func(yield func(slot) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(slot(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}
