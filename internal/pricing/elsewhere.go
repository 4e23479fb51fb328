package pricing

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// elsewhere prices for a Warehouse that has other Seqs than the one that Options.Local is about.
type elsewhere struct {
	p     *Pricing
	local func(entity.Seq) entity.Seq
}

// Elsewhere is an entity.Pricer by the same journal, for a Warehouse whose Seqs local translates to those of the log.
func (p *Pricing) Elsewhere(local func(entity.Seq) entity.Seq) entity.Pricer {
	return &elsewhere{p, local}
}

// Price is entity.Pricer's.
func (e *elsewhere) Price(project string, o *entity.ObservationRow) {
	is := *e.p.inForce()
	is.local = e.local
	is.Price(project, o)
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
	is := *p.inForce()
	is.local = local
	for i, e := range is.journal.Entries {
		if e.Reprice == nil {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		for _, r := range is.repricings[e.Project] {
			if r.n == i && r.from < r.done {
				all = append(all, Again{e.Project, r.from, r.done, r.upTo(&is, e.Project, r.done)})
			}
		}
	}
	return all
}

// Afters are the places in the log behind which an entry of the journal in dir holds, without 0. nil: there is no journal.
func Afters(dir string) (places []entity.Seq, err error) {
	j, err := readJournal(dir)
	if err != nil || j == nil {
		return nil, err
	}
	for _, e := range j.Entries {
		if e.After > 0 {
			places = append(places, e.After)
		}
	}
	return places, nil
}

// Move writes the journal in from, and the texts that it names, to the directory to, for a log in which each place is another one, which moved says.
func Move(from, to string, moved func(entity.Seq) entity.Seq) error {
	j, err := readJournal(from)
	if err != nil || j == nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for i := range j.Entries {
		e := &j.Entries[i]
		hashes := []string{e.Book, e.Own}
		if e.Reprice != nil {
			hashes = append(hashes, e.Reprice.Book, e.Reprice.Own)
		}
		for _, hash := range hashes {
			if hash == "" {
				continue
			}
			text, err := readText(from, hash)
			if err != nil {
				return fmt.Errorf("move prices: %w", err)
			}
			if _, err := writeText(to, text); err != nil {
				return fmt.Errorf("move prices: %w", err)
			}
		}
		if e.After > 0 {
			e.After = moved(e.After)
		}
	}
	if err := j.write(to); err != nil {
		return fmt.Errorf("move prices: %w", err)
	}
	return durable.SyncDir(filepath.Dir(to))
}
