package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// erase removes the events from the warehouse and from what the test expects.
func (w *warehouseTest) erase(seqs ...entity.Seq) {
	w.Helper()
	w.log.Erase(w.project, seqs...)
	if err := w.Erase(w.Context(), w.project, seqs); err != nil {
		w.Fatal(err)
	}
	w.recs = slices.DeleteFunc(w.recs, func(r entity.Record) bool { return slices.Contains(seqs, r.Seq) })
}

func testErase(w *warehouseTest) {
	ctx := w.Context()
	theirs := w.record("1", wire.TraceCreate, noon, `{"id":"t","name":"theirs"}`)
	theirs.Project = "other"
	w.insert(theirs,
		w.record("2", wire.TraceCreate, noon, `{"id":"t","name":"trace"}`),
		w.record("3", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"first","model":"m"}`),
		w.record("4", wire.ObservationUpdate, noon.Add(time.Second), `{"id":"o","name":"second","level":"error"}`),
		w.record("5", wire.QualityScoreCreate, noon, `{"id":"s","observation_id":"o","name":"q","value":1}`),
		w.record("6", wire.ObservationCreate, noon, `{"id":"o2","trace_id":"t2","name":"n"}`))
	w.checkpoint()

	w.erase(4, 1, 77) // an update; one of another project; one that is not there
	if o := w.observation("o"); o.Name != "first" || o.Level != "DEFAULT" {
		w.Errorf("without its update: %+v", o)
	}
	if got := w.traces(store.Query{Filter: store.Filter{TraceID: "t"}}); len(got) != 1 || got[0].ErrorCount != 0 || got[0].Scores["q"] != 1.0 {
		w.Errorf("its trace: %+v", got)
	}
	if page, err := query.ListTraces(ctx, w, "other", store.Query{}); err != nil || len(page.Data) != 1 || page.Data[0].Name != "theirs" {
		w.Errorf("the other project: %+v, %v", page, err)
	}
	if _, err := store.EventSeqs(ctx, w, project, "4"); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("the erased event: %v", err)
	}
	w.erase(2, 3, 5)
	if got := w.traces(store.Query{}); len(got) != 1 || got[0].ID != "t2" {
		w.Errorf("traces %+v", got)
	}
	if _, err := store.TraceEvents(ctx, w, project, "t"); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("events of the erased trace: %v", err)
	}
	if page, err := query.ListScores(ctx, w, project, store.Query{}); err != nil || len(page.Data) != 0 {
		w.Errorf("scores %+v, %v", page, err)
	}
	w.erase(w.seq + 1000)
	w.erase()
	w.reopen()
	if c, err := w.Cursor(ctx); c != 6 || err != nil {
		w.Errorf("cursor %d, %v", c, err)
	}
	w.insert(w.record("3", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"again"}`))
	if o := w.observation("o"); o.Name != "again" {
		w.Errorf("sent again: %+v", o)
	}
}

// After random events were erased, everything is as if they had never come.
func testEraseHistory(w *warehouseTest) {
	s := chance.Seed(w)
	w.history(s, 300)
	w.recs = firstOf(w.recs)
	rng := chance.From(s, 11)
	for range 3 {
		var seqs []entity.Seq
		for _, r := range w.recs {
			if rng.IntN(6) == 0 {
				seqs = append(seqs, r.Seq)
			}
		}
		w.erase(seqs...)
		w.compareWithFold()
	}
}

// A record that returns from quarantine has a Seq long passed.
func testLate(w *warehouseTest) {
	late := w.record("1", wire.ObservationCreate, noon, `{"id":"o","trace_id":"t","name":"late","model":"m"}`)
	alone := w.record("2", wire.QualityScoreCreate, noon, `{"id":"s","observation_id":"o","name":"q","value":1}`)
	w.insert(w.record("3", wire.ObservationUpdate, noon.Add(time.Second), `{"id":"o","level":"error"}`),
		w.record("4", wire.TraceCreate, noon, `{"id":"t2","name":"n"}`))
	w.checkpoint()
	if got := w.traces(store.Query{}); len(got) != 1 {
		w.Fatalf("traces %+v", got)
	}
	w.insert(late, alone)
	for range 2 { // before and after a checkpoint
		if o := w.observation("o"); o.Name != "late" || o.Level != "ERROR" || o.Model != "m" {
			w.Errorf("observation %+v", o)
		}
		if got := w.traces(store.Query{Filter: store.Filter{TraceID: "t"}}); len(got) != 1 || got[0].ErrorCount != 1 || got[0].Scores["q"] != 1.0 {
			w.Errorf("traces %+v", got)
		}
		if seqs, err := store.TraceEvents(w.Context(), w, project, "t"); err != nil || !slices.Equal(seqs, []entity.Seq{1, 2, 3}) {
			w.Errorf("events %v, %v", seqs, err)
		}
		w.reopen()
		w.checkpoint()
	}
}

// checkpoint tells the warehouse that it has time, when it can make use of it.
func (w *warehouseTest) checkpoint() {
	w.Helper()
	if s, ok := w.Warehouse.(interface{ Checkpoint(context.Context) error }); ok {
		if err := s.Checkpoint(w.Context()); err != nil {
			w.Fatal(err)
		}
	}
}
