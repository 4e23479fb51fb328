package repricing

import (
	"context"
	"fmt"
	"log/slog"
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
	_, told, err := r.look(ctx, a)
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
	plan, told, err := r.look(ctx, a)
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
	r.change(func(s *Stats) { s.Running = true })
	select {
	case r.begun <- struct{}{}:
	default: // it knows
	}
	return told, nil
}

func (r *Repricer) look(ctx context.Context, a pricing.Ask) (*pricing.Plan, *Told, error) {
	plan, err := r.o.Prices.Plan(a)
	if err != nil {
		return nil, nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, lookWait)
	defer cancel()
	if err := r.o.Indexer.CatchUp(waiting); err != nil {
		return nil, nil, unavailable("wait for the indexer", err)
	}
	all := store.Tally{}
	by := plan.By()
	for from, end := plan.Span(); from < end; {
		upto, err := r.day(ctx, a.Project, from, end)
		if err != nil {
			return nil, nil, err
		}
		tally, err := r.o.Warehouse.Reprice(ctx, &store.Repricing{Project: a.Project, From: from, To: upto, By: by})
		if err != nil {
			return nil, nil, err
		}
		all.Join(tally)
		from = upto
	}
	told := &Told{Repricing: plan.Describe()}
	told.Models, told.RepricedTotals = all.Models()
	return plan, told, nil
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
