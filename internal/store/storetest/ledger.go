package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Ledger stands for the Log behind a Warehouse: it knows the records that were put in, with their Fields. The zero value
// knows none. It is safe for concurrent use.
type Ledger struct {
	mu     sync.Mutex // guards what follows
	recs   map[entity.Seq]entity.Record
	prices entity.Pricer
}

// SetPrices says by what a Warehouse that is opened from now on prices calls.
func (l *Ledger) SetPrices(p entity.Pricer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prices = p
}

// Prices is the Pricer of a Warehouse that is opened now; nil: there is none.
func (l *Ledger) Prices() entity.Pricer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prices
}

// Add puts records in; one of the same Seq takes the place of another.
func (l *Ledger) Add(recs ...entity.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recs == nil {
		l.recs = map[entity.Seq]entity.Record{}
	}
	for _, r := range recs {
		l.recs[r.Seq] = r
	}
}

// Remove takes out the records for which gone is true.
func (l *Ledger) Remove(gone func(*entity.Record) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seq, r := range l.recs {
		if gone(&r) {
			delete(l.recs, seq)
		}
	}
}

// Erase takes out the project's records at seqs.
func (l *Ledger) Erase(project string, seqs ...entity.Seq) {
	l.Remove(func(r *entity.Record) bool { return r.Project == project && slices.Contains(seqs, r.Seq) })
}

// Records returns those at seqs, in their order, as a Log does.
func (l *Ledger) Records(_ context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	recs := make([]entity.Record, 0, len(seqs))
	for _, seq := range seqs {
		if r, ok := l.recs[seq]; ok {
			recs = append(recs, r)
		}
	}
	return recs, nil
}

// All returns every record, by Seq.
func (l *Ledger) All() []entity.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	recs := make([]entity.Record, 0, len(l.recs))
	for _, seq := range slices.Sorted(maps.Keys(l.recs)) {
		recs = append(recs, l.recs[seq])
	}
	return recs
}
