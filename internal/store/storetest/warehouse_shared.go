package storetest

import (
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
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

// What names no trace is with the newest, whichever that is by now: one of those that came with it, one that comes later, one of those that
// were there before when the newest is older than it seemed or is gone, or none.
func testFloating(w *warehouseTest) {
	n := 0
	event := func(typ wire.EventType, trace string, second int) entity.Record {
		n++
		named := ""
		if trace != "" {
			named = fmt.Sprintf(`"trace_id":%q,`, trace)
		}
		return w.record(fmt.Sprint(n), typ, noon.Add(time.Duration(second)*time.Second), `{"id":"step",%s"name":"n-%d","metadata":{"%d":1}}`, named, n, n)
	}
	create := func(trace string, second int) entity.Record { return event(wire.ObservationCreate, trace, second) }
	floats := func() entity.Record { return event(wire.ObservationUpdate, "", 100) }
	for _, step := range [][]entity.Record{
		{create("A", 1), floats(), create("B", 2)},
		{floats()},
		{create("D", 4)},
		{create("C", 3)},
		{create("D", 0), floats()}, // it is the oldest now, C the newest
		{event(wire.ObservationUpdate, "E", 50)},
		{create("E", 5)},
		{create("F", 6), create("G", 7)},
	} {
		w.insert(step...)
		w.compareWithFold()
	}
	trace := func(r *entity.Record) string { v, _ := r.Fields.Get(entity.TraceID); return v.Text }
	gone := func(goes func(string) bool) (seqs []entity.Seq) {
		for i := range w.recs {
			if goes(trace(&w.recs[i])) {
				seqs = append(seqs, w.recs[i].Seq)
			}
		}
		return seqs
	}
	w.erase(gone(func(trace string) bool { return trace == "G" })...)
	w.compareWithFold()
	w.erase(gone(func(trace string) bool { return trace != "" })...)
	for _, step := range [][]entity.Record{{floats()}, {create("H", 8)}, {create("A", 9), floats()}} {
		w.compareWithFold()
		w.insert(step...)
	}
	w.compareWithFold()
}
