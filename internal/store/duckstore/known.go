package duckstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// A fact (see entity.Fold) may come again: read again after a crash, or accepted again when its id was forgotten. The filter of
// facts rules out nearly all; of the others the table says which events have the same hash, and the Log's
// records what they are.

// unknown returns the places of the events whose fact is not in the table, nor earlier in h.
func (w *Warehouse) unknown(h *hot) ([]int32, error) {
	suspects := map[uint64][]int32{} // by fact: the places of its events
	for i := range h.events {
		e := &h.events[i]
		if w.seen.add(w.seen.factKey(h.names[e.project], e.fact)) {
			suspects[e.fact] = nil
		}
	}
	var known map[int32]bool
	if len(suspects) > 0 {
		for i := range h.events {
			if fact := h.events[i].fact; len(suspects) > 0 {
				if at, is := suspects[fact]; is {
					suspects[fact] = append(at, int32(i))
				}
			}
		}
		var err error
		if known, err = w.known(h, suspects); err != nil {
			return nil, err
		}
	}
	fresh := make([]int32, 0, len(h.events))
	for i := range h.events {
		if !known[int32(i)] {
			fresh = append(fresh, int32(i))
		}
	}
	return fresh, nil
}

// known returns those of the suspects that are there already.
func (w *Warehouse) known(h *hot, suspects map[uint64][]int32) (map[int32]bool, error) {
	known := map[int32]bool{}
	stored, err := w.stored(h, suspects, known)
	if err != nil {
		return nil, err
	}
	for _, events := range suspects {
		for n, i := range events {
			same := func(j int32) bool { return h.fact(i) == h.fact(j) }
			if known[i] || slices.ContainsFunc(events[:n], same) {
				known[i] = true
				continue
			}
			known[i] = stored[h.fact(i)]
		}
	}
	return known, nil
}

// fact names a fact among those of all projects.
type fact struct {
	project string
	entity.FactID
}

func factOf(rec *entity.Record) fact { return fact{rec.Project, rec.FactID()} }

// fact is that of an event. It is the page's memory.
func (h *hot) fact(i int32) fact {
	return fact{h.project(int(i)), entity.FactID{EventID: h.id(int(i)), Content: h.row(int(i)).Content()}}
}

// stored returns the facts of the events in the table that have the hash of a suspect. Those that are the very same events
// it notes as known.
func (w *Warehouse) stored(h *hot, suspects map[uint64][]int32, known map[int32]bool) (map[fact]bool, error) {
	hashes := make([]uint64, 0, len(suspects))
	for hash := range suspects {
		hashes = append(hashes, hash)
	}
	var others []entity.Seq
	err := w.write.scan("SELECT project, seq, fact FROM events WHERE fact IN (SELECT unnest($1::UBIGINT[]))", []any{hashes}, func(b block) {
		projects, seqs, facts := b.texts(0), b.int64s(1), b.uint64s(2)
		for row := range b.rows {
			ask := false
			for _, i := range suspects[facts[row]] {
				switch {
				case h.project(int(i)) != projects[row].view():
				case h.events[i].seq == seqs[row]:
					known[i] = true
				default:
					ask = true
				}
			}
			if ask {
				others = append(others, entity.Seq(seqs[row]))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(others)
	stored := map[fact]bool{}
	for some := range slices.Chunk(others, loadAtOnce) {
		recs, err := w.options.Records(context.Background(), some)
		if err != nil {
			return nil, fmt.Errorf("read events from the log: %w", err)
		}
		for i := range recs {
			if rec := &recs[i]; rec.Fields != nil {
				stored[factOf(rec)] = true
			}
		}
	}
	return stored, nil
}
