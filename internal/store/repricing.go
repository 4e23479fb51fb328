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
	Model string `json:"model"` // "" is none
	entity.RepricedTotals
}

// Tally adds up what became of calls, by their models.
type Tally map[string]*tallied

type tallied struct {
	Repriced
	former, cost sum
}

// sum is of costs of which some may not be known.
type sum struct {
	entity.Money
	any bool
}

func (s *sum) add(cost *float64) {
	if cost != nil {
		s.Add(*cost)
		s.any = true
	}
}

func (s *sum) join(o *sum) {
	s.Join(o.Money)
	s.any = s.any || o.any
}

// known is nil when nothing is.
func (s *sum) known() *float64 {
	if !s.any {
		return nil
	}
	sum := s.Sum()
	return &sum
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
	m.former.add(before)
	m.cost.add(o.TotalCost)
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
		m.Count(&o.RepricedTotals)
		m.former.join(&o.former)
		m.cost.join(&o.cost)
	}
}

// Models is what became of all calls, by their models in the order of the names, and of all together.
func (t Tally) Models() (models []Repriced, all entity.RepricedTotals) {
	var former, cost sum
	models = make([]Repriced, 0, len(t))
	for _, m := range t {
		m.Former, m.New = m.former.known(), m.cost.known()
		models = append(models, m.Repriced)
		all.Count(&m.RepricedTotals)
		former.join(&m.former)
		cost.join(&m.cost)
	}
	all.Former, all.New = former.known(), cost.known()
	slices.SortFunc(models, func(a, b Repriced) int { return strings.Compare(a.Model, b.Model) })
	return models, all
}
