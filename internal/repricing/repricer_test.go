package repricing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/repricing"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const project = "default"

var monday = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// house is a warehouse and a journal of prices in a directory, over a log in memory.
type house struct {
	*testing.T
	dir       string
	log       storetest.Ledger
	seq       entity.Seq
	now       time.Time
	prices    *pricing.Pricing
	warehouse *duckstore.Warehouse
}

func newHouse(t *testing.T) *house {
	h := &house{T: t, dir: t.TempDir(), now: monday.AddDate(0, 0, 10)}
	h.open()
	t.Cleanup(h.close)
	return h
}

func (h *house) open() {
	h.Helper()
	var err error
	h.prices, err = pricing.Open(pricing.Options{
		Dir: filepath.Join(h.dir, "prices"), Cost: pricing.PreferReported, Head: func() entity.Seq { return h.seq }, Now: func() time.Time { return h.now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		h.warehouse, err = duckstore.Open(h.path(), duckstore.Options{Records: h.log.Records, Prices: h.prices})
	}
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) path() string { return filepath.Join(h.dir, "w.duckdb") }

func (h *house) close() {
	if err := h.warehouse.Close(); err != nil {
		h.Error(err)
	}
}

// killed is the same directory after a process ended without a word.
func (h *house) killed() {
	h.Helper()
	h.close()
	h.open()
}

// call inserts a call with a million tokens.
func (h *house) call(at time.Time) {
	h.Helper()
	h.seq++
	r := entity.Record{Seq: h.seq, Project: project, Environment: "default", ReceivedAt: at, Event: wire.Event{
		ID: fmt.Sprint("e", h.seq), Type: wire.ObservationCreate, Timestamp: wire.At(at),
		Payload: json.RawMessage(fmt.Sprintf(`{"id":"o%d","trace_id":"t%d","name":"n","type":"generation","model":"ours","start_time":%q,"prompt_tokens":1000000,"completion_tokens":0}`, h.seq, h.seq%7, at.Format(time.RFC3339Nano))),
	}}
	fields, failure := extract.Extract(&r.Event)
	if failure != nil {
		h.Fatal(failure)
	}
	r.Fields, r.Row = fields, fields.AppendRow(nil)
	h.log.Add(r)
	r.Fields = nil
	if err := h.warehouse.Insert(h.Context(), []entity.Record{r}, h.seq); err != nil {
		h.Fatal(err)
	}
}

// costs is what the calls of each day cost together, of those with a cost.
func (h *house) costs() []float64 {
	h.Helper()
	page, err := query.ListStats(h.Context(), h.warehouse, project, store.StatsQuery{Metrics: []string{"cost"}, Interval: 24 * time.Hour})
	if err != nil {
		h.Fatal(err)
	}
	var costs []float64
	for _, row := range page.Data {
		cost, _ := row["cost"].(float64)
		costs = append(costs, cost)
	}
	return costs
}

func (h *house) want(stage string, want ...float64) {
	h.Helper()
	if got := h.costs(); fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("%s: the days cost %v, want %v", stage, got, want)
	}
}

// wrong is how many rows are not the fold of their events, for who knows that a repricing is under way, or does not.
func (h *house) wrong(knows bool) int {
	h.Helper()
	h.close()
	defer h.open()
	prices, err := pricing.Read(filepath.Join(h.dir, "prices"))
	if err != nil {
		h.Fatal(err)
	}
	o := duckstore.Options{Prices: prices}
	if knows {
		o.Ahead = prices.Ahead()
	}
	k, err := duckstore.OpenReadOnly(h.Context(), h.path(), h.TempDir(), o)
	if err != nil {
		h.Fatal(err)
	}
	defer k.Close() //nolint:errcheck // only read
	for _, r := range h.log.All() {
		if err := k.Add(&r); err != nil {
			h.Fatal(err)
		}
	}
	_, wrong, err := k.Folds(h.Context(), duckstore.Leeway{}, 100)
	if err != nil {
		h.Fatal(err)
	}
	return len(wrong)
}

// caughtUp is an indexer with nothing to do.
type caughtUp struct{}

func (caughtUp) CatchUp(context.Context) error { return nil }

func (h *house) repricer(w store.Warehouse) *repricing.Repricer {
	return repricing.New(repricing.Options{Prices: h.prices, Warehouse: w, Indexer: caughtUp{}})
}

// run runs a Repricer until it has nothing to do, or until stop is closed.
func (h *house) run(r *repricing.Repricer, stop <-chan struct{}) {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			h.Error(err)
		}
	})
	ended := make(chan struct{})
	running.Go(func() {
		r.Wait(ctx)
		close(ended)
	})
	select {
	case <-ended:
	case <-stop:
	}
	cancel()
	running.Wait()
}

// deadly is a warehouse whose process is killed at its n-th repricing of a day: before it, or when the rows have their costs and nobody was told.
type deadly struct {
	store.Warehouse
	n      int
	after  bool
	killed chan struct{}
}

var errKilled = errors.New("killed")

func (d *deadly) Reprice(ctx context.Context, r *store.Repricing) (store.Tally, error) {
	if r.Done == nil {
		return d.Warehouse.Reprice(ctx, r)
	}
	switch d.n--; {
	case d.n > 0:
		return d.Warehouse.Reprice(ctx, r)
	case d.after && d.n == 0:
		silent := *r
		silent.Done = func() error { return errKilled }
		if _, err := d.Warehouse.Reprice(ctx, &silent); !errors.Is(err, errKilled) {
			return nil, err
		}
	}
	select {
	case <-d.killed:
	default:
		close(d.killed)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// Killed before or behind any day, a repricing goes on with the next start, which lets nobody insert before the day is whole; who verifies knows of it. What comes
// late costs what its day does.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	const days = 4
	for day := 1; day <= days; day++ {
		for _, after := range []bool{false, true} {
			h := newHouse(t)
			var want [days]float64
			for i := range days {
				for range i + 1 {
					h.call(monday.AddDate(0, 0, 2*i)) // with days of nothing between them
				}
			}
			if err := h.prices.SetOwn(project, []byte(`[{"model":"ours","input":3,"output":3}]`), h.now); err != nil {
				t.Fatal(err)
			}
			d := &deadly{h.warehouse, day, after, make(chan struct{})}
			r := h.repricer(d)
			told, err := r.Begin(t.Context(), pricing.Ask{Project: project})
			if err != nil || told.Changed != 10 || told.Gained != 10 || told.State != pricing.StateRunning {
				t.Fatalf("%+v, %v", told, err)
			}
			h.run(r, d.killed)
			h.killed()
			done := day - 1
			if after {
				done++
			}
			for i := range done {
				want[i] = 3 * float64(i+1)
			}
			stage := fmt.Sprintf("killed at day %d, after %t", day, after)
			h.want(stage, want[:]...)
			if knowing, not := h.wrong(true), h.wrong(false); knowing != 0 || (not != 0) != after {
				t.Errorf("%s: %d wrong folds, and %d for who does not know", stage, knowing, not)
			}
			r = h.repricer(h.warehouse)
			select {
			case <-r.Ready():
				t.Errorf("%s: ready at once", stage)
			default:
			}
			h.run(r, nil)
			<-r.Ready()
			if s := r.Stats(); s.Running || s.Ended != 1 || s.Fault != "" {
				t.Errorf("%s: %+v", stage, s)
			}
			h.want(stage+", and ended", 3, 6, 9, 12)
			h.call(monday)
			h.want(stage+", and one came late", 6, 6, 9, 12)
			if told, err := r.Begin(t.Context(), pricing.Ask{Project: project}); err != nil || told.State != pricing.StateNothing || told.Changed != 0 || told.Calls != 11 {
				t.Errorf("%s: a second time %+v, %v", stage, told, err)
			}
			if wrong := h.wrong(false); wrong != 0 {
				t.Errorf("%s: in the end %d wrong folds", stage, wrong)
			}
		}
	}
}

// asked is a warehouse that counts how often it is asked for observations.
type asked struct {
	store.Warehouse
	n int
}

func (a *asked) Observations(ctx context.Context, project string, plan *store.Plan) ([]wire.Observation, *store.Place, error) {
	a.n++
	return a.Warehouse.Observations(ctx, project, plan)
}

// The days that the look found are done without looking for them again; what came since on a day between them is done, too.
func TestDaysOfTheLook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, day := range []int{0, 2, 4} {
		h.call(monday.AddDate(0, 0, day))
	}
	if err := h.prices.SetOwn(project, []byte(`[{"model":"ours","input":3,"output":3}]`), h.now); err != nil {
		t.Fatal(err)
	}
	w := &asked{Warehouse: h.warehouse}
	r := h.repricer(w)
	if _, err := r.Begin(t.Context(), pricing.Ask{Project: project}); err != nil {
		t.Fatal(err)
	}
	looked := w.n
	h.call(monday.AddDate(0, 0, 1))
	h.call(monday.AddDate(0, 0, -1))
	h.run(r, nil)
	h.want("in the end", 3, 3, 3, 3, 3)
	if s := r.Stats(); w.n != looked || s.Calls != 5 || s.Ended != 1 {
		t.Errorf("asked %d times, and %d times behind the look: %+v", looked, w.n-looked, s)
	}
}

// failing is a warehouse of one day that fails a few times.
type failing struct {
	store.Warehouse
	left int
}

func (f *failing) Observations(context.Context, string, *store.Plan) ([]wire.Observation, *store.Place, error) {
	return []wire.Observation{{StartTime: monday}}, nil, nil
}

func (f *failing) Reprice(_ context.Context, r *store.Repricing) (store.Tally, error) {
	tally := store.Tally{}
	tally.Add(entity.Changed, &entity.ObservationRow{}, nil)
	if r.Done == nil {
		return tally, nil
	}
	if f.left--; f.left >= 0 {
		return nil, errors.New("no room")
	}
	return tally, r.Done()
}

// A day that fails is tried again until it succeeds; others may insert after a few tries.
func TestFailingDay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		prices, err := pricing.Open(pricing.Options{
			Dir: filepath.Join(dir, "prices"), Head: func() entity.Seq { return 1 }, Now: func() time.Time { return monday.Add(time.Hour) }, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		w := &failing{left: 5}
		open := func() *repricing.Repricer {
			return repricing.New(repricing.Options{Prices: prices, Warehouse: w, Indexer: caughtUp{}})
		}
		if _, err := open().Begin(t.Context(), pricing.Ask{Project: project}); err != nil {
			t.Fatal(err)
		}
		if _, err := open().Begin(t.Context(), pricing.Ask{Project: project}); !errors.Is(err, pricing.ErrUnderway) {
			t.Errorf("another one: %v", err)
		}
		r := open()
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = r.Run(ctx) })
		synctest.Wait()
		ready := func() bool {
			select {
			case <-r.Ready():
				return true
			default:
				return false
			}
		}
		if s := r.Stats(); !s.Running || s.Fault == "" || ready() {
			t.Errorf("after a try: %+v, ready %t", s, ready())
		}
		<-r.Ready()
		if s := r.Stats(); !s.Running || s.Fault == "" {
			t.Errorf("after a few tries: %+v", s)
		}
		r.Wait(t.Context())
		if s := r.Stats(); s.Running || s.Fault != "" || s.Ended != 1 || s.Days != 1 || s.Calls != 1 {
			t.Errorf("in the end: %+v", s)
		}
		cancel()
		running.Wait()
	})
}
