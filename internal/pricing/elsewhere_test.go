package pricing_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
)

// A call costs the same by its Seq of another warehouse, and by the journal of a log in which each event has another Seq.
func TestPricesElsewhere(t *testing.T) {
	t.Parallel()
	const shift = 1 << 20
	h := newHouse(t)
	p := h.open()
	h.head = 10
	h.set(p, string(own("2")))
	h.now, h.head = noon.AddDate(0, 0, 1), 20
	if err := p.SetOwn("p", own("4"), noon.AddDate(0, 0, -5)); err != nil { // for calls of that time that come later
		t.Fatal(err)
	}
	h.begin(p, pricing.Ask{From: noon.AddDate(0, 0, -1), Model: "gpt-4o-mini"})
	h.end(p)
	if afters, err := pricing.Afters(h.dir, 3); err != nil || len(afters) != 1 || !slices.Equal(afters[3], []entity.Seq{10, 20}) {
		t.Fatalf("places of the journal: %v, %v", afters, err)
	}
	elsewhere := p.Elsewhere(func(seq entity.Seq) (uint16, entity.Seq, bool, bool) { return 3, seq - shift, true, false })

	moved := newHouse(t)
	moved.now, moved.head = h.now, 40
	places := map[entity.Seq]entity.Seq{10: 3, 20: 7}
	if err := pricing.Move(h.dir, moved.dir, 3, pricing.Numbers{{Node: 3}}, func(_ uint16, place entity.Seq) entity.Seq { return places[place] }); err != nil {
		t.Fatal(err)
	}
	there := moved.open()
	if there.Begun() || there.Repriced() != 1 {
		t.Error("the moved journal is not the one that it was")
	}
	for was, is := range map[entity.Seq]entity.Seq{1: 1, 10: 3, 11: 4, 20: 7, 21: 8} {
		for _, days := range []int{-9, 0, 2} {
			start := noon.AddDate(0, 0, days)
			want := priced(p, "p", call(start, was))
			if got := priced(there, "p", call(start, is)); got != want {
				t.Errorf("call %d, %d days: %s by the moved journal, want %s", was, days, got, want)
			}
			o := call(start, was+shift)
			entity.Tariff{Prices: elsewhere, Project: "p"}.Price(o)
			w := call(start, was)
			entity.Tariff{Prices: p, Project: "p"}.Price(w)
			if *o.TotalCost != *w.TotalCost {
				t.Errorf("call %d, %d days: %v elsewhere, want %v", was, days, *o.TotalCost, *w.TotalCost)
			}
		}
	}
	if err := pricing.Move(filepath.Join(h.dir, "none"), filepath.Join(h.dir, "to"), 3, nil, nil); err != nil {
		t.Errorf("without a journal: %v", err)
	}
}

// A warehouse that missed repricings is told of them, as far as they have come.
func TestRepricingsSince(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.now, h.head = noon.AddDate(0, 0, 3), 50
	h.set(p, dear)
	for i, model := range []string{"gpt-4o-mini", "gpt-4o"} {
		h.begin(p, pricing.Ask{From: noon.AddDate(0, 0, -1), To: noon.AddDate(0, 0, 2), Model: model})
		if n := len(p.Since(i, nil)); n != 0 {
			t.Errorf("%d repricings, of which none has come to a day", n)
		}
		if i == 0 {
			h.end(p)
		}
	}
	h.advance(p, noon.AddDate(0, 0, 1))
	if n := len(p.Since(0, nil)); n != 2 {
		t.Errorf("%d repricings, want 2", n)
	}
	since := p.Since(1, nil)
	if len(since) != 1 || since[0].Project != "p" || since[0].From != noon.AddDate(0, 0, -1).UnixMicro() || since[0].To != noon.AddDate(0, 0, 1).UnixMicro() {
		t.Fatalf("%+v", since)
	}
	for days, want := range map[int]entity.Repriced{0: entity.Changed, 1: entity.Other, -2: entity.Other} {
		o := call(noon.AddDate(0, 0, days), 1)
		if is := since[0].By.Reprice("p", o); is != want {
			t.Errorf("a call of %d days later is %v, want %v", days, is, want)
		}
	}
}
