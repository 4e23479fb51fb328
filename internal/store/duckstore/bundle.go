package duckstore

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// bundle is the events of an entity, and where its row is. The events are held as bytes: for each its Seq and its time as
// varints, then with their lengths the environment of its batch and its row.
type bundle struct {
	events  []byte
	seqs    []int64     // of its events, in no order
	at      span        // of its events
	written int64       // of its row; 0: it has none. But of traces
	newness int64       // of an observation; entity.Unnamed, too, while no event names its trace
	floats  int         // how many of its events name no trace, when it is an observation
	call    *placedCall // of its row, if that may have twins
}

// add takes in an event, whose row is copied.
func (b *bundle) add(seq, at int64, environment string, row entity.Row) {
	if len(b.seqs) == 0 {
		b.at, b.newness = span{seq, seq}, entity.Unnamed
	}
	if row.Kind() == entity.ObservationKind {
		if trace := row.Get(entity.TraceID); len(trace) == 0 {
			b.floats++
		} else {
			b.newness = entity.Newness(b.newness, at, row.Rank())
		}
	}
	b.at.add(span{seq, seq})
	b.seqs = append(b.seqs, seq)
	b.events = binary.AppendVarint(b.events, seq)
	b.events = binary.AppendVarint(b.events, at)
	b.events = append(binary.AppendUvarint(b.events, uint64(len(environment))), environment...)
	b.events = append(binary.AppendUvarint(b.events, uint64(len(row))), row...)
}

// empty says that it has no event.
func (b *bundle) empty() bool { return len(b.seqs) == 0 }

// each hands out the events, whose memory is the bundle's.
func (b *bundle) each(take func(e entity.Fact) error) error {
	for rest := b.events; len(rest) > 0; {
		var e entity.Fact
		seq, n := binary.Varint(rest)
		at, m := binary.Varint(rest[n:])
		e.Seq, e.At, rest = entity.Seq(seq), at, rest[n+m:]
		var environment, row []byte
		environment, rest = prefixed(rest)
		row, rest = prefixed(rest)
		e.Environment, e.Row = unsafe.String(unsafe.SliceData(environment), len(environment)), row
		if err := take(e); err != nil {
			return err
		}
	}
	return nil
}

// float moves the events that name no trace to another bundle.
func (b *bundle) float(to *bundle) {
	stay := &bundle{}
	_ = b.each(func(e entity.Fact) error {
		into := stay
		if trace := e.Row.Get(entity.TraceID); len(trace) == 0 {
			into = to
		}
		into.add(int64(e.Seq), e.At, e.Environment, e.Row)
		return nil
	})
	stay.written, stay.call = b.written, b.call
	*b = *stay
}

// prefixed cuts off bytes that stand behind their length.
func prefixed(b []byte) (first, rest []byte) {
	n, k := binary.Uvarint(b)
	b = b[k:]
	return b[:n:n], b[n:]
}

// folder has the events of the bundle, in memory of its own.
func (b *bundle) folder() (*entity.Folder, error) {
	f := &entity.Folder{}
	if err := b.each(f.AddFact); err != nil {
		return nil, fmt.Errorf("fold an entity: %w", err)
	}
	return f, nil
}

// own is the Seqs of its events, rising; nil when it has none.
func (b *bundle) own() []int64 {
	slices.Sort(b.seqs)
	return b.seqs
}

// listed is the column of the rising Seqs of an observation or a score: nil, which is NULL, when first_seq and last_seq say it.
func listed(seqs []int64) []int64 {
	if len(seqs) <= 2 {
		return nil
	}
	return seqs
}

// rising appends seqs to dst, in their order.
func rising(dst []int64, seqs []entity.Seq) []int64 {
	for _, seq := range seqs {
		dst = append(dst, int64(seq))
	}
	slices.Sort(dst)
	return dst
}

// family is a trace's observations, as far as its roll-up needs them.
type family struct {
	entity.Family
	at      span  // of its row's events, while it has a row
	written int64 // of its row; 0: it has none
}

// The weights are estimates of what is in memory, in bytes.
const (
	bundleWeight = 250
	familyWeight = 150
	callWeight   = 350
)

func (b *bundle) weigh() int {
	weight := bundleWeight + cap(b.events) + 8*cap(b.seqs)
	if b.call != nil {
		weight += callWeight
	}
	return weight
}

func (f *family) weigh() int { return familyWeight + f.Weight() }
