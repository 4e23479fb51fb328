package pricing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Ask is which calls of a project are to be priced again, and by what.
type Ask struct {
	Project string
	// From and To are when they start: From ≤ start < To. Zero From is all, zero To is now, and so is one that is later.
	From, To time.Time
	Model    string // "" is all
	// Book is a moment: the book and the own prices that held then for calls that began then. Zero is now.
	Book time.Time
}

// ErrAsk is that of an Ask that nothing can be made of; its text says why.
var ErrAsk = errors.New("nothing can be priced again")

// ErrUnderway says that another repricing has not ended.
var ErrUnderway = errors.New("another repricing is under way")

var errNoSuchBook = errors.New("a repricing is by a book that the journal does not name")

func askf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrAsk, fmt.Errorf(format, args...))
}

// Plan is a repricing that has not begun.
type Plan struct {
	p *Pricing
	e entry
	r repricing
}

// Plan finds by what an Ask is priced. The error is an ErrAsk.
func (p *Pricing) Plan(a Ask) (*Plan, error) {
	is, now := p.inForce(), p.now()
	to := a.To.UTC().Truncate(time.Microsecond)
	if a.To.IsZero() || to.After(now) {
		to = now
	}
	from := a.From.UTC().Truncate(time.Microsecond)
	if a.From.IsZero() {
		from = time.Time{}
	}
	if !from.Before(to) {
		return nil, askf("no call starts at %s or later and before %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	when := now
	if !a.Book.IsZero() {
		if a.Book.After(now) {
			return nil, askf("which book will hold at %s is not known", a.Book.UTC().Format(time.RFC3339))
		}
		when = a.Book
	}
	choice := is.choices[said(is, is.choices, now)].is
	if choice == AsSent {
		return nil, askf("the setting --cost is %s: no cost is computed", AsSent)
	}
	book := said(is, is.books, when)
	if book < 0 {
		return nil, askf("the journal of prices begins at %s: which book held before that is not known", is.journal.Entries[0].At.Format(time.RFC3339))
	}
	e := entry{Project: a.Project, Reprice: &repriced{From: from, To: to, Model: a.Model, Cost: choice, Book: is.journal.Entries[is.books[book].n].Book, Done: from}}
	by := is.books[book].is
	if own := said(is, is.own[a.Project], when); own >= 0 {
		e.Reprice.Own, by = is.journal.Entries[is.own[a.Project][own].n].Own, is.own[a.Project][own].is.books[book]
	}
	return &Plan{p, e, repricing{rule: rule{choice, by, len(is.journal.Entries)}, at: now, from: micro(from), to: micro(to), done: micro(from), model: a.Model}}, nil
}

// said is the place of what was said of calls that start at a moment, as the journal was then; -1: nothing.
func said[T any](f *force, l line[T], at time.Time) int {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].from <= at.UnixMicro() && !f.journal.Entries[l[i].n].At.After(at) {
			return i
		}
	}
	return -1
}

// By is what holds when it has ended.
func (l *Plan) By() entity.Repricer { return l.r.upTo(l.p.inForce(), l.e.Project, l.r.to) }

// Span is when the calls start that it is about, in Unix µs: from first, and before end.
func (l *Plan) Span() (first, end int64) { return l.r.from, l.r.to }

// Describe is the repricing as it would be told.
func (l *Plan) Describe() Repricing { return l.p.inForce().describe(&l.e, &l.r) }

// Begin writes down that it has begun; Advance moves it on. One at a time: the error may be ErrUnderway.
func (l *Plan) Begin(t entity.RepricedTotals) error {
	p := l.p
	p.lock()
	defer p.unlock()
	err := p.write(func(j *journal) (err error) {
		if j.underway() {
			return ErrUnderway
		}
		e := l.e
		entered := *e.Reprice
		entered.RepricedTotals, e.Reprice, e.At = t, &entered, p.now()
		if e.Reach, err = p.o.reach(j); err == nil {
			j.Entries = append(j.Entries, e)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrUnderway) {
		return fmt.Errorf("begin to reprice: %w", err)
	}
	return err
}

// underway says that a repricing has not come to its end.
func (j *journal) underway() bool {
	return slices.ContainsFunc(j.Entries, func(e entry) bool { return e.Reprice != nil && e.Reprice.Done.Before(e.Reprice.To) })
}

// underway is the repricing that has not come to its end.
func (f *force) underway() (project string, r *repricing, ok bool) {
	for project, list := range f.repricings {
		for i := range list {
			if list[i].done < list[i].to {
				return project, &list[i], true
			}
		}
	}
	return "", nil, false
}

// Underway is a repricing that has begun and not ended.
type Underway struct {
	Project  string
	From, To int64 // when the calls start that are left, in Unix µs
	p        *Pricing
	n        int
}

// Underway is the one that is; false when there is none.
func (p *Pricing) Underway() (*Underway, bool) {
	project, r, ok := p.inForce().underway()
	if !ok {
		return nil, false
	}
	return &Underway{project, r.done, r.to, p, r.n}, true
}

// UpTo is what holds when it has come to calls that start at upto.
func (u *Underway) UpTo(upto int64) entity.Repricer {
	is := u.p.inForce()
	return is.find(u.Project, u.n).upTo(is, u.Project, upto)
}

// Advance has it hold for all calls that start before upto. Whatever the error, it holds from now on in this process: the error says
// that the journal could not be written, and Advance is to be called again.
func (u *Underway) Advance(upto int64) error {
	p := u.p
	p.lock()
	defer p.unlock()
	r := *p.is.find(u.Project, u.n)
	r.done = max(r.done, upto)
	p.is = p.is.withRepricing(u.Project, r)
	err := p.write(func(j *journal) error {
		if is := j.Entries[u.n].Reprice; micro(is.Done) < upto {
			is.Done = timeOf(upto)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reprice: %w", err)
	}
	return nil
}

// find is the repricing of the n-th entry.
func (f *force) find(project string, n int) *repricing {
	list := f.repricings[project]
	return &list[slices.IndexFunc(list, func(r repricing) bool { return r.n == n })]
}

// Ahead is what the rows of a warehouse may be priced by already while a repricing is under way: a process that was killed may have
// written them before it could say so. nil: there is none.
func (p *Pricing) Ahead() entity.Pricer {
	is := p.inForce()
	project, r, ok := is.underway()
	if !ok {
		return nil
	}
	return r.upTo(is, project, r.to)
}

func (p *Pricing) now() time.Time { return p.o.Now().UTC().Truncate(time.Microsecond) }
