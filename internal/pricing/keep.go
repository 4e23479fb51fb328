package pricing

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
)

// place is where a text of the journal's directory is.
func (o *Options) place(name string) document.Place {
	if o.Place != nil {
		return o.Place(name)
	}
	return &document.File{Path: filepath.Join(o.Dir, name)}
}

// reach is how far the logs are now.
func (o *Options) reach(j *journal) (Reach, error) {
	if o.Heads != nil {
		return o.Heads()
	}
	return o.ownReach(j), nil
}

// keep keeps a text; once it returned an entry may name it.
func (o *Options) keep(text []byte) (hash string, err error) {
	hash = hashOf(text)
	_, err = o.place(TextName(hash)).Change(func([]byte) ([]byte, error) { return text, nil })
	return hash, err
}

// text reads what the journal names.
func (o *Options) text(hash string) ([]byte, error) {
	place := o.place(TextName(hash))
	text, err := place.Read()
	if err == nil && text == nil {
		text, err = place.Fresh()
	}
	switch {
	case err != nil:
		return nil, err
	case text == nil:
		return nil, fmt.Errorf("%s, which the journal names, is not there", TextName(hash))
	case hashOf(text) != hash:
		return nil, fmt.Errorf("%s is damaged: its SHA-256 is not its name", TextName(hash))
	}
	return text, nil
}

// write has hold what edit makes of the newest journal, which is its own; it may be called several times, and its error is returned as it is. p is locked.
func (p *Pricing) write(edit func(*journal) error) error {
	raw, err := p.o.place(JournalFile).Change(func(old []byte) ([]byte, error) {
		j, err := parseJournal(old)
		if err != nil {
			return nil, err
		}
		if err := edit(j); err != nil {
			return nil, err
		}
		return j.encode()
	})
	if err != nil {
		return err
	}
	return p.adopt(raw)
}

// adopt has a journal hold. p is locked.
func (p *Pricing) adopt(raw []byte) error {
	j, err := parseJournal(raw)
	if err != nil {
		return err
	}
	is, err := p.is.become(*j, p.o.text)
	if err != nil {
		return err
	}
	is.born = p.is.born
	if had := len(p.is.journal.Entries); len(j.Entries) > had {
		p.changes = append(p.changes, j.Entries[had:]...)
	}
	p.is, p.raw = is, raw
	return nil
}

// become is what another journal says. Most say what f says, and then something more.
func (f *force) become(j journal, text func(string) ([]byte, error)) (*force, error) {
	had := f.journal.Entries
	for n := range had {
		if n >= len(j.Entries) || !same(had[n], j.Entries[n]) {
			return newForce(j, f.builtin, text)
		}
	}
	next := f
	for n, e := range j.Entries {
		switch {
		case n < len(had) && (e.Reprice == nil || e.Reprice.Done.Equal(had[n].Reprice.Done)):
		case n < len(had):
			r := *next.find(e.Project, n)
			r.done = micro(e.Reprice.Done)
			next = next.withRepricing(e.Project, r)
		case e.Own != "":
			raw, err := text(e.Own)
			if err != nil {
				return nil, err
			}
			next = next.with(n, e, next.lay(e.Project, raw))
		case e.Reprice != nil:
			at := slices.IndexFunc(next.books, func(b holding[*price.Book]) bool { return j.Entries[b.n].Book == e.Reprice.Book })
			if at < 0 {
				return nil, errNoSuchBook
			}
			r, err := newRepricing(n, e, next.books[at].is, text)
			if err != nil {
				return nil, err
			}
			next = next.withRepricing(e.Project, r)
		default:
			return newForce(j, f.builtin, text)
		}
	}
	is := *next
	is.journal = j
	return &is, nil
}

// same says whether two entries say the same, however far a repricing is.
func same(a, b entry) bool {
	still := func(e *entry) {
		if e.Reprice != nil {
			r := *e.Reprice
			r.Done = time.Time{}
			e.Reprice = &r
		}
	}
	still(&a)
	still(&b)
	return reflect.DeepEqual(a, b)
}

// Refresh takes over what other nodes have written, up to this moment.
func (p *Pricing) Refresh() error {
	if _, err := p.o.place(JournalFile).Fresh(); err != nil {
		return fmt.Errorf("read the journal of prices: %w", err)
	}
	return p.Follow()
}

// Follow takes over what other nodes have written, as far as it is known here.
func (p *Pricing) Follow() error {
	p.mu.RLock()
	raw, err := p.newest()
	known := err == nil && slices.Equal(raw, p.raw)
	p.mu.RUnlock()
	if err != nil || known {
		return err
	}
	p.lock()
	defer p.unlock()
	if raw, err = p.newest(); err != nil { // not what was read before: something may have been written behind that, and hold here
		return err
	}
	if err := p.adopt(raw); err != nil {
		return fmt.Errorf("take over the journal of prices: %w", err)
	}
	return nil
}

// newest is the journal as it is known here.
func (p *Pricing) newest() ([]byte, error) {
	raw, err := p.o.place(JournalFile).Read()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the journal of prices: %w", err)
	case raw == nil:
		return nil, errors.New("the journal of prices is not there")
	}
	return raw, nil
}

// Changed has room for one: another node has written something.
func (p *Pricing) Changed() <-chan struct{} { return p.o.place(JournalFile).Changed() }

// Behind is the least event of a node's log behind which own prices hold that this process has taken over since it was asked last; false when it took over none. What of
// the node's log lies there may have been priced without them.
func (p *Pricing) Behind(node uint16) (after entity.Seq, some bool) {
	p.lock()
	defer p.unlock()
	for _, e := range p.changes {
		if at := e.of(node); e.Own != "" && (!some || at < after) {
			after, some = at, true
		}
	}
	p.changes = nil
	return after, some
}
