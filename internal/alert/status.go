package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Row is a rule and how it stands. Secrets and paths of addresses are masked in it.
type Row struct {
	Rule
	// Metric is what the question asks for.
	Metric string `json:"metric"`
	// UpdatedAt is when it was last put.
	UpdatedAt time.Time `json:"updated_at"`
	// UpdatedBy is the id of the key that did.
	UpdatedBy string `json:"updated_by"`
	// State is ok, warning or alert: the worst of its groups.
	State string `json:"state"`
	// Since is since when it is; null: it never was anything else.
	Since *time.Time `json:"since"`
	// At is when it was last looked at; null: not yet.
	At *time.Time `json:"at"`
	// Fault is why the last look found nothing, or not all; "" when it did.
	Fault string `json:"fault"`
	// Groups is what the last look found, the worst first, at most 100; one without group_by.
	Groups []Group `json:"groups"`
	// Pending is how many messages of it are still to be sent.
	Pending int64 `json:"pending"`
}

// mostShown is how many groups of a rule are shown.
const mostShown = 100

// List is the rules of a project by name, and how they stand.
func (a *Alerts) List(project string) []Row {
	rows := []Row{}
	for _, h := range a.snapshot() {
		if h.Project == project {
			rows = append(rows, a.row(&h))
		}
	}
	return rows
}

// Get is one of them.
func (a *Alerts) Get(project, name string) (Row, error) {
	h, found := a.held(id{project, name})
	if !found {
		return Row{}, ErrUnknown
	}
	return a.row(&h), nil
}

func (a *Alerts) held(of id) (held, bool) {
	all := a.snapshot()
	i, found := find(all, of)
	if !found {
		return held{}, false
	}
	return all[i], true
}

func (a *Alerts) row(h *held) Row {
	a.mu.Lock()
	f := a.found[h.id()]
	a.mu.Unlock()
	r := Row{Rule: h.Rule, Metric: h.metric(), UpdatedAt: h.UpdatedAt, UpdatedBy: h.UpdatedBy, Since: h.Since, Fault: f.Fault, Pending: int64(h.pending())}
	r.Destinations = make([]Destination, len(h.Destinations))
	for i, d := range h.Destinations {
		r.Destinations[i] = d.shown()
	}
	r.State, _ = h.worst()
	r.Groups = append([]Group{}, f.Groups...)
	if !f.At.IsZero() {
		r.At = &f.At
	}
	return r
}

// groups is what a look found, with the states as they are now, the worst first.
func (h *held) groups(s *seen) []Group {
	states := map[string]*state{}
	for i := range h.States {
		states[keyOf(h.States[i].By)] = &h.States[i]
	}
	var all []Group
	met := map[string]bool{}
	add := func(r *reading) {
		key := keyOf(r.by)
		met[key] = true
		g := Group{By: r.by, State: stateOK, Value: r.value, NoData: r.value == nil}
		if is := states[key]; is != nil {
			g.State = is.Is
			if !is.Since.IsZero() {
				g.Since = &is.Since
			}
		} else if r.by == nil {
			g.Since = h.Since
		}
		all = append(all, g)
	}
	for i := range s.readings {
		add(&s.readings[i])
	}
	for i := range h.States {
		if is := &h.States[i]; s.grouped && !met[keyOf(is.By)] && is.Is != stateOK {
			add(&reading{by: is.By})
		}
	}
	slices.SortStableFunc(all, func(a, b Group) int { return h.compare(&a, &b) })
	return all[:min(len(all), mostShown)]
}

// compare has the worse group first: by its state, then by its value.
func (h *held) compare(a, b *Group) int {
	switch {
	case a.State != b.State:
		return rank(b.State) - rank(a.State)
	case a.Value == nil && b.Value == nil:
		return 0
	case a.Value == nil:
		return 1
	case b.Value == nil:
		return -1
	case *a.Value == *b.Value:
		return 0
	case (*a.Value > *b.Value) == (h.Comparison == above):
		return -1
	}
	return 1
}

// Deliveries are what was sent of a rule and what is to be, the newest first.
func (a *Alerts) Deliveries(project, name string) ([]Delivery, error) {
	h, found := a.held(id{project, name})
	if !found {
		return nil, ErrUnknown
	}
	list := []Delivery{}
	for _, s := range slices.Backward(h.Deliveries) {
		list = append(list, s.Delivery)
	}
	return list, nil
}

// counts is what was done since Open.
type counts struct {
	looks, failed, delayed, changes, sent, retries, dropped int64
	last                                                    time.Time // of the last look
}

func (c *counts) note(o outcome) {
	switch {
	case o.taken:
		c.sent++
	case o.gone:
		c.dropped++
	default:
		c.retries++
	}
}

// Gauge is how one rule stands, for those who measure.
type Gauge struct {
	Project, Name string
	State         int // 0 ok, 1 warning, 2 alert
}

// Stats is what was done since Open, and how all rules stand.
type Stats struct {
	Alerts  []Gauge
	Looks   int64     // questions that were answered
	Failed  int64     // that were not
	Delayed int64     // looks that were put off because what was accepted could not be asked for yet
	Last    time.Time // of the last look; zero before the first
	Changes int64     // of states
	Sent    int64     // messages that were taken
	Retries int64     // attempts at which they were not
	Dropped int64     // messages that were given up
	Pending int       // that are to be sent
	Leads   bool      // this node looks and sends
	Fault   bool      // the last write failed
}

// Stats counts, and says how it stands.
func (a *Alerts) Stats() Stats {
	leads := a.leads()
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.stats
	s := Stats{
		Looks: c.looks, Failed: c.failed, Delayed: c.delayed, Last: c.last, Changes: c.changes, Sent: c.sent, Retries: c.retries, Dropped: c.dropped,
		Leads: leads, Fault: a.kept.Fault() != "",
	}
	for i := range a.all {
		h := &a.all[i]
		worst, _ := h.worst()
		s.Alerts = append(s.Alerts, Gauge{h.Project, h.Name, rank(worst)})
		s.Pending += h.pending()
	}
	return s
}

// Health is the line of /readyz: whether what is found can be kept. What a rule asks for or where it sends is its project's matter.
func (a *Alerts) Health() store.Health {
	leads := a.leads()
	a.mu.Lock()
	defer a.mu.Unlock()
	h := store.Health{Part: "alerts", OK: true, Detail: fmt.Sprintf("%d are watched", len(a.all))}
	if !leads {
		h.Detail += " by another node"
	}
	if fault := a.kept.Fault(); fault != "" {
		h.OK, h.Detail = false, "the file of alerts cannot be written: "+strings.ReplaceAll(fault, "\n", " ")
	}
	return h
}
