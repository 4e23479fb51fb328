package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// lead is which of several nodes looks and sends, until when, and what it found last.
type lead struct {
	lease
	Found []foundOf `json:"found,omitempty"`
}

// foundOf is what was found of one rule.
type foundOf struct {
	Project string    `json:"project"`
	Name    string    `json:"name"`
	Set     time.Time `json:"set"` // the rule that was set then
	figure
}

// mostShared is how many groups the others are told of, of all rules.
const mostShared = 5000

// leads says whether this node is the one that looks and sends.
func (a *Alerts) leads() bool {
	if a.o.Lead == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lead.Node == a.o.Node && a.o.Now().Before(a.lead.Until)
}

// leading takes the lead when nobody has it, keeps it, and leaves it to others when ctx ends.
func (a *Alerts) leading(ctx context.Context) {
	told := ""
	for {
		err := a.elect(false)
		switch {
		case err == nil:
			told = ""
		case err.Error() != told:
			told = err.Error()
			a.o.Logger.Warn("which node looks at alerts cannot be said; this one does not", "error", err)
		}
		if !clock.Pause(ctx, a.o.Lease/3, a.o.Lead.Changed()) {
			break
		}
	}
	if !a.leads() {
		return
	}
	if err := a.elect(true); err != nil {
		a.o.Logger.Warn("the other nodes could not be told that this one looks at alerts no more; one of them does when its lease is over", "error", err)
	}
}

// elect takes or keeps the lead, unless another node has it; leave has it end.
func (a *Alerts) elect(leave bool) error {
	text, err := a.o.Lead.Read()
	if err == nil {
		err = a.follows(text)
	}
	if err != nil {
		return err
	}
	if others := a.leader(); others.Node != a.o.Node && a.o.Now().Before(others.Until) {
		return nil // what is known is enough to leave it alone
	}
	text, err = a.o.Lead.Change(func(old []byte) ([]byte, error) {
		is, err := parseLead(old)
		now := a.now()
		switch {
		case err != nil:
			return nil, err
		case is.Node != a.o.Node && now.Before(is.Until):
			return old, nil
		}
		next := lead{lease: lease{a.o.Node, now.Add(a.o.Lease)}, Found: a.shared()}
		if leave {
			next.Until = now
		}
		raw, err := json.Marshal(next)
		return append(raw, '\n'), err
	})
	if err != nil {
		return err
	}
	return a.follows(text)
}

func parseLead(text []byte) (l lead, err error) {
	if text == nil {
		return l, nil
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("what is kept of who looks at alerts is damaged: %w", err)
	}
	return l, nil
}

// follows has what is kept of the lead hold here.
func (a *Alerts) follows(text []byte) error {
	is, err := parseLead(text)
	if err != nil {
		return err
	}
	had := a.leads()
	a.mu.Lock()
	a.lead = is
	if is.Node != a.o.Node { // what the one found that looks
		a.found = map[id]figure{}
		a.due = map[id]time.Time{}
		for _, f := range is.Found {
			if i, there := find(a.all, id{f.Project, f.Name}); there && a.all[i].UpdatedAt.Equal(f.Set) {
				a.found[id{f.Project, f.Name}] = f.figure
			}
		}
	}
	a.mu.Unlock()
	if !had && a.leads() {
		a.o.Logger.Info("this node looks at alerts")
		clock.Wake(a.looks)
		clock.Wake(a.sends)
	}
	return nil
}

func (a *Alerts) leader() lease {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lead.lease
}

// shared is what the others are told of what was found.
func (a *Alerts) shared() []foundOf {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []foundOf
	left := mostShared
	for i := range a.all {
		h := &a.all[i]
		f, there := a.found[h.id()]
		if !there || left <= 0 {
			continue
		}
		f.Groups = f.Groups[:min(len(f.Groups), left)]
		left -= len(f.Groups)
		all = append(all, foundOf{h.Project, h.Name, h.UpdatedAt, f})
	}
	return all
}
