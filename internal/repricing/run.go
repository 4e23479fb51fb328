package repricing

import (
	"context"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	// firstAgain and mostAgain bound the time after which a day that failed is tried again; it doubles.
	firstAgain = time.Second
	mostAgain  = time.Minute
	// triesBefore is how often the day that a killed process may have half done is tried before others may insert.
	triesBefore = 3
)

// Ready is closed when what a killed process may have left half done is done: until then nothing is to be inserted. When that does not
// succeed in a few tries it is closed all the same, and a call that is inserted then may cost for a while what it did before.
func (r *Repricer) Ready() <-chan struct{} { return r.ready }

// takenOver is after how long without progress the repricing of another node is gone on with.
const takenOver = 2 * time.Minute

// Run ends a repricing that was interrupted, and works at those that begin, until ctx ends; then it returns nil. A day that is
// under way when ctx ends is as if it had not begun. One that another node began is gone on with when that does not.
func (r *Repricer) Run(ctx context.Context) error {
	r.work(ctx, true)
	look := time.NewTicker(takenOver)
	defer look.Stop()
	var seen pricing.Underway
	for {
		select {
		case <-r.begun:
			r.work(ctx, false)
		case <-look.C:
			u, running := r.o.Prices.Underway()
			switch {
			case !running:
				seen = pricing.Underway{}
			case *u == seen:
				r.work(ctx, false)
			default:
				seen = *u
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// work moves the repricing that is under way to its end, if there is one.
func (r *Repricer) work(ctx context.Context, starting bool) {
	opened := !starting
	open := func() {
		if !opened {
			opened = true
			close(r.ready)
		}
	}
	defer open()
	again := firstAgain
	for tries := 0; ctx.Err() == nil; {
		u, running := r.o.Prices.Underway()
		if !running {
			break
		}
		err := r.step(ctx, u)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			open()
			tries, again = 0, firstAgain
			continue
		}
		if tries++; tries == triesBefore {
			open()
		}
		r.fail(err)
		_ = clock.Sleep(ctx, again) // the loop sees that ctx has ended
		again = min(2*again, mostAgain)
	}
}

// step is the next day.
func (r *Repricer) step(ctx context.Context, u *pricing.Underway) error {
	upto, err := r.next(ctx, u)
	if err != nil {
		return err
	}
	var unwritten error
	tally, err := r.o.Warehouse.Reprice(ctx, &store.Repricing{Project: u.Project, From: u.From, To: upto, By: u.UpTo(upto), Done: func() error {
		unwritten = u.Advance(upto)
		return nil
	}})
	if err != nil {
		return err
	}
	for ; unwritten != nil; unwritten = u.Advance(upto) { // the day holds here; a process after this one would do it again
		r.fail(unwritten)
		if clock.Sleep(ctx, mostAgain) != nil {
			return nil
		}
	}
	_, all := tally.Models()
	ended := upto == u.To
	if ended {
		r.o.Logger.Info("calls were repriced", "project", u.Project, "until", time.UnixMicro(u.To).UTC())
	}
	r.change(func(s *Stats) {
		if s.Fault != "" {
			r.o.Logger.Info("the repricing goes on")
		}
		s.Days, s.Calls, s.Fault, s.Running = s.Days+1, s.Calls+all.Changed, "", !ended
		if ended {
			r.days = nil
			s.Ended++
		}
	})
	return nil
}

func (r *Repricer) fail(err error) {
	r.change(func(s *Stats) {
		if s.Fault == "" {
			r.o.Logger.Warn("a day could not be repriced; it is tried again", "error", err)
		}
		s.Fault = err.Error()
	})
}
