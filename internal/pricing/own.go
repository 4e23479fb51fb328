package pricing

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/price"
)

// ErrInvalid is that of own prices that cannot be taken; its text says what is wrong, by line and model.
var ErrInvalid = errors.New("invalid own prices")

// OwnSet is own prices as a project set them at once, in the place of all before.
type OwnSet struct {
	At time.Time `json:"at"` // when
	// From is when calls start for which they hold, of those that were not heard of at At.
	From   time.Time       `json:"from"`
	Prices json.RawMessage `json:"prices"`
}

// SetOwn makes text the own prices of a project, for calls that start at from or later and of which the log has no event yet. It
// returns when that is on the disk and in force. What is wrong with the text is an ErrInvalid.
func (p *Pricing) SetOwn(project string, text []byte, from time.Time) error {
	if _, err := price.ParseOwn(OwnSource, project, text); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	hash, err := p.o.keep(text)
	if err == nil {
		err = p.add(entry{Own: hash, Project: project, From: from.UTC().Truncate(time.Microsecond)})
	}
	if err != nil {
		return fmt.Errorf("set own prices: %w", err)
	}
	return nil
}

// add puts own prices in force, for what comes behind the heads of the logs.
func (p *Pricing) add(e entry) error {
	p.lock()
	defer p.unlock()
	return p.write(func(j *journal) (err error) {
		e.At = p.now()
		if e.Reach, err = p.o.reach(j); err == nil {
			j.Entries = append(j.Entries, e)
		}
		return err
	})
}

// Own is all own prices that a project ever set, the oldest first.
func (p *Pricing) Own(project string) ([]OwnSet, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	all := []OwnSet{}
	own, n := p.is.own[project], 0
	for _, e := range p.is.journal.Entries {
		if e.Own != "" && e.Project == project {
			text, err := own[n].is.text()
			if err != nil {
				return nil, fmt.Errorf("read own prices: %w", err)
			}
			all = append(all, OwnSet{e.At, e.From, text})
			n++
		}
	}
	return all, nil
}

// InForce is the version of the book and the setting that hold for a call that starts now.
func (p *Pricing) InForce() (book string, cost Choice) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.is.books[len(p.is.books)-1].is.Version(), p.is.choices[len(p.is.choices)-1].is
}
