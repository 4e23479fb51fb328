package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Trial is what a rule finds when it is tried out.
type Trial struct {
	From     time.Time `json:"from"` // what was asked about: from ≤ time < to
	To       time.Time `json:"to"`   // its end
	Groups   []Group   `json:"groups"`
	Messages []Message `json:"messages"` // what would be told if it were found as often in a row as the rule asks for
	Sent     []Sent    `json:"sent"`     // what became of test messages; empty when none were sent
}

// Sent is what became of a test message.
type Sent struct {
	Destination string `json:"destination"` // its id
	Kind        string `json:"kind"`
	To          string `json:"to"`
	Taken       bool   `json:"taken"`
	Answer      string `json:"answer"` // a status, an exit code, or why there was none
}

// Test looks at a rule now, changes nothing, and says what would be told. With send a message that says that it is a test goes to each destination, once.
func (a *Alerts) Test(ctx context.Context, project, name string, send bool) (*Trial, error) {
	h, found := a.held(id{project, name})
	if !found {
		return nil, ErrUnknown
	}
	select {
	case a.trials <- struct{}{}:
		defer func() { <-a.trials }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := a.ask(ctx, project, &h.Rule, a.now())
	switch {
	case errors.Is(err, errBehind):
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	case err != nil:
		return nil, err
	}
	t := &Trial{From: s.from, To: s.to, Messages: []Message{}, Sent: []Sent{}}
	probe := h.clone()
	probe.For, probe.Destinations, probe.Deliveries = 1, nil, nil
	changes, _, _ := probe.take(s)
	for _, c := range changes {
		t.Messages = append(t.Messages, Message{typeChanged, s.at, c})
	}
	t.Groups = probe.groups(s)
	if send {
		m := h.testMessage(t, s)
		for _, d := range h.Destinations {
			o := a.attempt(ctx, &d, m)
			t.Sent = append(t.Sent, Sent{d.ID, d.Kind, d.where(), o.taken, o.says})
		}
	}
	return t, nil
}

// testMessage says what was found, and that it is a test.
func (h *held) testMessage(t *Trial, s *seen) *Message {
	is := &state{Is: stateOK, Next: stateOK}
	r := reading{}
	if len(t.Groups) > 0 {
		g := t.Groups[0]
		r, is.Next = reading{by: g.By, value: g.Value}, g.State
	}
	probe := h.clone()
	probe.Destinations = nil
	c := probe.change(is, &r, s, "")
	c.ID = "alert_test_" + random(8)
	c.Text = "This is a test. " + c.Text
	return &Message{typeTest, s.at, c}
}

// metric is what a rule asks for.
func (r *Rule) metric() string {
	q, err := query.ReadQuestion(r.Question)
	if err != nil { // it was checked
		return ""
	}
	return q.Metric
}
