package store

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Repricing is calls of a project that are to have other costs: those that start in From ≤ start < To, in Unix µs, and are no duplicates.
type Repricing struct {
	Project  string
	From, To int64
	By       entity.Repricer
	// Done is called once the rows have their new costs, before anything else is inserted. Its error is that of Reprice; the
	// rows keep their new costs all the same. nil: nothing is changed, only told.
	Done func() error
}

// Repriced is what became, or would become, of the calls of a model.
type Repriced struct {
	Model   string
	Calls   int64
	Changed int64 // whose costs, or the reasons for none, are others
	Gained  int64 // that had no cost and have one
	Lost    int64 // that had a cost and have none
	Kept    int64 // that keep theirs, because there is no price any more
	Former  float64
	Cost    float64 // the sums, in USD
}

// Tally adds up what became of calls, by their models.
type Tally map[string]*tallied

type tallied struct {
	Repriced
	former, cost entity.Money
}

// Add takes in a call, which had the total before, nil for none. Those of which it is entity.Other count for nothing.
func (t Tally) Add(is entity.Repriced, o *entity.ObservationRow, before *float64) {
	if is == entity.Other {
		return
	}
	m := t[o.Model]
	if m == nil {
		m = &tallied{}
		m.Model = strings.Clone(o.Model)
		t[m.Model] = m
	}
	m.Calls++
	if before != nil {
		m.former.Add(*before)
	}
	if o.TotalCost != nil {
		m.cost.Add(*o.TotalCost)
	}
	switch is {
	case entity.Kept:
		m.Kept++
	case entity.Changed:
		m.Changed++
		switch {
		case before == nil && o.TotalCost != nil:
			m.Gained++
		case before != nil && o.TotalCost == nil:
			m.Lost++
		}
	}
}

// Join takes in what another has.
func (t Tally) Join(other Tally) {
	for model, o := range other {
		m := t[model]
		if m == nil {
			t[model] = o
			continue
		}
		m.Calls, m.Changed, m.Gained, m.Lost, m.Kept = m.Calls+o.Calls, m.Changed+o.Changed, m.Gained+o.Gained, m.Lost+o.Lost, m.Kept+o.Kept
		m.former.Join(o.former)
		m.cost.Join(o.cost)
	}
}

// Models is what became of all calls, by their models in the order of the names, and of all together.
func (t Tally) Models() (models []Repriced, all Repriced) {
	var former, cost entity.Money
	models = make([]Repriced, 0, len(t))
	for _, m := range t {
		m.Former, m.Cost = m.former.Sum(), m.cost.Sum()
		models = append(models, m.Repriced)
		all.Calls, all.Changed, all.Gained, all.Lost, all.Kept = all.Calls+m.Calls, all.Changed+m.Changed, all.Gained+m.Gained, all.Lost+m.Lost, all.Kept+m.Kept
		former.Join(m.former)
		cost.Join(m.cost)
	}
	all.Former, all.Cost = former.Sum(), cost.Sum()
	slices.SortFunc(models, func(a, b Repriced) int { return strings.Compare(a.Model, b.Model) })
	return models, all
}
