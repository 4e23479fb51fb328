package entity

import (
	"cmp"
	"fmt"
	"slices"
)

// Folder folds one entity after the other, in memory that it uses again: what it returns holds until Reset
// or until it is asked for the same again. It is what a warehouse folds with, which has many entities to fold and hands each on at once; Fold
// is the same for who keeps what was made. The zero value is ready. It is not safe for concurrent use.
type Folder struct {
	items   []foldItem
	places  map[FactID]int // of the items, while there are many
	jumbled bool           // they do not stand in their order

	values []FieldValue // of the rows that were added
	lists  []string     // of these values
	state  state
	made   made
}

// Fact is an event as a Folder reads it that has no payload at hand.
type Fact struct {
	Seq Seq
	At  int64 // its timestamp, in microseconds since 1970
	// EventID is its id; "" when it is known that no other event says the same.
	EventID     string
	Environment string // of its batch
	// Row must not change while what the folder makes of it is in use.
	Row Row
}

// foldItem is one event of the entity that is folded.
type foldItem struct {
	seq    Seq
	at     int64 // µs
	rank   Rank
	clears bool
	fact   FactID
	trace  string // that it names
	env    string // of its batch, "" when it is the default
	values []FieldValue
	rec    *Record // nil of a Fact
}

// fewItems is up to how many events are compared one by one.
const fewItems = 16

// Reset forgets all events, for another entity.
func (f *Folder) Reset() {
	f.items, f.values, f.lists, f.places, f.jumbled = f.items[:0], f.values[:0], f.lists[:0], nil, false
}

// AddFact takes in one event of the entity. Of two of one fact that with the lower Seq stays. The error is
// of a row that is none.
func (f *Folder) AddFact(e Fact) error {
	from := len(f.values)
	values, lists, err := e.Row.appendValues(f.values, f.lists)
	if err != nil {
		return fmt.Errorf("fold event %d: %w", e.Seq, err)
	}
	f.values, f.lists = values, lists
	f.take(foldItem{
		seq: e.Seq, at: e.At, rank: e.Row.Rank(), fact: FactID{e.EventID, e.Row.Content()}, env: e.Environment,
		values: f.values[from:len(f.values):len(f.values)],
	})
	return nil
}

func (f *Folder) add(rec *Record, fields *Fields) {
	f.take(foldItem{
		seq: rec.Seq, at: rec.Event.Timestamp.UnixMicro(), rank: fields.Rank, fact: FactID{rec.Event.ID, fields.Content},
		env: rec.Environment, values: fields.Values, rec: rec,
	})
}

func (f *Folder) take(item foldItem) {
	for i := range item.values {
		switch item.values[i].Field {
		case TraceID:
			item.trace = item.values[i].Text
		case Clear:
			item.clears = true
		}
	}
	if item.env == defaultEnvironment {
		item.env = ""
	}
	if i := f.place(&item); i >= 0 {
		if item.seq < f.items[i].seq {
			f.items[i] = item
			f.jumbled = true
		}
		return
	}
	if n := len(f.items); n > 0 && before(&item, &f.items[n-1]) < 0 {
		f.jumbled = true
	}
	f.items = append(f.items, item)
}

// place is where the fact of an event is known already, or −1; it is known from now on.
func (f *Folder) place(item *foldItem) int {
	if item.fact.EventID == "" {
		return -1
	}
	if len(f.items) < fewItems {
		for i := range f.items {
			if f.items[i].fact == item.fact {
				return i
			}
		}
		return -1
	}
	if f.places == nil {
		f.places = make(map[FactID]int, 2*len(f.items))
		for i := range f.items {
			f.places[f.items[i].fact] = i
		}
	}
	if i, known := f.places[item.fact]; known {
		return i
	}
	f.places[item.fact] = len(f.items)
	return -1
}

// sorted is the events in the order of the fold.
func (f *Folder) sorted() []foldItem {
	if !f.jumbled {
		return f.items
	}
	f.jumbled, f.places = false, nil
	if len(f.items) > fewItems {
		slices.SortFunc(f.items, func(a, b foldItem) int { return before(&a, &b) })
		return f.items
	}
	for i := 1; i < len(f.items); i++ {
		item, at := f.items[i], i
		for ; at > 0 && before(&item, &f.items[at-1]) < 0; at-- {
			f.items[at] = f.items[at-1]
		}
		f.items[at] = item
	}
	return f.items
}

// before is the order of events.
func before(a, b *foldItem) int {
	return cmp.Or(
		a.rank.phase()-b.rank.phase(),
		cmp.Compare(a.at, b.at),
		cmp.Compare(a.rank, b.rank),
		cmp.Compare(a.seq, b.seq),
	)
}

// phase is what ranks come before others, whatever the time: hints, creates, and all others.
func (r Rank) phase() int {
	switch r {
	case RankHint:
		return 0
	case RankCreate:
		return 1
	}
	return 2
}
