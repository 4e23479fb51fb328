package pricing

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Seqs says of the Seqs of a Warehouse which of the log they are, or, with mine false, of which other node; known false: nobody knows of which.
type Seqs func(entity.Seq) (node uint16, own entity.Seq, mine, known bool)

// elsewhere prices for a Warehouse that has other Seqs than the one that Options.Born is about.
type elsewhere struct {
	p    *Pricing
	seqs Seqs
}

// Elsewhere is an entity.Pricer by the same journal for a Warehouse that has other Seqs. What came from others counts as heard of later than all that was said, unless the journal says otherwise.
func (p *Pricing) Elsewhere(seqs Seqs) entity.Pricer {
	return &elsewhere{p, seqs}
}

// of is what is in force, for a Warehouse that has other Seqs; nil: it has those of Options.Born.
func (p *Pricing) of(seqs Seqs) *force {
	is := *p.inForce()
	if seqs == nil {
		return &is
	}
	numbers := p.o.numbers(&is.journal)
	is.born = func(seq entity.Seq) (uint16, entity.Seq) {
		node, own, mine, known := seqs(seq)
		switch {
		case mine:
			return numbers.Born(own)
		case known && len(numbers) > 0:
			return node, own
		}
		return 0, math.MaxInt64
	}
	return &is
}

// Price is entity.Pricer's.
func (e *elsewhere) Price(project string, o *entity.ObservationRow) {
	e.p.of(e.seqs).Price(project, o)
}

// Again is a repricing as a Warehouse does it that has not: calls of Project that start in From ≤ start < To, in Unix µs.
type Again struct {
	Project  string
	From, To int64
	By       entity.Repricer
}

// Repriced is how many repricings were ever begun.
func (p *Pricing) Repriced() int { return p.inForce().countRepricings() }

// Since are the repricings but for the first n, as far as they have come, in the order in which they were said, for a Warehouse that has other Seqs.
func (p *Pricing) Since(n int, seqs Seqs) (all []Again) {
	is := p.of(seqs)
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

// Afters are the places in the logs of nodes behind which an entry of the journal in dir holds, without 0, each once; it is that of the node number. nil: there is no journal.
func Afters(dir string, number uint16) (places map[uint16][]entity.Seq, err error) {
	j, err := readJournal(&Options{Dir: dir})
	if err != nil || j == nil {
		return nil, err
	}
	places = map[uint16][]entity.Seq{}
	for i := range j.Entries {
		r := j.reachOf(i, number)
		r.each(func(node uint16, seq entity.Seq) {
			if !slices.Contains(places[node], seq) {
				places[node] = append(places[node], seq)
			}
		})
	}
	return places, nil
}

// readJournal is the journal of o, nil when there is none.
func readJournal(o *Options) (*journal, error) {
	raw, err := o.place(JournalFile).Read()
	if err != nil || raw == nil {
		return nil, err
	}
	return parseJournal(raw)
}

// reachOf is the reach of the i-th entry by the numbers of the nodes, in the journal of one of them. One that never shared its journal was node 0 to itself.
func (j *journal) reachOf(i int, number uint16) Reach {
	if j.Version < SharedVersion {
		return j.Entries[i].as(number)
	}
	return j.Entries[i].Reach
}

// Move writes the journal in from, of the node number, and the texts that it names, to the directory to: for a log that has the events of nodes as numbers say, in which each
// place of a node's log is another one, which moved says.
func Move(from, to string, number uint16, numbers Numbers, moved func(node uint16, place entity.Seq) entity.Seq) error {
	old, kept := &Options{Dir: from}, &Options{Dir: to}
	j, err := readJournal(old)
	if err != nil || j == nil {
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
		was := j.reachOf(i, number)
		e.Reach = Reach{}
		was.each(func(node uint16, place entity.Seq) { e.Reach.set(node, moved(node, place)) })
	}
	j.Version, j.Numbers = SharedVersion, numbers
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
