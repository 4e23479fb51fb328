package duckstore

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// tariffs prices calls by what their models are called; once raised, some gain a price, lose it or have another.
type tariffs struct{ raised bool }

func (p tariffs) Price(_ string, o *observationRow) {
	unit := 0.1
	if p.raised {
		unit = 0.3
	}
	if o.TotalCost != nil || o.TotalTokens == nil || o.Model == "gains" && !p.raised || o.Model == "loses" && p.raised {
		if o.TotalCost == nil {
			o.Unpriced("no price")
		}
		return
	}
	cost := float64(*o.TotalTokens) * unit
	o.Computed(entity.Costs{Input: cost, Total: cost}, "")
}

func (p tariffs) Reprice(project string, o *observationRow) entity.Repriced {
	was := o.Costs()
	if was.Source == entity.CostReported {
		return entity.Same
	}
	o.SetCosts(entity.Costed{Source: entity.CostNone})
	p.Price(project, o)
	if is := o.Costs(); is.Equal(&was) {
		return entity.Same
	}
	return entity.Changed
}

// sameHash are ids of two traces whose rows are found together.
func sameHash() (a, b string) {
	met := map[int64]string{}
	for i := 0; ; i++ {
		id := fmt.Sprint("trace-", i)
		if other, ok := met[traceHash(id)]; ok {
			return other, id
		}
		met[traceHash(id)] = id
	}
}

// What calls cost more or less is added to the sums of their traces: these are what they are when the same calls are inserted at the new prices.
// So are those of traces whose ids have one hash, whose sums are too large to be added to, or in which an agent's own cost counts no more; and so is what
// of each observation counts.
func TestRepriceAddsToSums(t *testing.T) {
	t.Parallel()
	for _, alike := range []bool{false, true} {
		t.Run(fmt.Sprintf("alike=%t", alike), func(t *testing.T) { repriceAddsToSums(t, alike) })
	}
}

// repriceAddsToSums has agents in two traces of one hash when they are alike.
func repriceAddsToSums(t *testing.T, alike bool) {
	a, b := sameHash()
	g := newGenerator(1)
	call := func(trace, model string, tokens int64, values ...entity.FieldValue) {
		id := wire.NewIDAt(g.at)
		values = append(values, txt(entity.TraceID, trace), txt(entity.ObservationType, "llm"), txt(entity.Model, model))
		if tokens > 0 {
			values = append(values, num(entity.TotalTokens, tokens))
		}
		g.add(id, wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate, values...)
	}
	for _, trace := range []string{a, b, "one", "two", "rich", "agent", "last"} {
		call(trace, "changes", 7)
		call(trace, "same", 3, entity.FieldValue{Field: entity.TotalCost, Num: 0.2})
	}
	call(a, "gains", 1)
	call("one", "gains", 11)
	call("one", "gains", 0) // it never has a price
	call("two", "loses", 5)
	call("lost", "loses", 5)
	call("gained", "gains", 5)
	call("rich", "same", 0, entity.FieldValue{Field: entity.TotalCost, Num: 123456789.123456})
	step := func(trace, id, parent string, values ...entity.FieldValue) {
		g.add(wire.NewIDAt(g.at), wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate,
			append(values, txt(entity.TraceID, trace), txt(entity.ObservationType, "agent"), txt(entity.ParentObservationID, parent))...)
	}
	below := func(id string) entity.FieldValue { return txt(entity.ParentObservationID, id) }
	cost := entity.FieldValue{Field: entity.TotalCost, Num: 9}
	step("above", "1", "", cost)
	call("above", "gains", 2, below("1"))
	step("chain", "1", "", cost, num(entity.TotalTokens, 5)) // what it has counts no more, of what is beside it nothing changes
	step("chain", "2", "1")
	step("chain", "3", "2", num(entity.TotalTokens, 4))
	step("chain", "4", "1", cost)
	call("chain", "gains", 2, below("2"))
	call("chain", "gains", 3, below("3"))
	step("call between", "1", "", cost)
	g.add(wire.NewIDAt(g.at), wire.ObservationCreate, 0, "2", entity.ObservationKind, entity.RankCreate, txt(entity.TraceID, "call between"), txt(entity.ObservationType, "llm"), below("1"))
	step("call between", "3", "2")
	call("call between", "gains", 2, below("3"))
	step("round", "1", "2", cost)
	step("round", "2", "1", cost)
	call("round", "gains", 2, below("1")) // where the first of them is above the other
	step("itself", "1", "1", cost)
	call("itself", "gains", 2, below("1"))
	step("nobody", "1", "", cost)
	call("nobody", "gains", 2, below("2"))
	call("calls only", "gains", 2, below("1"))
	step("no more", "1", "", cost)
	call("no more", "loses", 2, below("1"))
	if alike {
		step(a, "1", "", cost)
		step(b, "1", "", cost)
		call(a, "gains", 4, below("1"))
	}
	recs := g.next(len(g.open))

	sums := func(prices entity.Pricer, reprice entity.Repricer) (lines []string) {
		w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{Prices: prices})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		if err := insertNow(t.Context(), w, recs); err != nil {
			t.Fatal(err)
		}
		if reprice != nil {
			r := &store.Repricing{Project: "default", From: math.MinInt64, To: math.MaxInt64, By: reprice, Done: func() error { return nil }}
			if _, err := w.Reprice(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		for _, statement := range []string{
			"SELECT id || ': ' || coalesce(total_cost::VARCHAR, 'unknown') || ', ' || unpriced_count::VARCHAR || ' unpriced' FROM traces ORDER BY id",
			"SELECT concat_ws(' ', trace_id, id, total_cost, counts_tokens, counts_cost, counted) FROM observations ORDER BY trace_id, id",
		} {
			err = w.write.scan(statement, nil, func(b block) {
				for i := range b.rows {
					lines = append(lines, b.text(0, i))
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return lines
	}
	is, want := sums(tariffs{}, tariffs{raised: true}), sums(tariffs{raised: true}, nil)
	if len(is) != 17+len(recs) || fmt.Sprint(is) != fmt.Sprint(want) {
		t.Errorf("repriced:\n%q\nanew:\n%q", is, want)
	}
}
