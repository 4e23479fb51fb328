package torture

import (
	"fmt"
	"testing"
	"time"
)

// result is what a run has to show.
type result struct {
	seed  uint64
	began time.Time
	kills int
	rows  []*row
	told  map[string]int
	slow  time.Duration
	total int
}

// row is one kind of fault.
type row struct {
	fault         string
	rounds, kills int
}

func newResult(seed uint64) *result {
	return &result{seed: seed, began: time.Now(), told: map[string]int{}}
}

func (r *result) row(f *fault) *row {
	for _, x := range r.rows {
		if x.fault == f.name {
			return x
		}
	}
	r.rows = append(r.rows, &row{fault: f.name})
	return r.rows[len(r.rows)-1]
}

// live runs rounds in w until the run has seen so many kills.
func (r *result) live(t *testing.T, w *world, faults []*fault, until int) error {
	for r.kills < until {
		f := pick(w.rng, faults)
		began, before := time.Now(), w.kills
		err := w.round(f)
		x := r.row(f)
		x.rounds++
		x.kills += w.kills - before
		r.kills += w.kills - before
		t.Logf("round %d, %s: %d kills, %d events so far, %s", w.rounds, f.name, w.kills-before, w.ledger.total(), time.Since(began).Round(time.Millisecond))
		if err != nil {
			return err
		}
	}
	err := w.end()
	for k, n := range w.ledger.told {
		r.told[k] += n
	}
	r.total += w.ledger.total()
	r.slow = max(r.slow, w.slowest)
	return err
}

func (r *result) markdown() string {
	s := ""
	for _, x := range r.rows {
		s += fmt.Sprintf("| %s | %d | %d |\n", x.fault, x.rounds, x.kills)
	}
	return s + fmt.Sprint(r.told, r.slow)
}

func (r *result) writeInto(string) error { return nil }
