package storetest

import (
	"maps"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Whatever comes first, in one transaction or in many, before and after a restart: rows are what the Go fold makes
// of all events, and each call counts once. So they are when all is inserted again, and when events were erased or have
// expired, after which what was a duplicate may be the one that is kept.
func testTwinHistories(w *warehouseTest) {
	for i := range chance.Rounds(3) {
		w.empty(i > 0)
		seed := chance.Seed(w)
		n := []int{25, 80, 200, 400}[i%4]
		w.insertHistory(seed, CallHistory(seed, n), 2*n/5)
		w.compareWithFold()
		if err := w.Insert(w.Context(), w.recs, w.recs[len(w.recs)-1].Seq); err != nil {
			w.Fatal(err)
		}
		rng := chance.From(seed, 11)
		var gone []entity.Seq
		for _, r := range w.recs {
			if rng.IntN(3) == 0 {
				gone = append(gone, r.Seq)
			}
		}
		w.erase(gone...)
		w.compareWithFold()
		middle := w.recs[len(w.recs)/2].Event.Timestamp.Time
		w.expire(store.Cutoffs{Now: middle.Add(time.Hour), Retention: store.Retention{Default: time.Hour}})
		w.compareWithFold()
	}
}

// compareTwins compares which observations are duplicates, and that lists and sums leave them out.
func (w *warehouseTest) compareTwins(all *foldedAll) {
	w.Helper()
	var want, got []string
	var tokens int64
	twins := entity.Twins{}
	for key, o := range all.observations {
		if o.DuplicateOf != "" {
			twins[entity.Ref{TraceID: o.TraceID, ID: o.ID}] = entity.Ref{TraceID: o.DuplicateOfTrace, ID: o.DuplicateOf}
			continue
		}
		want = append(want, key)
		if o.CountsTokens && o.TotalTokens != nil {
			tokens += *o.TotalTokens
		}
	}
	page, err := query.ListObservations(w.Context(), w, w.project, store.Query{Order: store.Order{Limit: 1000}})
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range page.Data {
		got = append(got, observationKey(&o))
	}
	w.equal("observations without duplicates", slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
	row := w.stats(store.StatsQuery{Metrics: []string{"count", "tokens"}})[0]
	if n, _ := row["count"].(int64); n != int64(len(want)) {
		w.Errorf("statistics count %v observations, want %d", row["count"], len(want))
	}
	if n, _ := row["tokens"].(int64); n != tokens {
		w.Errorf("statistics count %v tokens, want %d", row["tokens"], tokens)
	}
	yes := true
	row = w.stats(store.StatsQuery{Filter: store.Filter{Duplicates: &yes}})[0]
	if n, _ := row["count"].(int64); n != int64(len(all.observations)) {
		w.Errorf("statistics count %v observations and duplicates, want %d", row["count"], len(all.observations))
	}
	for trace := range all.traces {
		found, err := w.Twins(w.Context(), w.project, store.EventRef{TraceID: trace})
		if err != nil {
			w.Fatal(err)
		}
		of := entity.Twins{}
		for twin, kept := range twins {
			if twin.TraceID == trace || kept.TraceID == trace {
				of[twin] = kept
			}
		}
		if !maps.Equal(found, of) {
			w.Errorf("twins of trace %s are %v, want %v", trace, found, of)
		}
	}
}
