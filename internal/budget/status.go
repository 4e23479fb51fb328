package budget

import (
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Status is a budget and how it stands.
type Status struct {
	Budget
	// KeyName is the name of the key of key_id; absent when it has none, and of a budget of no key.
	KeyName string `json:"key_name,omitempty"`
	// Start is when the present period began; null before the first look.
	Start *time.Time `json:"period_start"`
	// End is when it ends; null before the first look.
	End *time.Time `json:"period_end"`
	// Spend is the cost of the calls that began in it, in USD, as GET /v1/stats has it; null before the first look.
	Spend *float64 `json:"spend_usd"`
	// Unpriced is how many calls have no cost that is known: with them it is more.
	Unpriced int64 `json:"unpriced_count"`
	// Expired is true when retention has removed a part of the period: what it cost is not in the spend.
	Expired bool `json:"expired"`
	// Reached is the highest level that the spend has reached: warn, stop, or "" for none.
	Reached string `json:"reached"`
	// At is when that was looked at.
	At *time.Time `json:"at"`
	// Fault is true when the last look failed: the figures, if any, are those before.
	Fault bool `json:"fault"`
	// Alerts are the levels of this period, and late ones of that before, that were told.
	Alerts []Alert `json:"alerts"`
}

// List is the budgets of a project.
func (b *Budgets) List(project string) []Budget {
	list := []Budget{}
	for _, h := range b.snapshot() {
		if h.Project == project {
			list = append(list, h.Budget)
		}
	}
	return list
}

// Status is how the budgets of a project stand, by the last look.
func (b *Budgets) Status(project string) []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []Status{}
	for i := range b.all {
		if h := &b.all[i]; h.Project == project {
			list = append(list, b.statusOf(h))
		}
	}
	return list
}

// statusOf is how one budget stands. b.mu is held.
func (b *Budgets) statusOf(h *held) Status {
	f := b.figures[h.id()]
	s := Status{Budget: h.Budget, Fault: f.fault, Alerts: append([]Alert{}, h.Alerts...)}
	if h.KeyID != "" {
		s.KeyName, _ = b.o.KeyName(h.Project, h.KeyID)
	}
	if !f.known {
		return s
	}
	s.Start, s.End, s.Spend, s.Unpriced, s.At = &f.from, &f.to, &f.spend, f.unpriced, &f.at
	if kept := b.o.Kept(h.Project); kept > 0 {
		s.Expired = f.at.Add(-kept).After(f.from)
	}
	for _, l := range h.levels() {
		if l.usd != nil && f.spend >= *l.usd {
			s.Reached = l.name
		}
	}
	return s
}

// counts is what was done since Open.
type counts struct {
	looks, failures, alerts, sent, retries, dropped int64
	last                                            time.Time // of the last look
}

// Gauge is how one budget stands, for those who measure.
type Gauge struct {
	Project, Name  string
	KeyID, KeyName string // "" of a budget of no key
	Known          bool   // it was looked at
	Spend          float64
	Unpriced       int64
	Warn, Stop     *float64
	Over           bool // the stop level is reached
}

// Stats is what was done since Open, and how all budgets stand.
type Stats struct {
	Budgets []Gauge
	Looks   int64     // at all budgets
	Failed  int64     // questions of them that failed
	Last    time.Time // of the last look; zero before the first
	Alerts  int64     // levels that were reached
	Sent    int64     // alerts that a webhook took
	Retries int64     // requests that it did not take
	Dropped int64     // alerts that were given up
	Pending int       // alerts that are to be sent
	Fault   bool      // the last write, look at a budget, or request failed
}

// Stats counts, and says how it stands.
func (b *Budgets) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.stats
	s := Stats{
		Looks: c.looks, Failed: c.failures, Last: c.last, Alerts: c.alerts, Sent: c.sent, Retries: c.retries, Dropped: c.dropped,
		Fault: b.troubled() != "",
	}
	for i := range b.all {
		is := b.statusOf(&b.all[i])
		g := Gauge{Project: b.all[i].Project, Name: is.Name, KeyID: is.KeyID, KeyName: is.KeyName, Unpriced: is.Unpriced, Warn: is.Warn, Stop: is.Stop, Over: is.Reached == Stop}
		if g.Known = is.Spend != nil; g.Known {
			g.Spend = *is.Spend
		}
		s.Budgets = append(s.Budgets, g)
		for _, a := range is.Alerts {
			if a.Delivery == pending {
				s.Pending++
			}
		}
	}
	return s
}

// troubled says what does not work. b.mu is held.
func (b *Budgets) troubled() string {
	if fault := b.kept.Fault(); fault != "" {
		return "the file of budgets cannot be written: " + fault
	}
	for i := range b.all {
		h := &b.all[i]
		if f := b.figures[h.id()]; f.fault {
			return "what was spent cannot be asked; the log says why"
		}
		why, refuses := b.refusals[h.Project]
		if refuses && slices.ContainsFunc(h.Alerts, func(a Alert) bool { return a.Delivery == pending }) {
			return "the webhook does not take alerts, which are sent again: " + why
		}
	}
	return ""
}

// Health is the line of /readyz: whether levels are watched and told, never how much was spent. It blocks nothing.
func (b *Budgets) Health() store.Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := store.Health{Part: "budgets", OK: true, Detail: fmt.Sprintf("%d are watched", len(b.all))}
	if why := b.troubled(); why != "" {
		h.OK, h.Detail = false, why
	}
	return h
}
