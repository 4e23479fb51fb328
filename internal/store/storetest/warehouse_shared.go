package storetest

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// The same ids in many traces, in many transactions and whether or not events name their traces: rows are what the Go fold makes of all events,
// also when all is inserted again, and when events were erased, after which another observation may be the newest, or have expired.
func testSharedIDs(w *warehouseTest) {
	for i := range chance.Rounds(4) {
		w.empty(i > 0)
		seed := chance.Seed(w)
		rng := chance.From(seed, 13)
		n := []int{40, 90, 200, 400}[i%4]
		w.insertHistory(seed, SharedHistory(seed, n), n/8)
		w.compareWithFold()
		if err := w.Insert(w.Context(), w.recs, w.recs[len(w.recs)-1].Seq); err != nil {
			w.Fatal(err)
		}
		w.compareWithFold()
		w.recs = firstOf(w.recs)
		for range 2 {
			var gone []entity.Seq
			for _, r := range w.recs {
				if rng.IntN(4) == 0 {
					gone = append(gone, r.Seq)
				}
			}
			w.erase(gone...)
			w.compareWithFold()
		}
		middle := w.recs[len(w.recs)/2].Event.Timestamp.Time
		w.expire(store.Cutoffs{Now: middle.Add(time.Hour), Retention: store.Retention{Default: time.Hour}})
		w.compareWithFold()
	}
}
