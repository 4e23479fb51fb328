package alert

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// state is that of a rule without groups, or of one group, when it is not ok or about to change.
type state struct {
	By    wire.StatRow `json:"by,omitempty"`
	Is    string       `json:"state"`
	Since time.Time    `json:"since"`
	// Next is what the last looks, Seen of them, say that it is; "": what it is.
	Next string    `json:"next,omitempty"`
	Seen int64     `json:"seen,omitempty"`
	At   time.Time `json:"at"` // of the last look that was counted
}

// reading is what a look found of a group.
type reading struct {
	by    wire.StatRow // nil without groups
	value *float64     // nil: no data
}

// seen is a look.
type seen struct {
	readings     []reading
	metric       string
	from, to, at time.Time
	grouped      bool
}

// mostStates is how many groups of a rule may be something else than ok at once; those after are not told.
const mostStates = 100

// keyOf tells groups apart.
func keyOf(by wire.StatRow) string {
	if len(by) == 0 {
		return ""
	}
	raw, err := json.Marshal(by)
	if err != nil { // values of a row are what JSON has
		return ""
	}
	return string(raw)
}

// take has a look hold, and returns the changes of states that it made. dirty: something is to be kept. left: there are more groups that are not ok than are told.
func (h *held) take(s *seen) (changes []Change, dirty, left bool) {
	had := map[string]int{}
	for i := range h.States {
		had[keyOf(h.States[i].By)] = i
	}
	met := map[string]bool{}
	one := func(r reading) {
		key := keyOf(r.by)
		met[key] = true
		i, known := had[key]
		if !known {
			if h.meaning(&r, stateOK) == stateOK {
				return
			}
			if len(h.States) >= mostStates {
				left = true
				return
			}
			h.States = append(h.States, state{By: r.by, Is: stateOK})
			i = len(h.States) - 1
		}
		if h.States[i].says(h.meaning(&r, h.States[i].Is), s.at, h.every()) {
			dirty = true
		}
		if is := &h.States[i]; is.Next != "" && is.Seen >= h.For {
			changes = append(changes, h.change(is, &r, s, ""))
		}
	}
	for _, r := range s.readings {
		one(r)
	}
	for _, is := range slices.Clone(h.States) { // a group of which nothing came any more
		if s.grouped && !met[keyOf(is.By)] {
			one(reading{by: is.By})
		}
	}
	h.settle(s.at)
	return changes, dirty || len(changes) > 0, left
}

// meaning is the state that a reading means, where it was is.
func (h *held) meaning(r *reading, is string) string {
	if to := h.level(r.value); to != keepState {
		return to
	}
	return is
}

// says notes what a look says that it is; true: that is to be kept. Looks that come sooner than they should, as after a change of who looks, do not count.
func (s *state) says(to string, at time.Time, every time.Duration) bool {
	switch {
	case to == s.Is && s.Next == "":
		return false
	case to == s.Is:
		s.Next, s.Seen, s.At = "", 0, at
	case to != s.Next:
		s.Next, s.Seen, s.At = to, 1, at
	case at.Sub(s.At) < every/2:
		return false
	default:
		s.Seen, s.At = s.Seen+1, at
	}
	return true
}

// change makes a state what it is about to be, and says so to the destinations.
func (h *held) change(is *state, r *reading, s *seen, reason string) Change {
	h.Changes++
	c := Change{
		ID: h.changeID(h.Changes), Project: h.Project, Name: h.Name, Description: h.Description, State: is.Next, Before: is.Is, By: r.by, Metric: s.metric,
		Value: r.value, NoData: r.value == nil && reason == "", Comparison: h.Comparison, Warning: h.Warning, Alert: h.Alert, Question: h.Question,
		From: s.from, To: s.to, Reason: reason, At: s.at,
	}
	c.Text = c.sentence()
	is.Is, is.Since, is.Next, is.Seen, is.At = is.Next, s.at, "", 0, s.at
	for i := range h.Destinations {
		d := &h.Destinations[i]
		h.Deliveries = append(h.Deliveries, sending{Delivery: Delivery{
			ID: c.ID, Destination: d.ID, Kind: d.Kind, To: d.where(), Message: Message{typeChanged, s.at, c}, State: pending,
		}})
	}
	return c
}

// settle forgets what need not be known, after changes at a time.
func (h *held) settle(at time.Time) {
	if _, since := h.worst(); !since.IsZero() {
		h.Since = &since
	}
	h.States = slices.DeleteFunc(h.States, func(s state) bool { return s.Is == stateOK && s.Next == "" })
	h.trim(at)
}

// worst is the worst state, and since when it is; zero: nothing is known of that.
func (h *held) worst() (string, time.Time) {
	worst, since := stateOK, time.Time{}
	for i := range h.States {
		s := &h.States[i]
		switch {
		case s.Since.IsZero(): // it never was anything else
		case rank(s.Is) > rank(worst):
			worst, since = s.Is, s.Since
		case s.Is == worst && worst == stateOK && s.Since.After(since): // the last that became ok
			since = s.Since
		case s.Is == worst && worst != stateOK && s.Since.Before(since):
			since = s.Since
		}
	}
	return worst, since
}

func rank(state string) int { return slices.Index([]string{stateOK, stateWarning, stateAlert}, state) }

// reset makes every state ok, and says why.
func (h *held) reset(reason string, at time.Time) (changes []Change) {
	s := &seen{at: at, from: at.Add(-h.window()), to: at, metric: h.metric()}
	for i := range h.States {
		is := &h.States[i]
		if is.Next = stateOK; is.Is != stateOK {
			changes = append(changes, h.change(is, &reading{by: is.By}, s, reason))
		} else {
			is.Next = ""
		}
	}
	h.settle(at)
	return changes
}
