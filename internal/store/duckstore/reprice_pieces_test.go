package duckstore

import (
	"math"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Columns that no call has a value of are not read; those that only one has are, wherever it stands; and what one call costs is not told of the next.
func TestRepriceReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	const calls = 3000
	for _, sent := range []int{-1, 0, calls - 1} { // which of them came with a cost; none, the first, the last
		g := newGenerator(1)
		want := entity.RepricedTotals{Calls: calls, Changed: calls, Gained: calls}
		cost := 3.0 * calls
		for i := range calls {
			id, model, value := wire.NewIDAt(g.at), txt(entity.Model, "gains"), num(entity.TotalTokens, 10)
			if i == sent {
				model, value = txt(entity.Model, "same"), entity.FieldValue{Field: entity.TotalCost, Num: 0.25}
				want.Changed, want.Gained, want.Former, cost = calls-1, calls-1, &value.Num, cost-3+0.25
			}
			g.add(id, wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate, txt(entity.TraceID, "t"), txt(entity.ObservationType, "llm"), model, value)
		}
		want.New = &cost
		w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{Prices: tariffs{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := insertNow(t.Context(), w, g.next(calls)); err != nil {
			t.Fatal(err)
		}
		for _, done := range []func() error{nil, func() error { return nil }} {
			tally, err := w.Reprice(t.Context(), &store.Repricing{Project: "default", From: math.MinInt64, To: math.MaxInt64, By: tariffs{raised: true}, Done: done})
			if err != nil {
				t.Fatal(err)
			}
			if _, all := tally.Models(); !reflect.DeepEqual(all, want) {
				t.Errorf("the cost of call %d was sent: %+v, want %+v", sent, all, want)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
