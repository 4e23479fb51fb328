package storetest

import (
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Whatever comes first, in one transaction or in many, before and after a restart: rows are what the Go fold makes
// of all events, and each call counts once.
func testTwinHistories(w *warehouseTest) {
	for i := range chance.Rounds(4) {
		if i > 0 { // each in an empty warehouse
			w.recs = nil
			if err := w.Warehouse.Close(); err != nil {
				w.Fatal(err)
			}
			w.dir = w.TempDir()
			w.Warehouse = w.open(w.TB, w.dir)
		}
		seed := chance.Seed(w)
		recs := CallHistory(seed, []int{20, 60, 150, 400}[i%4])
		w.insertHistory(seed, recs)
		w.compareWithFold()
		if i%2 == 1 {
			w.eraseSome(seed)
		}
	}
}

// eraseSome erases a third of the events: what was a duplicate may be the one that is kept now.
func (w *warehouseTest) eraseSome(seed uint64) {
	w.Helper()
	rng := chance.From(seed, 11)
	var gone []entity.Seq
	w.recs = slices.DeleteFunc(w.recs, func(r entity.Record) bool {
		if rng.IntN(3) == 0 {
			gone = append(gone, r.Seq)
			return true
		}
		return false
	})
	if err := w.Erase(w.Context(), w.project, gone); err != nil {
		w.Fatal(err)
	}
	w.compareWithFold()
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
