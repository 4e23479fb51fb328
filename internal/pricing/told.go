package pricing

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Repricing is one of a project's, as it is told.
type Repricing struct {
	At    *time.Time `json:"at"`    // when it began; null: it has not
	From  *time.Time `json:"from"`  // when the calls start: null is all before to
	To    time.Time  `json:"to"`    // and before this
	Model string     `json:"model"` // of these calls; "" is all
	Book  string     `json:"book"`  // the version of the book that they have their prices from
	// OwnPrices is when the project's own prices were set that come before it; null: there are none.
	OwnPrices *time.Time `json:"own_prices"`
	Cost      Choice     `json:"cost"` // the setting --cost that holds for them
	State     string     `json:"state"`
	// Done is up to which start calls are priced anew; null: none is.
	Done *time.Time `json:"done"`
	entity.RepricedTotals
}

// The states of a repricing.
const (
	StatePlanned = "planned" // it was not asked to begin
	StateNothing = "nothing" // it would change nothing, and did not begin
	StateRunning = "running"
	StateDone    = "done"
)

// describe is a repricing as it is told.
func (f *force) describe(e *entry, r *repricing) Repricing {
	told := Repricing{
		From: timeOrNil(e.Reprice.From), To: e.Reprice.To, Model: e.Reprice.Model, Book: r.book.Version(), Cost: e.Reprice.Cost, RepricedTotals: e.Reprice.RepricedTotals, State: StatePlanned,
	}
	for i := range f.journal.Entries[:r.n] { // the same may have been set again since
		if set := &f.journal.Entries[i]; e.Reprice.Own != "" && set.Own == e.Reprice.Own && set.Project == e.Project {
			told.OwnPrices = &set.At
		}
	}
	if e.At.IsZero() {
		return told
	}
	told.At, told.State = &e.At, StateDone
	if r.done > r.from {
		told.Done = timeOrNil(timeOf(r.done))
	}
	if r.done < r.to {
		told.State = StateRunning
	}
	return told
}

// Repricings is all repricings of a project, the oldest first.
func (p *Pricing) Repricings(project string) []Repricing {
	is := p.inForce()
	all := []Repricing{}
	for i := range is.repricings[project] {
		r := &is.repricings[project][i]
		e := is.journal.Entries[r.n]
		all = append(all, is.describe(&e, r))
	}
	return all
}

// Former is what a call cost before it was repriced.
type Former struct {
	TotalCost  *float64 `json:"total_cost"`
	CostSource string   `json:"cost_source"`
	CostReason string   `json:"cost_reason,omitempty"`
	Book       string   `json:"book,omitempty"` // by which it was computed; absent: it was not
	// Until is when the repricing began that changed it, and By the book that this was by.
	Until time.Time `json:"until"`
	By    string    `json:"by"`
}

// former is what a call cost, which is as it was sent, before each of the repricings that changed that, the oldest first.
func (f *force) former(project string, o *entity.ObservationRow) []Former {
	start, first := startOf(o), f.heard(o)
	base := f.of(project, start, &first)
	var all []Former
	for i := range f.repricings[project] {
		r := &f.repricings[project][i]
		if r.n <= base.n || !r.after.covers(&first) || !r.covers(start, o.Model) {
			continue
		}
		v, by := f.verdict(project, o, r.n)
		is, _ := f.verdict(project, o, r.n+1)
		was, told := v.of(o), is.of(o)
		if was.Equal(&told) {
			continue
		}
		x := Former{TotalCost: was.Total, CostSource: was.Source, CostReason: was.Reason, Until: r.at, By: r.book.Version()}
		if v.is == computed {
			x.Book = by.book.Version()
		}
		all = append(all, x)
	}
	return all
}

// of is the costs that a call, which is as it was sent, has by the verdict.
func (v *verdict) of(o *entity.ObservationRow) entity.Costed {
	switch v.is {
	case computed:
		return o.Costed(&v.costs, v.reason)
	case unpriced:
		return entity.Costed{Source: entity.CostNone, Reason: v.reason}
	}
	return o.Costs()
}
