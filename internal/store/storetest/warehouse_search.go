package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// searched is what a restriction to events should leave, found without SQL.
type searched struct {
	seqs                 []entity.Seq
	traces, observations map[string]bool
}

// choose picks each event with the chance, and finds what was folded from those.
func (w *warehouseTest) choose(rng *rand.Rand, all *foldedAll, chance float64) *searched {
	s := &searched{seqs: []entity.Seq{}, traces: map[string]bool{}, observations: map[string]bool{}}
	for _, r := range firstOf(w.recs) {
		if rng.Float64() >= chance {
			continue
		}
		s.seqs = append(s.seqs, r.Seq)
		switch id := r.Fields.EntityID; r.Fields.Kind {
		case entity.TraceKind:
			s.traces[id] = true
		case entity.ObservationKind:
			key := all.in[r.Seq]
			s.observations[key] = true
			s.traces[all.observations[key].TraceID] = true
		}
	}
	s.seqs = append(s.seqs, 1<<40) // of an event that is not there yet
	return s
}

// match answers as the search of a Log would.
func (s *searched) match(_ context.Context, seqs []entity.Seq) ([]bool, error) {
	out := make([]bool, len(seqs))
	for i, seq := range seqs {
		_, out[i] = slices.BinarySearch(s.seqs, seq)
	}
	return out, nil
}

// tracesWhere and observationsWhere are the ids of all pages of a list.
func (w *warehouseTest) tracesWhere(f store.Filter, o store.Order) []string {
	w.Helper()
	return pages(w, func() {}, func(cursor string) (ids []string, next *string, err error) {
		o.Cursor = cursor
		page, err := query.ListTraces(w.Context(), w, w.project, store.Query{Filter: f, Order: o})
		if err != nil {
			return nil, nil, err
		}
		for _, t := range page.Data {
			ids = append(ids, t.ID)
		}
		return ids, page.NextCursor, nil
	})
}

func (w *warehouseTest) observationsWhere(f store.Filter, o store.Order) []string {
	w.Helper()
	return pages(w, func() {}, func(cursor string) (ids []string, next *string, err error) {
		o.Cursor = cursor
		page, err := query.ListObservations(w.Context(), w, w.project, store.Query{Filter: f, Order: o})
		if err != nil {
			return nil, nil, err
		}
		for i := range page.Data {
			ids = append(ids, observationKey(&page.Data[i]))
		}
		return ids, page.NextCursor, nil
	})
}

// Restricted to events, a list is the list without those that no event is of: in any
// order, with any filter beside it, on pages of any size, given as Seqs or asked one by one.
func testSearch(w *warehouseTest) {
	s := chance.Seed(w)
	w.history(s, 250)
	all := w.fold()
	rng := chance.From(s, 11)
	yes := true
	for i := range 6 {
		found := w.choose(rng, all, []float64{0, 0.01, 0.05, 0.2, 0.6, 1}[i])
		o := store.Order{Asc: rng.IntN(2) == 0, By: []string{"", "latency_ms", "total_cost", "total_tokens"}[rng.IntN(4)], Limit: 1000}
		f := []store.Filter{{}, {HasError: &yes}, {Environment: "production"}, {From: midnight}}[rng.IntN(4)]
		f.Text = "text"
		few := o
		few.Limit = 3 + rng.IntN(12)
		for _, list := range []struct {
			what string
			ids  func(store.Filter, store.Order) []string
			has  map[string]bool
		}{
			{"traces", w.tracesWhere, found.traces}, {"observations", w.observationsWhere, found.observations},
		} {
			want := slices.DeleteFunc(append([]string{}, list.ids(f, o)...), func(id string) bool { return !list.has[id] })
			what := fmt.Sprintf("%s %+v, %d events, by %q ascending %t, %d a page", list.what, f, len(found.seqs), o.By, o.Asc, few.Limit)
			bySeqs, byMatch := f, f
			bySeqs.Seqs, byMatch.Match = found.seqs, found.match
			w.equal(what+", as Seqs", append([]string{}, list.ids(bySeqs, few)...), want)
			w.equal(what+", by Match", append([]string{}, list.ids(byMatch, few)...), want)
			stats := store.StatsQuery{Of: list.what, Filter: bySeqs}
			w.equal(what+", counted", w.stats(stats)[0]["count"], len(want))
		}
	}
	w.mixedPages(rng, all)
	w.searchRefusals()
}

// mixedPages: a page may be found the one way and the next the other; only the text must stay.
func (w *warehouseTest) mixedPages(rng *rand.Rand, all *foldedAll) {
	found := w.choose(rng, all, 0.5)
	f := store.Filter{Text: "text", Seqs: found.seqs}
	want := w.tracesWhere(f, store.Order{Limit: 1000})
	got := pages(w, func() {}, func(cursor string) (ids []string, next *string, err error) {
		f := store.Filter{Text: "text", Seqs: found.seqs}
		if rng.IntN(2) == 0 {
			f = store.Filter{Text: "text", Match: found.match}
		}
		page, err := query.ListTraces(w.Context(), w, w.project, store.Query{Filter: f, Order: store.Order{Limit: 2, Cursor: cursor}})
		if err != nil {
			return nil, nil, err
		}
		for _, t := range page.Data {
			ids = append(ids, t.ID)
		}
		return ids, page.NextCursor, nil
	})
	if !slices.Equal(got, want) {
		w.Fatalf("pages of both ways are %v, want %v", got, want)
	}
	page, err := query.ListTraces(w.Context(), w, w.project, store.Query{Filter: f, Order: store.Order{Limit: 1}})
	if err != nil || page.NextCursor == nil {
		w.Fatalf("%+v %v", page, err)
	}
	f.Text = "other"
	_, err = query.ListTraces(w.Context(), w, w.project, store.Query{Filter: f, Order: store.Order{Limit: 1, Cursor: *page.NextCursor}})
	w.refusedParam(err, "cursor")
}

func (w *warehouseTest) searchRefusals() {
	f := store.Filter{Seqs: []entity.Seq{1}}
	_, err := query.ListScores(w.Context(), w, w.project, store.Query{Filter: f})
	w.refusedParam(err, "q")
	for _, of := range []string{"traces", "observations"} {
		_, err = query.ListStats(w.Context(), w.Warehouse, w.project, store.StatsQuery{Of: of, Filter: store.Filter{Match: (&searched{}).match}})
		w.refusedParam(err, "q")
	}
	broken := errors.New("broken")
	failing := store.Filter{Match: func(context.Context, []entity.Seq) ([]bool, error) { return nil, broken }}
	if _, err := query.ListTraces(w.Context(), w, w.project, store.Query{Filter: failing}); !errors.Is(err, broken) {
		w.Errorf("the error of Match is lost: %v", err)
	}
}

func (w *warehouseTest) refusedParam(err error, param string) {
	w.Helper()
	var query *store.QueryError
	if !errors.As(err, &query) || query.Param != param {
		w.Errorf("%v, want a refusal of %s", err, param)
	}
}
