package storetest

import (
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// expire removes what has expired from the warehouse and from what the test expects.
func (w *warehouseTest) expire(c store.Cutoffs) {
	w.Helper()
	before := len(w.recs)
	gone := func(r *entity.Record) bool {
		return c.Expired(r.Project, r.Event.Timestamp.UnixMicro(), r.ReceivedAt.UnixMicro())
	}
	w.log.Remove(gone)
	w.recs = slices.DeleteFunc(w.recs, func(r entity.Record) bool { return gone(&r) })
	removed, err := w.Expire(w.Context(), c)
	if err != nil {
		w.Fatal(err)
	}
	if removed != int64(before-len(w.recs)) {
		w.Errorf("%d rows removed, want %d", removed, before-len(w.recs))
	}
}

// After events of a random history have expired, everything is as if they had never
// come, also for what comes afterwards and after a new start.
func testExpireHistory(w *warehouseTest) {
	s := chance.Seed(w)
	w.history(s, 400)
	w.recs = firstOf(w.recs)
	rng := chance.From(s, 12)
	times := make([]time.Time, len(w.recs))
	for i, r := range w.recs {
		times[i] = r.Event.Timestamp.Time
	}
	slices.SortFunc(times, time.Time.Compare)
	for part := 1; part <= 4; part++ {
		at := times[min(len(times)*part/4, len(times)-1)].Add(time.Duration(rng.IntN(3)-1) * time.Microsecond)
		if rng.IntN(2) == 0 {
			w.checkpoint()
		}
		w.expire(store.Cutoffs{Now: at.Add(time.Hour), Retention: store.Retention{Default: time.Hour}})
		w.compareWithFold()
		if rng.IntN(2) == 0 {
			w.reopen()
			w.compareWithFold()
		}
	}
}

// Each project has its own retention; a time in the future counts from the receipt.
func testExpireProjects(w *warehouseTest) {
	of := func(p, id string, at time.Time) entity.Record {
		r := w.record(p+id, wire.TraceCreate, at, `{"id":"%s","name":"n"}`, id)
		r.Project = p
		return r
	}
	for _, p := range []string{"short", "long", "ever"} {
		w.insert(of(p, "old", noon.Add(-2*time.Hour)), of(p, "ancient", noon.Add(-40*24*time.Hour)),
			of(p, "new", noon), of(p, "future", noon.AddDate(100, 0, 0)))
	}
	left := func(c store.Cutoffs) map[string]int {
		w.expire(c)
		n := map[string]int{}
		for _, p := range []string{"short", "long", "ever"} {
			page, err := query.ListTraces(w.Context(), w, p, store.Query{})
			if err != nil {
				w.Fatal(err)
			}
			n[p] = len(page.Data)
		}
		return n
	}
	keep := store.Retention{Default: time.Hour, Projects: map[string]time.Duration{"long": 24 * time.Hour, "ever": 0}}
	w.equal("an hour later", left(store.Cutoffs{Now: noon.Add(time.Hour), Retention: keep}), map[string]int{"short": 2, "long": 3, "ever": 4})
	w.equal("a moment after that", left(store.Cutoffs{Now: noon.Add(time.Hour + time.Microsecond), Retention: keep}), map[string]int{"short": 0, "long": 3, "ever": 4})
	w.equal("years later", left(store.Cutoffs{Now: noon.AddDate(1, 0, 0), Retention: keep}), map[string]int{"short": 0, "long": 0, "ever": 4})
	w.equal("without retention", left(store.Cutoffs{Now: noon.AddDate(1, 0, 0)}), map[string]int{"short": 0, "long": 0, "ever": 4})
}
