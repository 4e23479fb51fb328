package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// figure is what the last look found of a rule.
type figure struct {
	At     time.Time `json:"at"`
	Fault  string    `json:"fault,omitempty"` // why it found nothing, or not all
	Groups []Group   `json:"groups,omitempty"`
}

// Group is what the last look found of a rule, or of one of its groups.
type Group struct {
	By     wire.StatRow `json:"by,omitempty"` // the group, by column; absent without group_by
	State  string       `json:"state"`        // ok, warning or alert
	Since  *time.Time   `json:"since"`        // since when; null: it never was anything else, or that is long ago
	Value  *float64     `json:"value"`        // null: there is none
	NoData bool         `json:"no_data"`      // there was no value, and the rule says what that means
}

const (
	// againAfter is how soon a rule is looked at again whose look had to be put off.
	againAfter = 5 * time.Second
	// slack is how much longer than the lag of a rule what was accepted may wait before looks are put off for it.
	slack = 5 * time.Second
	// idle is for how long nobody looks whether there is something to do, unless told to.
	idle = time.Minute
)

// look looks at the rules that are due until ctx ends. Between two looks there is as long a pause as the first took.
func (a *Alerts) look(ctx context.Context) {
	for clock.Pause(ctx, a.round(ctx), a.looks) {
	}
}

// round looks at what is due, and says how long nothing will be.
func (a *Alerts) round(ctx context.Context) time.Duration {
	wait := idle
	for _, h := range a.snapshot() {
		if ctx.Err() != nil || !a.leads() {
			break
		}
		if h.Disabled {
			continue
		}
		if left := a.dueAt(h.id()).Sub(a.o.Now()); left > 0 {
			wait = min(wait, left)
			continue
		}
		began := a.o.Now()
		next := a.lookAt(ctx, &h)
		a.mu.Lock()
		if i, found := find(a.all, h.id()); found && a.all[i].UpdatedAt.Equal(h.UpdatedAt) { // else it is due anew
			a.due[h.id()] = next
		}
		a.mu.Unlock()
		clock.Pause(ctx, min(max(a.o.Now().Sub(began), 0), a.o.Timeout), nil)
		wait = min(wait, next.Sub(a.o.Now()))
	}
	return max(wait, 0)
}

// dueAt is when a rule is to be looked at; the zero time when it was not yet.
func (a *Alerts) dueAt(of id) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.due[of]
}

// lookAt looks at one rule, and says when it is to be looked at again.
func (a *Alerts) lookAt(ctx context.Context, h *held) (next time.Time) {
	at := a.now()
	next = at.Truncate(h.every()).Add(h.every())
	s, err := a.ask(ctx, h.Project, &h.Rule, at)
	switch {
	case ctx.Err() != nil: // told to stop
		return next
	case errors.Is(err, errBehind):
		a.count(func(c *counts) { c.delayed++ })
		a.missed(h, at, err)
		return at.Add(min(againAfter, h.every()))
	case err != nil:
		a.count(func(c *counts) { c.failed++ })
		a.missed(h, at, err)
		a.o.Logger.Warn("the question of an alert could not be answered; it is asked again", "project", h.Project, "alert", h.Name, "error", err)
		return next
	}
	a.count(func(c *counts) { c.looks++; c.last = a.o.Now() })
	left, kept := a.tell(h, s)
	a.keep(h, s, left)
	if !kept {
		return at.Add(min(againAfter, h.every()))
	}
	return next
}

// Faults of looks.
var (
	errBehind = errors.New("what was accepted in the time that is asked about cannot all be asked for yet")
	errGroups = &store.QueryError{Param: "group_by", Message: fmt.Sprintf("has more than %d groups: it has to ask for less", query.MaxLimit)}
	errLeft   = fmt.Errorf("more than %d groups are not ok: of those after them nothing is told", mostStates)
)

// ask asks a rule's question as it is at a time.
func (a *Alerts) ask(ctx context.Context, project string, r *Rule, at time.Time) (*seen, error) {
	if a.o.Behind() > r.lag()+slack {
		return nil, errBehind
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	q, err := query.ReadQuestion(r.Question)
	if err != nil {
		return nil, err
	}
	to := at.Add(-r.lag())
	s := &seen{metric: q.Metric, from: to.Add(-r.window()), to: to, at: at, grouped: len(q.Groups) > 0}
	page, err := a.o.Ask(ctx, project, q.Within(s.from, s.to))
	if err != nil {
		return nil, err
	}
	if page.NextCursor != nil {
		return nil, errGroups
	}
	for _, row := range page.Data {
		s.readings = append(s.readings, readingOf(row, q))
	}
	if !s.grouped && len(s.readings) == 0 {
		s.readings = []reading{{}}
	}
	return s, nil
}

// readingOf reads a row of an answer.
func readingOf(row wire.StatRow, q *query.Question) reading {
	var r reading
	if len(q.Groups) > 0 {
		r.by = wire.StatRow{}
		for _, g := range q.Groups {
			r.by[g] = row[g]
		}
	}
	switch v := row[q.Metric].(type) {
	case float64:
		r.value = &v
	case int64:
		f := float64(v)
		r.value = &f
	}
	return r
}

// tell keeps the changes that a look makes, and what is to be sent of them; then it says so. kept is false when that failed.
func (a *Alerts) tell(h *held, s *seen) (left, kept bool) {
	probe := h.clone()
	_, dirty, left := probe.take(s)
	if !dirty {
		return left, true
	}
	var changes []Change
	err := a.change(h.id(), h.UpdatedAt, func(is *held) bool {
		changes, dirty, left = is.take(s) // of the newest: another node may have told
		return dirty
	})
	if err != nil {
		a.o.Logger.Error("the state of an alert could not be kept, and nothing is told of it; the next look tries again", "project", h.Project, "alert", h.Name, "error", err)
		return left, false
	}
	a.count(func(c *counts) { c.changes += int64(len(changes)) })
	for i := range changes {
		c := &changes[i]
		a.o.Logger.Info("an alert has another state", "project", c.Project, "alert", c.Name, "state", c.State, "before", c.Before, "id", c.ID)
	}
	if len(changes) > 0 {
		clock.Wake(a.sends)
	}
	return left, true
}

// clone is h, whose states can be changed.
func (h *held) clone() *held {
	c := *h
	c.States = append([]state(nil), h.States...)
	c.Deliveries = append([]sending(nil), h.Deliveries...)
	return &c
}

// keep has what a look found shown.
func (a *Alerts) keep(h *held, s *seen, left bool) {
	f := figure{At: s.at}
	if left {
		f.Fault = errLeft.Error()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i, found := find(a.all, h.id())
	if !found || !a.all[i].UpdatedAt.Equal(h.UpdatedAt) {
		return // it was set to another meanwhile
	}
	f.Groups = a.all[i].groups(s)
	a.found[h.id()] = f
}

// missed notes a look that found nothing. What was found before stays.
func (a *Alerts) missed(h *held, at time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, found := find(a.all, h.id())
	if !found || !a.all[i].UpdatedAt.Equal(h.UpdatedAt) {
		return
	}
	f := a.found[h.id()]
	if f.At.IsZero() {
		f.At = at
	}
	f.Fault = faultText(err)
	a.found[h.id()] = f
}

// faultText is what people are told of a look that failed: what they can change is said, the rest is in the log.
func faultText(err error) string {
	var asked *store.QueryError
	var filter *query.FilterError
	switch {
	case errors.As(err, &asked), errors.As(err, &filter), errors.Is(err, errBehind):
		return err.Error()
	case errors.Is(err, store.ErrStarved):
		return "the question needs more memory than a question may have"
	case errors.Is(err, context.DeadlineExceeded):
		return "the question took longer than it may"
	}
	return "the question could not be answered; the server's log says why"
}

func (a *Alerts) count(what func(*counts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what(&a.stats)
}
