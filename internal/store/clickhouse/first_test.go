package clickhouse

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The first page is right whatever became of the traces since it was asked for last: newer ones came, the newest turned out to be old, or were erased.
func TestFirstPageAgainAndAgain(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var recs []entity.Record
	event := func(trace int, start time.Time) {
		seq := entity.Seq(len(recs) + 1)
		recs = append(recs, record(t, seq, fmt.Sprint("e", seq), wire.TraceUpdate, begin.Add(time.Duration(seq)*time.Second),
			fmt.Sprintf(`{"id":"t%d","name":"n%d","start_time":%q}`, trace, rng.IntN(3), start.Format(time.RFC3339))))
	}
	traces, inserted := 0, 0
	erased := map[entity.Seq]bool{}
	for step := range 6 {
		for range 1 + rng.IntN(40) {
			event(traces, begin.Add(time.Duration(rng.IntN(1000*(step+1)))*time.Second))
			traces++
		}
		for range rng.IntN(30) { // the newest among them
			event(max(0, traces-1-rng.IntN(60)), begin.Add(-time.Duration(rng.IntN(1000))*time.Second))
		}
		insert(t, w, recs[inserted:], entity.Seq(len(recs)))
		inserted = len(recs)
		if step%3 == 2 {
			var gone []entity.Seq
			for range 20 {
				if seq := entity.Seq(1 + rng.IntN(len(recs))); !erased[seq] {
					gone, erased[seq] = append(gone, seq), true
				}
			}
			if err := w.Erase(t.Context(), storetest.HistoryProject, gone); err != nil {
				t.Fatal(err)
			}
		}
		var left []entity.Record
		for i := range recs {
			if !erased[recs[i].Seq] {
				left = append(left, recs[i])
			}
		}
		embedded := reference(t, left)
		for _, order := range []store.Order{{Limit: 3}, {Limit: 3}, {Limit: 10}, {Limit: 5, Asc: true}, {Limit: 4, By: "total_cost"}} {
			same(t, fmt.Sprintf("step %d, %+v", step, order), pageOf(t, w, order), pageOf(t, embedded, order))
		}
	}
	closeOf(t, w)
}

func pageOf(t *testing.T, w store.Warehouse, order store.Order) map[string]string {
	t.Helper()
	page, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, store.Query{Order: order})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"page": string(b)}
}

// What a server answers that is too old to look again beside an index is the same.
func TestAnOlderServer(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	recs := withRows(t, storetest.History(chance.Seed(t), 400))
	insert(t, w, recs, 400)
	want := answers(t, w)
	w.looksAgain.Store(false)
	same(t, "as an older server", answers(t, w), want)
	closeOf(t, w)
}
