package pricing

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// elsewhere prices for a Warehouse that has other Seqs than the one that Options.Born is about.
type elsewhere struct {
	p     *Pricing
	local func(entity.Seq) entity.Seq
}

// Elsewhere is an entity.Pricer by the same journal, which is that of a node alone, for a Warehouse whose Seqs local translates to those of the log.
func (p *Pricing) Elsewhere(local func(entity.Seq) entity.Seq) entity.Pricer {
	return &elsewhere{p, local}
}

// of is what is in force, for a Warehouse whose Seqs local translates; nil: they are the log's.
func (p *Pricing) of(local func(entity.Seq) entity.Seq) *force {
	is := *p.inForce()
	if local != nil {
		is.born = func(seq entity.Seq) (uint16, entity.Seq) { return 0, local(seq) }
	}
	return &is
}

// Price is entity.Pricer's.
func (e *elsewhere) Price(project string, o *entity.ObservationRow) {
	e.p.of(e.local).Price(project, o)
}

// Again is a repricing as a Warehouse does it that has not: calls of Project that start in From ≤ start < To, in Unix µs.
type Again struct {
	Project  string
	From, To int64
	By       entity.Repricer
}

// Repriced is how many repricings were ever begun.
func (p *Pricing) Repriced() int { return p.inForce().countRepricings() }

// Since are the repricings but for the first n, as far as they have come, in the order in which they were said, for a Warehouse whose Seqs local translates.
func (p *Pricing) Since(n int, local func(entity.Seq) entity.Seq) (all []Again) {
	is := p.of(local)
	for i, e := range is.journal.Entries {
		if e.Reprice == nil {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		for _, r := range is.repricings[e.Project] {
			if r.n == i && r.from < r.done {
				all = append(all, Again{e.Project, r.from, r.done, r.upTo(is, e.Project, r.done)})
			}
		}
	}
	return all
}

// Afters are the places in the log of a node, which has that number among others, behind which an entry of the journal in dir holds, without 0. nil: there is no journal.
func Afters(dir string, node uint16) (places []entity.Seq, err error) {
	raw, err := (&Options{Dir: dir}).place(JournalFile).Read()
	if err != nil || raw == nil {
		return nil, err
	}
	j, err := parseJournal(raw)
	if err != nil {
		return nil, err
	}
	for _, e := range j.Entries {
		if at := e.behind(node); at > 0 {
			places = append(places, at)
		}
	}
	return places, nil
}

// behind is the place in a node's log behind which the entry holds.
func (e *entry) behind(node uint16) entity.Seq {
	reach := e.as(node)
	return reach.of(node)
}

// Move writes the journal in from, of a node that has that number among others, and the texts that it names, to the directory to: for a log of its own, in which each place
// of the node's is another one, which moved says.
func Move(from, to string, node uint16, moved func(entity.Seq) entity.Seq) error {
	old, kept := &Options{Dir: from}, &Options{Dir: to}
	raw, err := old.place(JournalFile).Read()
	if err != nil || raw == nil {
		return err
	}
	j, err := parseJournal(raw)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for i := range j.Entries {
		e := &j.Entries[i]
		if err := e.moveTexts(old, kept); err != nil {
			return fmt.Errorf("move prices: %w", err)
		}
		at := e.behind(node)
		if e.Reach = (Reach{}); at > 0 {
			e.After = moved(at)
		}
	}
	if _, err := kept.place(JournalFile).Change(func([]byte) ([]byte, error) { return j.encode() }); err != nil {
		return fmt.Errorf("move prices: %w", err)
	}
	return durable.SyncDir(filepath.Dir(to))
}

// moveTexts copies what the entry names.
func (e *entry) moveTexts(from, to *Options) error {
	hashes := []string{e.Book, e.Own}
	if e.Reprice != nil {
		hashes = append(hashes, e.Reprice.Book, e.Reprice.Own)
	}
	for _, hash := range hashes {
		if hash == "" {
			continue
		}
		text, err := from.text(hash)
		if err == nil {
			_, err = to.keep(text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
