package alert

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Delivery is a message to one destination, and what became of it.
type Delivery struct {
	ID          string     `json:"id"`          // of the change, which each destination is told under
	Destination string     `json:"destination"` // its id
	Kind        string     `json:"kind"`        // webhook, slack or command
	To          string     `json:"to"`          // where it goes, without what may be a secret
	Message     Message    `json:"message"`
	State       string     `json:"state"` // pending, sent or given_up
	Attempts    int64      `json:"attempts"`
	Next        *time.Time `json:"next,omitempty"`    // when it is tried again
	Last        string     `json:"last,omitempty"`    // what the last attempt came to: a status, an exit code, or why there was none
	LastAt      *time.Time `json:"last_at,omitempty"` // when that was
}

// What became of a delivery.
const (
	pending = "pending"
	sent    = "sent"
	givenUp = "given_up"
)

// sending is a delivery as it is kept.
type sending struct {
	Delivery
	// By is who sends it, where several nodes may.
	By *lease `json:"by_node,omitempty"`
}

// lease is that a node does something which others leave alone until a time.
type lease struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// key names a delivery within all.
func (d *Delivery) key() string { return d.ID + "/" + d.Destination }

const (
	// keptDeliveries is how many of a rule that are over are shown.
	keptDeliveries = 30
	// mostPending is how many of a rule may wait; the oldest are given up for newer ones.
	mostPending = 100
	// giveUp is for how long a message is sent again.
	giveUp = 72 * time.Hour
)

// trim forgets the oldest deliveries that are over, and gives up the oldest that wait, beyond what is kept of each.
func (h *held) trim(at time.Time) { h.trimTo(keptDeliveries, mostPending, at) }

func (h *held) trimTo(kept, most int, at time.Time) {
	for waiting, i := h.pending(), 0; waiting > most; i++ {
		if d := &h.Deliveries[i]; d.State == pending {
			d.end(givenUp, "too many wait", at)
			waiting--
		}
	}
	over := len(h.Deliveries) - h.pending() - kept
	h.Deliveries = slices.DeleteFunc(h.Deliveries, func(s sending) bool {
		gone := over > 0 && s.State != pending
		if gone {
			over--
		}
		return gone
	})
}

// pending is how many deliveries wait.
func (h *held) pending() (n int) {
	for i := range h.Deliveries {
		if h.Deliveries[i].State == pending {
			n++
		}
	}
	return n
}

// end says that a delivery is over.
func (s *sending) end(state, last string, at time.Time) {
	s.State, s.Last, s.LastAt, s.Next, s.By = state, last, &at, nil, nil
}

// outcome is what an attempt came to.
type outcome struct {
	taken    bool
	gone     bool          // it is not to be tried again
	answered bool          // there was an answer, whatever it was
	says     string        // for people
	after    time.Duration // the receiver wants to be left alone so long; 0: it does not say
}

// attempted notes an attempt.
func (s *sending) attempted(o outcome, at time.Time, first, most time.Duration) {
	s.Attempts++
	switch {
	case o.taken:
		s.end(sent, o.says, at)
	case o.gone:
		s.end(givenUp, o.says, at)
	default:
		backoff := most
		if n := s.Attempts - 1; n < 30 {
			backoff = min(first<<n, most)
		}
		next := at.Add(max(backoff/2+rand.N(backoff/2+1), min(o.after, longestAfter)))
		s.Last, s.LastAt, s.Next, s.By = o.says, &at, &next, nil
	}
}

// longestAfter bounds how long a receiver can ask to be left alone.
const longestAfter = time.Hour
