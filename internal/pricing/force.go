package pricing

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
)

// Choice is which cost counts when one was sent and one can be computed.
type Choice string

// The choices, as the setting --cost has them.
const (
	PreferReported Choice = "reported" // the one that was sent, when it is more than 0
	PreferComputed Choice = "computed" // the computed one, when there is one
	AsSent         Choice = "as-sent"  // nothing is computed
)

// holding is something that holds for the calls that start at from (Unix µs) or later and were first heard of behind after.
type holding[T any] struct {
	from  int64
	after Reach
	n     int // its place in the journal
	is    T
}

// line is what holds, in the order in which it was said: the last that holds counts.
type line[T any] []holding[T]

// at is the place of what holds for a call; -1: nothing does.
func (l line[T]) at(start int64, first *heard) int {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].from <= start && (l[i].after.all() || !l[i].after.covers(first)) {
			return i
		}
	}
	return -1
}

// force is a journal read: what is in force. It does not change.
type force struct {
	journal journal
	choices line[Choice]
	books   line[*price.Book]
	own     map[string]line[*laid] // by project
	shelf   *shelf                 // of own
	// repricings are those of a project, in the order in which they were said.
	repricings map[string][]repricing
	born       func(entity.Seq) (node uint16, own entity.Seq) // Options.Born
	builtin    *price.Book                                    // need not be read
}

// heard is where a call was heard of first.
func (f *force) heard(o *entity.ObservationRow) (h heard) {
	if f.born == nil || len(o.Seqs) == 0 {
		h.first.seq = o.First()
		return h
	}
	for i, seq := range o.Seqs {
		var b born
		b.node, b.seq = f.born(seq)
		if i == 0 {
			h.first = b
		} else {
			h.add(b)
		}
	}
	return h
}

// newForce reads what a journal names. text gives a text by its hash; builtin is a book that need not be read.
func newForce(j journal, builtin *price.Book, text func(hash string) ([]byte, error)) (*force, error) {
	f := &force{builtin: builtin, shelf: newShelf(), own: map[string]line[*laid]{}, repricings: map[string][]repricing{}}
	books := map[string]*price.Book{}
	if builtin != nil {
		books[builtin.Hash()] = builtin
	}
	for n, e := range j.Entries { // own prices are laid before all of them
		if e.Book != "" {
			if err := f.takeBook(n, e, books, text); err != nil {
				return nil, err
			}
		}
	}
	for n, e := range j.Entries {
		switch {
		case e.Cost != "":
			f.choices = append(f.choices, holding[Choice]{e.from(), e.Reach, n, e.Cost})
		case e.Reprice != nil:
			r, err := newRepricing(n, e, books[e.Reprice.Book], text)
			if err != nil {
				return nil, err
			}
			f.repricings[e.Project] = append(f.repricings[e.Project], r)
		case e.Own != "":
			raw, err := text(e.Own)
			if err != nil {
				return nil, err
			}
			f = f.with(n, e, f.lay(e.Project, raw))
		}
	}
	f.journal = j
	return f, f.check(mostChecked)
}

func (f *force) takeBook(n int, e entry, books map[string]*price.Book, text func(hash string) ([]byte, error)) error {
	book := books[e.Book]
	if book == nil {
		raw, err := text(e.Book)
		if err != nil {
			return err
		}
		if book, err = price.Parse(string(raw)); err != nil {
			return fmt.Errorf("%s: %w", TextName(e.Book), err)
		}
		books[e.Book] = book
	}
	f.books = append(f.books, holding[*price.Book]{e.from(), e.Reach, n, book})
	return nil
}

// from is when calls start for which the entry holds, as lines have it.
func (e *entry) from() int64 {
	if e.From.IsZero() {
		return math.MinInt64
	}
	return e.From.UnixMicro()
}

// lay lays own prices of a project, which were taken, before the books.
func (f *force) lay(project string, text []byte) *laid { return f.shelf.lay(project, text, f.books) }

// with is f and, as its n-th and last entry, own prices.
func (f *force) with(n int, e entry, own *laid) *force {
	next := *f
	next.journal.Entries = append(slices.Clip(f.journal.Entries), e)
	next.own = maps.Clone(f.own)
	next.own[e.Project] = append(slices.Clip(f.own[e.Project]), holding[*laid]{e.from(), e.Reach, n, own})
	return &next
}

// rule is what decides of the cost of a call.
type rule struct {
	choice Choice
	book   *price.Book // nil: nothing is computed
	n      int         // the place in the journal of what was said last of it
}

// of is what holds for a call of a project, but for repricings.
func (f *force) of(project string, start int64, first *heard) rule {
	r := rule{choice: AsSent}
	if i := f.choices.at(start, first); i >= 0 {
		r.choice, r.n = f.choices[i].is, f.choices[i].n
	}
	base := f.books.at(start, first)
	if base < 0 {
		return rule{choice: AsSent}
	}
	r.book, r.n = f.books[base].is, max(r.n, f.books[base].n)
	own := f.own[project]
	if i := own.at(start, first); i >= 0 {
		r.book, r.n = own[i].is.books[base], max(r.n, own[i].n)
	}
	return r
}

// startOf is the start of a call as lines have it.
func startOf(o *entity.ObservationRow) int64 { return o.StartTime.UnixMicro() }
