package repricing

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Options are what a Repricer works on. All but Logger are required.
type Options struct {
	Prices    *pricing.Pricing
	Warehouse store.Warehouse
	Indexer   interface {
		// CatchUp waits until everything that is in the Log now is in the Warehouse or in quarantine.
		CatchUp(ctx context.Context) error
	}
	// Logger is told when a repricing has ended, and when it cannot go on. Default: nobody.
	Logger *slog.Logger
}

// Repricer prices calls again, one repricing at a time. Its methods may be called concurrently.
type Repricer struct {
	o     Options
	turn  chan struct{} // has room for one: who holds it looks and begins
	begun chan struct{} // has room for one: there is work
	ready chan struct{} // closed when nothing that was interrupted is half done

	mu    sync.Mutex // guards what follows
	days  []int64    // the ends of those that the look found which a repricing began with, in Unix µs; the last is the end of all
	stats Stats
	moved chan struct{} // closed when something has changed
}

// Stats counts what was done since New.
type Stats struct {
	Running bool
	Days    int64 // that have their new costs
	Calls   int64 // of which the costs, or the reasons for none, are others now
	Ended   int64 // repricings
	// Fault says why the last day failed; "" after one that did not.
	Fault string
}

// New returns a Repricer. Its Run ends a repricing that was interrupted.
func New(o Options) *Repricer {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Repricer{o: o, turn: make(chan struct{}, 1), begun: make(chan struct{}, 1), ready: make(chan struct{}), moved: make(chan struct{})}
	_, r.stats.Running = o.Prices.Underway()
	return r
}

// Stats counts what was done since New.
func (r *Repricer) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Told is a repricing, and what it does to the calls of each model.
type Told struct {
	pricing.Repricing
	Models []store.Repriced
}

// lookWait bounds how long a look waits for another one and for the indexer.
const lookWait = 20 * time.Second

// Look tells what a repricing would do, and does nothing. The error may be a pricing.ErrAsk or a store.ErrUnavailable.
func (r *Repricer) Look(ctx context.Context, a pricing.Ask) (*Told, error) {
	_, told, _, err := r.look(ctx, a)
	return told, err
}

// Begin is Look and then, unless it would change nothing, begins. When it returns the repricing is written down; Run goes
// on. The error may also be a pricing.ErrUnderway.
func (r *Repricer) Begin(ctx context.Context, a pricing.Ask) (*Told, error) {
	waiting, cancel := context.WithTimeout(ctx, lookWait)
	defer cancel()
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-waiting.Done():
		return nil, unavailable("wait for another repricing", waiting.Err())
	}
	if _, running := r.o.Prices.Underway(); running {
		return nil, pricing.ErrUnderway
	}
	plan, told, days, err := r.look(ctx, a)
	if err != nil {
		return nil, err
	}
	if told.Changed == 0 {
		told.State = pricing.StateNothing
		return told, nil
	}
	if err := plan.Begin(told.RepricedTotals); err != nil {
		return nil, err
	}
	all := r.o.Prices.Repricings(a.Project)
	told.Repricing = all[len(all)-1]
	r.change(func(s *Stats) { s.Running, r.days = true, days })
	select {
	case r.begun <- struct{}{}:
	default: // it knows
	}
	return told, nil
}

// look also returns the ends of the days that it looked at.
func (r *Repricer) look(ctx context.Context, a pricing.Ask) (plan *pricing.Plan, told *Told, days []int64, err error) {
	if plan, err = r.o.Prices.Plan(a); err != nil {
		return nil, nil, nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, lookWait)
	defer cancel()
	if err := r.o.Indexer.CatchUp(waiting); err != nil {
		return nil, nil, nil, unavailable("wait for the indexer", err)
	}
	all := store.Tally{}
	by := plan.By()
	for from, end := plan.Span(); from < end; {
		upto, err := r.day(ctx, a.Project, from, end)
		if err != nil {
			return nil, nil, nil, err
		}
		tally, err := r.o.Warehouse.Reprice(ctx, &store.Repricing{Project: a.Project, From: from, To: upto, By: by})
		if err != nil {
			return nil, nil, nil, err
		}
		all.Join(tally)
		days = append(days, upto)
		from = upto
	}
	told = &Told{Repricing: plan.Describe()}
	told.Models, told.RepricedTotals = all.Models()
	return plan, told, days, nil
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", store.ErrUnavailable, doing, err)
}

const dayUS = 24 * 60 * 60 * 1_000_000

// day is the end of the first day with an observation that starts at from or later; end when that is before, or when there is none.
func (r *Repricer) day(ctx context.Context, project string, from, end int64) (int64, error) {
	q := store.Query{Filter: store.Filter{To: time.UnixMicro(end).UTC()}, Order: store.Order{By: "start_time", Asc: true, Limit: 1}}
	if from > 0 {
		q.From = time.UnixMicro(from).UTC()
	}
	all := true
	q.Duplicates = &all
	page, err := query.ListObservations(ctx, r.o.Warehouse, project, q)
	if err != nil || len(page.Data) == 0 {
		return end, err
	}
	start := page.Data[0].StartTime.UnixMicro()
	day := start - ((start%dayUS)+dayUS)%dayUS
	return min(day+dayUS, end), nil
}

// next is the end of the day that is next: the look before the repricing found it, or it is asked for. What came since in a day of which the look found
// nothing is done with the day behind it.
func (r *Repricer) next(ctx context.Context, u *pricing.Underway) (int64, error) {
	r.mu.Lock()
	days := r.days
	r.mu.Unlock()
	if n := len(days); n > 0 && days[n-1] == u.To {
		return days[slices.IndexFunc(days, func(end int64) bool { return end > u.From })], nil
	}
	return r.day(ctx, u.Project, u.From, u.To)
}

// Wait waits until no repricing of this process is under way, or until ctx ends.
func (r *Repricer) Wait(ctx context.Context) {
	for {
		r.mu.Lock()
		running, moved := r.stats.Running, r.moved
		r.mu.Unlock()
		if !running {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

func (r *Repricer) change(f func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.stats)
	close(r.moved)
	r.moved = make(chan struct{})
}
