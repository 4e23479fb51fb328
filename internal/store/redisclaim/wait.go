package redisclaim

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// wait is one Claim: what it found so far, as the digits of claim.lua.
type wait struct {
	c       *Claimer
	project string
	owner   string // the token
	lease   time.Duration
	places  []place
	digits  []byte
	lapse   [tagCount]int64 // by tag, when the earliest lease lapses by the server's clock
}

// The digits of claim.lua, and one of our own.
const (
	digitClaimed = '1'
	digitMarked  = '2'
	digitBefore  = '3' // held by an owner that goes before us
	digitAfter   = '4' // held by an owner that goes after us
	digitYielded = '5' // given up by us, to be claimed again
)

func (w *wait) claim(ctx context.Context, places []place) ([]byte, error) {
	return w.c.run(ctx, w.c.scripts.claim, w.project, places, func(_ group, nonce string) []any {
		return []any{w.owner, w.lease.Milliseconds(), leastLife.Milliseconds(), nonce}
	}, func(g group, extra string) {
		at, err := strconv.ParseInt(extra, 10, 64)
		if err == nil && (w.lapse[g.tag] == 0 || at < w.lapse[g.tag]) {
			w.lapse[g.tag] = at
		}
	})
}

// blocked: some ids are held by others.
func (w *wait) blocked() bool {
	for _, d := range w.digits {
		if d != digitClaimed && d != digitMarked {
			return true
		}
	}
	return false
}

// wait asks again, less and less often, until nothing is held by others, the
// time is over, or Redis fails: then what is known so far is the answer.
//
// Two owners may each hold what the other needs (in a Cluster, where a claim is
// several calls). So that they do not wait for one another, owners have an
// order: the later one gives up what it has, and gets it back as marks.
func (w *wait) wait(ctx context.Context) {
	if w.c.o.Wait < 0 {
		return
	}
	w.c.n.add(&w.c.n.waited, 1)
	ctx, cancel := context.WithTimeout(ctx, w.c.o.Wait)
	defer cancel()
	for pause := 2 * time.Millisecond; w.blocked(); pause = min(2*pause, 64*time.Millisecond) {
		if err := w.yield(ctx); err != nil {
			return
		}
		_ = clock.Sleep(ctx, pause/2+rand.N(pause))
		// The last time is asked outside the deadline, or what was given up would stay unasked.
		if err := w.again(context.WithoutCancel(ctx)); err != nil || ctx.Err() != nil {
			return
		}
	}
}

// yield gives up all that is claimed when an owner that goes before us holds anything.
func (w *wait) yield(ctx context.Context) error {
	first := false
	var mine []int
	for i, d := range w.digits {
		switch d {
		case digitBefore:
			first = true
		case digitClaimed:
			mine = append(mine, i)
		}
	}
	if !first || len(mine) == 0 {
		return nil
	}
	places := make([]place, len(mine))
	for n, i := range mine {
		places[n] = w.places[i]
		w.digits[i] = digitYielded
	}
	w.c.n.add(&w.c.n.yielded, 1)
	// Outside the deadline too: leases given up half-way would answer "pending"
	// for ids that nobody holds.
	if err := w.c.release(context.WithoutCancel(ctx), w.project, places, w.owner); err != nil {
		_ = w.c.failed(ctx, "release", w.project, err) // the claims stay open: pending
		return err
	}
	return nil
}

// again claims what is not settled.
func (w *wait) again(ctx context.Context) error {
	var open []int
	var places []place
	for i, d := range w.digits {
		if d != digitClaimed && d != digitMarked {
			open = append(open, i)
			places = append(places, w.places[i])
		}
	}
	digits, err := w.claim(ctx, places)
	if err != nil {
		_ = w.c.failed(ctx, "claim", w.project, err) // what is known already stays the answer
		return err
	}
	for n, i := range open {
		w.digits[i] = digits[n]
	}
	return nil
}

func (w *wait) states() []store.ClaimState {
	states := make([]store.ClaimState, len(w.digits))
	for i, d := range w.digits {
		switch d {
		case digitClaimed:
			states[i] = store.Claimed
		case digitMarked:
			states[i] = store.ClaimedBefore
		default:
			states[i] = store.ClaimedElse
		}
	}
	return states
}
