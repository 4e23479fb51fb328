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
	after entity.Seq
	is    T
}

// line is what holds, in the order in which it was said: the last that holds counts.
type line[T any] []holding[T]

// at is the place of what holds for a call; -1: nothing does.
func (l line[T]) at(start int64, first entity.Seq) int {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].from <= start && (l[i].after == 0 || l[i].after < first) {
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
}

// newForce reads what a journal names. text gives a text by its hash; builtin is a book that need not be read.
func newForce(j journal, builtin *price.Book, text func(hash string) ([]byte, error)) (*force, error) {
	f := &force{shelf: newShelf(), own: map[string]line[*laid]{}}
	books := map[string]*price.Book{}
	if builtin != nil {
		books[builtin.Hash()] = builtin
	}
	for _, e := range j.Entries { // own prices are laid before all of them
		if e.Book != "" {
			if err := f.takeBook(e, books, text); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range j.Entries {
		switch {
		case e.Cost != "":
			f.choices = append(f.choices, holding[Choice]{e.from(), e.After, e.Cost})
		case e.Own != "":
			raw, err := text(e.Own)
			if err != nil {
				return nil, err
			}
			own, err := f.lay(e.Project, raw)
			if err != nil {
				return nil, err
			}
			f = f.with(e, own)
		}
	}
	f.journal = j
	return f, f.check(false)
}

func (f *force) takeBook(e entry, books map[string]*price.Book, text func(hash string) ([]byte, error)) error {
	book := books[e.Book]
	if book == nil {
		raw, err := text(e.Book)
		if err != nil {
			return err
		}
		if book, err = price.Parse(string(raw)); err != nil {
			return fmt.Errorf("%s: %w", textName(e.Book), err)
		}
		books[e.Book] = book
	}
	f.books = append(f.books, holding[*price.Book]{e.from(), e.After, book})
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
func (f *force) lay(project string, text []byte) (*laid, error) {
	return f.shelf.lay(project, text, f.books), nil
}

// with is f and, as its last entry, own prices.
func (f *force) with(e entry, own *laid) *force {
	next := *f
	next.journal.Entries = append(slices.Clip(f.journal.Entries), e)
	next.own = maps.Clone(f.own)
	next.own[e.Project] = append(slices.Clip(f.own[e.Project]), holding[*laid]{e.from(), e.After, own})
	return &next
}

// of is what holds for a call of a project.
func (f *force) of(project string, start int64, first entity.Seq) (Choice, *price.Book) {
	choice := AsSent
	if i := f.choices.at(start, first); i >= 0 {
		choice = f.choices[i].is
	}
	base := f.books.at(start, first)
	if base < 0 {
		return AsSent, nil
	}
	own := f.own[project]
	if i := own.at(start, first); i >= 0 {
		return choice, own[i].is.books[base]
	}
	return choice, f.books[base].is
}

// startOf is the start of a call as lines have it.
func startOf(o *entity.ObservationRow) int64 { return o.StartTime.UnixMicro() }
