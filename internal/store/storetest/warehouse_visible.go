package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Whoever asks, and however many do, knows all that was inserted before, though nobody has it written; and the cursor says no
// more than what a crash leaves.
func testVisible(w *warehouseTest) {
	var inserted atomic.Int64
	done := make(chan struct{})
	var askers sync.WaitGroup
	for range 3 {
		askers.Go(func() {
			for asked := false; !asked; {
				select {
				case <-done:
					asked = true // once more, of all
				default:
				}
				before := inserted.Load()
				page, err := query.ListStats(w.Context(), w, project, store.StatsQuery{Of: "traces", Metrics: []string{"count"}})
				if err != nil {
					w.Error(err)
					return
				}
				if n, _ := page.Data[0]["count"].(int64); n < before {
					w.Errorf("%d traces are seen when %d were inserted", n, before)
				}
			}
		})
	}
	for n := range 300 {
		w.take(w.record(fmt.Sprint("c", n), wire.TraceCreate, noon, `{"id":"t%d","name":"n"}`, n),
			w.record(fmt.Sprint("u", n), wire.TraceUpdate, noon.Add(time.Second), `{"id":"t%d","name":"m"}`, n/2))
		inserted.Store(int64(n + 1))
		if c, err := w.Cursor(w.Context()); err != nil || c > w.seq {
			w.Errorf("cursor %d of %d, %v", c, w.seq, err)
		}
	}
	close(done)
	askers.Wait()
	w.flush()
	if c, err := w.Cursor(w.Context()); err != nil || c != w.seq {
		w.Errorf("cursor %d of %d, %v", c, w.seq, err)
	}
}

// Two events of one id are two facts however alike the hashes of what they say are, in one transaction, in another, and after
// a restart; and one fact, whenever it comes again.
func testAlike(w *warehouseTest) {
	alike := func(n uint64) entity.Record {
		r := w.record("same", wire.ObservationUpdate, noon.Add(time.Duration(n)*time.Second), `{"id":"o","trace_id":"t","tags":["tag%d"]}`, n)
		r.Fields.Content = n << 32 // the lower bits are the same
		return r
	}
	count := func(want int64) {
		w.Helper()
		if row := w.stats(store.StatsQuery{Of: "events"})[0]; row["count"] != want {
			w.Errorf("%v events, want %d", row["count"], want)
		}
		if got := w.observation("o"); int64(len(got.Tags)) != want {
			w.Errorf("tags %v, want %d", got.Tags, want)
		}
	}
	recs := []entity.Record{alike(1), alike(2), alike(3), alike(4)}
	again := func(r entity.Record) entity.Record { // accepted again
		w.seq++
		r.Seq = w.seq
		return r
	}
	w.take(recs[0], recs[1], again(recs[0]))
	count(2)
	w.take(again(recs[1]))
	w.take(recs[2], again(recs[2]), again(recs[0]))
	count(3)
	w.reopen()
	w.take(again(recs[0]), again(recs[2]), recs[3])
	count(4)
}
