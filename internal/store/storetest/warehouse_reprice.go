package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// priced begins anew with prices that can be raised.
func (w *warehouseTest) priced() *Raised {
	w.Helper()
	prices := NewRaised()
	w.log.SetPrices(prices)
	w.empty(true)
	return prices
}

// raise raises the prices of calls that start in from ≤ start < to to a level, as far as they start behind those that have it.
func (w *warehouseTest) raise(prices *Raised, level int, from, to int64) store.Tally {
	w.Helper()
	done := 0
	tally, err := w.Reprice(w.Context(), &store.Repricing{
		Project: w.project, From: from, To: to, By: prices.To(level, to),
		Done: func() error {
			prices.Raise(level, to)
			done++
			return nil
		},
	})
	if err != nil || done != 1 {
		w.Fatalf("reprice: %v; Done was called %d times", err, done)
	}
	return tally
}

// wouldRaise is what raise would return, and changes nothing.
func (w *warehouseTest) wouldRaise(prices *Raised, level int, from, to int64) store.Tally {
	w.Helper()
	tally, err := w.Reprice(w.Context(), &store.Repricing{Project: w.project, From: from, To: to, By: prices.To(level, to)})
	if err != nil {
		w.Fatal(err)
	}
	return tally
}

// What one call costs, and what follows from it.
func testReprice(w *warehouseTest) {
	prices := w.priced()
	call := func(id, more string) entity.Record {
		return w.record(id, wire.ObservationCreate, noon, `{"id":%q,"trace_id":"t","name":"n","type":"generation","model":"m",%s}`, id, more)
	}
	w.insert(
		w.record("agent", wire.ObservationCreate, noon, `{"id":"agent","trace_id":"t","name":"n","type":"agent","total_cost":9}`),
		call("free", `"parent_observation_id":"agent","prompt_tokens":10,"completion_tokens":20`),
		call("twice", `"prompt_tokens":12,"completion_tokens":20`),
		call("kept", `"prompt_tokens":11,"completion_tokens":0`),
		call("sent", `"total_cost":1,"prompt_tokens":7,"completion_tokens":2`),
		call("overruled", `"total_cost":1,"prompt_tokens":7,"completion_tokens":3`),
		call("unknown", `"prompt_tokens":7`),
		w.record("later", wire.ObservationCreate, noon.AddDate(0, 0, 1), `{"id":"later","trace_id":"u","name":"n","type":"llm","model":"m","prompt_tokens":1024,"completion_tokens":0}`),
		w.record("tool", wire.ObservationCreate, noon, `{"id":"tool","trace_id":"v","name":"n","type":"tool","model":"m","prompt_tokens":1024,"completion_tokens":0}`),
	)
	theirs := call("theirs", `"prompt_tokens":1024,"completion_tokens":0`)
	theirs.Project = "other"
	w.insert(theirs)
	end := noon.AddDate(0, 0, 1).UnixMicro()
	for i, level := range []int{1, 1, 2, 2} {
		would, allTold := w.wouldRaise(prices, level, 0, end).Models()
		is, all := w.raise(prices, level, 0, end).Models()
		wantChanged := []int64{3, 0, 2, 0}[i]
		if level == 1 && all.Changed != wantChanged || len(is) != 1 || len(would) != 1 || allTold.Changed != wantChanged || allTold.Calls != 6 {
			w.Errorf("round %d: %+v, and before %+v", i, is, would)
		}
		if i == 0 && (all.Kept != 1 || all.Gained+all.Lost != 0 || *all.Former != (10+40+12+40+11)/1024.0+2 || *all.New != (2*52+11+2*(7+6))/1024.0+1 || *allTold.New != *all.New) {
			w.Errorf("all: %+v, and before %+v", all, allTold)
		}
		costs := map[int][]any{1: {9.0, 0.0, 104.0 / 1024, 11.0 / 1024, 1.0, 26.0 / 1024, nil}, 2: {9.0, 0.0, 156.0 / 1024, 11.0 / 1024, 1.0, 1.0, nil}}[level]
		for k, id := range []string{"agent", "free", "twice", "kept", "sent", "overruled", "unknown"} {
			w.equal("cost of "+id, w.observation(id).TotalCost, costs[k])
		}
		// What the agent sent counts when nothing below it costs anything.
		sum := map[int]float64{1: 9 + 104.0/1024 + 11.0/1024 + 1 + 26.0/1024, 2: 9 + 156.0/1024 + 11.0/1024 + 2}[level]
		if got := w.traces(store.Query{Filter: store.Filter{TraceID: "t"}})[0]; *got.TotalCost != sum || got.UnpricedCount != 1 {
			w.Errorf("the trace costs %v with %d unpriced, want %v", *got.TotalCost, got.UnpricedCount, sum)
		}
		w.equal("the sum of all", w.stats(store.StatsQuery{Metrics: []string{"cost", "unpriced_count"}}), []wire.StatRow{{"cost": sum + 1, "unpriced_count": 1}})
		w.equal("what comes later", []any{w.observation("later").TotalCost, w.observation("tool").TotalCost}, []any{1.0, nil})
		if page, err := query.ListObservations(w.Context(), w, "other", store.Query{}); err != nil || *page.Data[0].TotalCost != 1 {
			w.Errorf("another project: %+v, %v", page, err)
		}
		if i%2 == 1 {
			w.checkpoint()
			w.reopen()
		}
	}
	// A late event of a call, and one that comes late, cost what theirs do.
	w.insert(w.record("twice-2", wire.ObservationUpdate, noon.Add(time.Second), `{"id":"twice","trace_id":"t","completion_tokens":0}`),
		w.record("late", wire.ObservationCreate, noon, `{"id":"late","trace_id":"t","name":"n","type":"llm","model":"m","prompt_tokens":2,"completion_tokens":0}`))
	w.equal("late events", []any{w.observation("twice").TotalCost, w.observation("late").TotalCost}, []any{36.0 / 1024, 6.0 / 1024})

	// The error of Done is told; the rows have their costs.
	failed := errors.New("no room")
	_, err := w.Reprice(w.Context(), &store.Repricing{Project: w.project, From: end, To: math.MaxInt64, By: prices.To(2, math.MaxInt64), Done: func() error { return failed }})
	if !errors.Is(err, failed) || *w.observation("later").TotalCost != 3 {
		w.Errorf("%v, and it costs %v", err, *w.observation("later").TotalCost)
	}
}

// Whatever was inserted before or comes later, in one day after the other: rows are what the Go fold makes of all events by the prices then, and
// what was told before is what became.
func testRepriceHistories(w *warehouseTest) {
	for i := range chance.Rounds(3) {
		seed := chance.Seed(w)
		prices := w.priced()
		rng := chance.From(seed, 13)
		n := []int{40, 100, 160}[i%3]
		recs := [...]func(uint64, int) []entity.Record{History, CallHistory, SharedHistory}[i%3](seed, n)
		half := n / 2
		w.insertHistory(seed, recs[:half], max(half/2, 1))
		for level := 1; level <= 2; level++ {
			first, last := int64(math.MaxInt64), int64(math.MinInt64)
			for _, o := range w.fold().observations {
				first, last = min(first, o.StartTime.UnixMicro()), max(last, o.StartTime.UnixMicro()+1)
			}
			for from := first; from < last; {
				to := min(last, from+1+rng.Int64N(last-first))
				would, told := w.wouldRaise(prices, level, from, to).Models()
				before := w.callsCost(from, to)
				w.raise(prices, level, from, to)
				w.compareWithFold()
				after := w.callsCost(from, to)
				for _, m := range would { // what a twin said is not told before
					if i%3 == 0 && (!near(before[m.Model], m.Former) || !near(after[m.Model], m.New)) {
						w.Errorf("%q cost %v and costs %v; it was told that it would be %+v", m.Model, before[m.Model], after[m.Model], m)
					}
				}
				if _, again := w.wouldRaise(prices, level, from, to).Models(); again.Changed != 0 || again.Calls != told.Calls {
					w.Errorf("a second time %+v, the first %+v", again, told)
				}
				from = to
			}
			if level == 1 {
				w.insertHistory(seed, recs[half:], max(half/2, 1))
				w.compareWithFold()
			}
			w.reopen()
		}
		var gone []entity.Seq
		w.recs = firstOf(w.recs)
		for _, r := range w.recs {
			if rng.IntN(5) == 0 {
				gone = append(gone, r.Seq)
			}
		}
		w.erase(gone...)
		w.compareWithFold()
	}
}

// near says whether a sum is told; of nothing it is 0.
func near(sum float64, told *float64) bool {
	return told == nil && sum == 0 || told != nil && math.Abs(sum-*told) < 1e-9
}

// callsCost is what the calls of models cost that start in from ≤ start < to, by model.
func (w *warehouseTest) callsCost(from, to int64) map[string]float64 {
	w.Helper()
	costs := map[string]float64{}
	page, err := query.ListObservations(w.Context(), w, w.project, store.Query{Order: store.Order{Limit: 1000}})
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range page.Data {
		row := entity.ObservationRow{Observation: o}
		if at := o.StartTime.UnixMicro(); row.IsCall() && at >= from && at < to && o.TotalCost != nil {
			costs[o.Model] += *o.TotalCost
		}
	}
	return costs
}

// Who asks while calls get other costs sees all of them as before, or all as after, and the same in all sums; also of traces that were written
// at other times.
func testRepriceAtOnce(w *warehouseTest) {
	prices := w.priced()
	const traces, calls = 40, 5
	for k := range calls {
		var recs []entity.Record
		for i := range traces {
			recs = append(recs, w.record(fmt.Sprintf("%d-%d", i, k), wire.ObservationCreate, noon, `{"trace_id":"t%d","name":"n","type":"llm","model":"m","prompt_tokens":1024,"completion_tokens":0}`, i))
		}
		w.insert(recs...)
	}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	asked := make(chan struct{}, 1)
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, of := range []string{"observations", "traces"} {
					page, err := query.ListStats(w.Context(), w.Warehouse, project, store.StatsQuery{Of: of, Metrics: []string{"cost"}})
					if err != nil {
						w.Error(err)
						return
					}
					if cost, _ := page.Data[0]["cost"].(float64); !slices.Contains([]float64{traces * calls, 2 * traces * calls, 3 * traces * calls}, cost) {
						w.Errorf("%s cost %v", of, cost)
					}
				}
				select {
				case asked <- struct{}{}:
				default:
				}
			}
		})
	}
	for level := 1; level <= 2; level++ {
		<-asked
		if _, all := w.raise(prices, level, 0, math.MaxInt64).Models(); all.Calls != traces*calls || all.Changed != all.Calls {
			w.Errorf("%+v", all)
		}
		<-asked
	}
	close(stop)
	readers.Wait()
}
