package pricing

import (
	"fmt"
	"math"

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
	own     map[string]*ownLine
}

// ownLine is a project's own prices: each laid before each of the books.
type ownLine struct {
	line[[]byte] // the texts
	before       [][]*price.Book
}

// newForce reads what a journal names. text gives a text by its hash; known are books that were read before.
func newForce(j journal, known *force, text func(hash string) ([]byte, error)) (*force, error) {
	f := &force{journal: j, own: map[string]*ownLine{}}
	books := map[string]*price.Book{}
	if known != nil {
		for i := range known.books {
			books[known.books[i].is.Hash()] = known.books[i].is
		}
	}
	for _, e := range j.Entries {
		if err := f.take(e, books, text); err != nil {
			return nil, err
		}
	}
	for project, own := range f.own {
		if err := own.lay(project, f.books); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *force) take(e entry, books map[string]*price.Book, text func(hash string) ([]byte, error)) error {
	from := int64(math.MinInt64)
	if !e.From.IsZero() {
		from = e.From.UnixMicro()
	}
	switch {
	case e.Cost != "":
		f.choices = append(f.choices, holding[Choice]{from, e.After, e.Cost})
	case e.Book != "":
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
		f.books = append(f.books, holding[*price.Book]{from, e.After, book})
	case e.Own != "":
		raw, err := text(e.Own)
		if err != nil {
			return err
		}
		if f.own[e.Project] == nil {
			f.own[e.Project] = &ownLine{}
		}
		own := f.own[e.Project]
		own.line = append(own.line, holding[[]byte]{from, e.After, raw})
	}
	return nil
}

// lay lays each of the own prices before each of the books.
func (o *ownLine) lay(project string, books line[*price.Book]) error {
	for i := range o.line {
		list, err := ownPrices(project, o.line[i].is)
		if err != nil {
			return err
		}
		var laid []*price.Book
		for j := range books {
			laid = append(laid, price.NewPrices(books[j].is, list).For(project))
		}
		o.before = append(o.before, laid)
	}
	return nil
}

// of is what holds for a call of a project, and since when.
func (f *force) of(project string, start int64, first entity.Seq) (Choice, *price.Book) {
	choice := AsSent
	if i := f.choices.at(start, first); i >= 0 {
		choice = f.choices[i].is
	}
	base := f.books.at(start, first)
	if base < 0 {
		return AsSent, nil
	}
	if own := f.own[project]; own != nil {
		if i := own.at(start, first); i >= 0 {
			return choice, own.before[i][base]
		}
	}
	return choice, f.books[base].is
}

// startOf is the start of a call as lines have it.
func startOf(o *entity.ObservationRow) int64 { return o.StartTime.UnixMicro() }
