package storetest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// pages collects the ids of all pages, and calls between before each next one.
func pages(t testing.TB, between func(), next func(cursor string) (ids []string, after *string, err error)) []string {
	t.Helper()
	var all []string
	cursor := ""
	for range 1000 {
		ids, after, err := next(cursor)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ids...)
		if after == nil {
			return all
		}
		cursor = *after
		between()
	}
	t.Fatal("the pages do not end")
	return nil
}

func (w *warehouseTest) tracePages(o store.Order, between func()) []string {
	w.Helper()
	return pages(w, between, func(cursor string) ([]string, *string, error) {
		o.Cursor = cursor
		page, err := query.ListTraces(context.Background(), w, w.project, store.Query{Order: o})
		if err != nil {
			return nil, nil, err
		}
		var ids []string
		for _, t := range page.Data {
			ids = append(ids, t.ID)
		}
		return ids, page.NextCursor, nil
	})
}

func testPaging(w *warehouseTest) {
	w.history(chance.Seed(w), 300)
	all := w.fold()
	nothing := func() {}
	for _, asc := range []bool{false, true} {
		for by, value := range map[string]func(*wire.Trace) float64{
			"":                  func(t *wire.Trace) float64 { return float64(t.StartTime.UnixMicro()) },
			"latency_ms":        func(t *wire.Trace) float64 { return orNaN(t.LatencyMS) },
			"observation_count": func(t *wire.Trace) float64 { return float64(t.ObservationCount) },
			"error_count":       func(t *wire.Trace) float64 { return float64(t.ErrorCount) },
			"total_tokens":      func(t *wire.Trace) float64 { return float64(t.TotalTokens) },
			"total_cost":        func(t *wire.Trace) float64 { return orNaN(t.TotalCost) },
		} {
			want := sortedIDs(all.traces, asc, value)
			limit := 4
			if by == "observation_count" {
				limit = 1 // many ties
			}
			got := w.tracePages(store.Order{By: by, Asc: asc, Limit: limit}, nothing)
			w.equal(fmt.Sprintf("traces by %q, ascending %v, %d a page", by, asc, limit), got, want)
		}
		cost := func(o *entity.ObservationRow) float64 { return orNaN(o.TotalCost) }
		got := pages(w, nothing, func(cursor string) (ids []string, after *string, err error) {
			page, err := query.ListObservations(w.Context(), w, w.project, store.Query{Order: store.Order{By: "total_cost", Asc: asc, Limit: 7, Cursor: cursor}})
			if err != nil {
				return nil, nil, err
			}
			for i := range page.Data {
				ids = append(ids, observationKey(&page.Data[i]))
			}
			return ids, page.NextCursor, nil
		})
		w.equal("observations", got, sortedIDs(all.observations, asc, cost))
		got = pages(w, nothing, func(cursor string) (ids []string, after *string, err error) {
			page, err := query.ListScores(w.Context(), w, w.project, store.Query{Order: store.Order{Asc: asc, Limit: 7, Cursor: cursor}})
			if err != nil {
				return nil, nil, err
			}
			for _, s := range page.Data {
				ids = append(ids, s.ID)
			}
			return ids, page.NextCursor, nil
		})
		w.equal("scores", got, sortedIDs(all.scores, asc, func(s *wire.Score) float64 { return float64(s.Timestamp.UnixMicro()) }))
	}
}

// sortedIDs sorts by value, then id; those without a value (NaN) come last.
func sortedIDs[T any](rows map[string]T, asc bool, value func(T) float64) []string {
	ids := make([]string, 0, len(rows))
	for id := range rows {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, y := value(rows[a]), value(rows[b])
		switch {
		case math.IsNaN(x) && !math.IsNaN(y):
			return 1
		case math.IsNaN(y) && !math.IsNaN(x):
			return -1
		}
		order := cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
		if asc {
			return order
		}
		return -order
	})
	return ids
}

func testPagingWhileInserting(w *warehouseTest) {
	rng := chance.Of(w)
	n := 0
	add := func() string {
		n++
		id := fmt.Sprintf("t%04d", rng.IntN(1000)*10+n%10)
		w.insert(w.record(fmt.Sprint("e", n), wire.TraceCreate, noon.Add(time.Duration(rng.IntN(5))*time.Second), `{"id":%q,"name":"n"}`, id))
		return id
	}
	for _, asc := range []bool{false, true} {
		existing := map[string]bool{}
		for range 40 {
			add()
		}
		for _, t := range w.traces(store.Query{Order: store.Order{Limit: 1000}}) {
			existing[t.ID] = true
		}
		seen := map[string]int{}
		// What is inserted meanwhile must be new: an old trace that changes its time may move.
		fresh := func() {
			n++
			w.insert(w.record(fmt.Sprint("e", n), wire.TraceCreate, noon.Add(time.Duration(rng.IntN(5))*time.Second), `{"id":"new%d","name":"n"}`, n))
		}
		for _, id := range w.tracePages(store.Order{Asc: asc, Limit: 4}, fresh) {
			seen[id]++
			if seen[id] > 1 {
				w.Errorf("%s came twice", id)
			}
		}
		for id := range existing {
			if seen[id] == 0 {
				w.Errorf("%s was missed", id)
			}
		}
	}
}

func testPagingStats(w *warehouseTest) {
	w.history(chance.Seed(w), 300)
	q := store.StatsQuery{GroupBy: []string{"model", "level", "model"}, Interval: time.Minute, Metrics: []string{"count", "tokens"}}
	want := w.stats(q)
	var got []wire.StatRow
	q.Limit = 2
	pages(w, func() {}, func(cursor string) ([]string, *string, error) {
		q.Cursor = cursor
		page, err := query.ListStats(w.Context(), w.Warehouse, w.project, q)
		if err != nil {
			return nil, nil, err
		}
		got = append(got, page.Data...)
		return nil, page.NextCursor, nil
	})
	if len(want) < 5 {
		w.Fatalf("only %d groups", len(want))
	}
	w.equal("groups", got, want)
}

// orNaN is a number that may not be known; NaN is none.
func orNaN(f *float64) float64 {
	if f == nil {
		return math.NaN()
	}
	return *f
}
