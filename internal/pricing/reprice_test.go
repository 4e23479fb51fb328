package pricing_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
)

// dear is a price for gpt-4o of 1 USD a token, and for one that the book does not know.
const dear = `[{"model":"gpt-4o","input":1000000,"output":1000000},{"model":"nobody's","input":1000,"output":1000}]`

// set makes prices the own ones of the project "p" for calls that come from the house's time on.
func (h *house) set(p *pricing.Pricing, prices string) {
	h.Helper()
	if err := p.SetOwn("p", []byte(prices), h.now); err != nil {
		h.Fatal(err)
	}
}

// begin begins a repricing of the project "p".
func (h *house) begin(p *pricing.Pricing, a pricing.Ask) {
	h.Helper()
	a.Project = "p"
	plan, err := p.Plan(a)
	if err == nil {
		err = plan.Begin(entity.RepricedTotals{Calls: 3, Changed: 2})
	}
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) advance(p *pricing.Pricing, to time.Time) {
	h.Helper()
	u, ok := p.Underway()
	if !ok {
		h.Fatal("no repricing is under way")
	}
	if err := u.Advance(min(to.UnixMicro(), u.To)); err != nil {
		h.Fatal(err)
	}
}

// end ends the one that is under way.
func (h *house) end(p *pricing.Pricing) { h.advance(p, h.now.AddDate(1, 0, 0)) }

// The past has the present prices once it was repriced, as far as that has come, also after a restart; a call that comes late does, too,
// and what begins later is not touched.
func TestRepriced(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.now, h.head = noon.AddDate(0, 0, 3), 50
	h.set(p, dear)
	if got := priced(p, "p", call(noon, 1)); got != "0.0125 computed" {
		t.Fatalf("before: %s", got)
	}
	h.begin(p, pricing.Ask{From: noon.AddDate(0, 0, -1), To: noon.AddDate(0, 0, 2), Model: "gpt-4o"})
	check := func(stage string, want map[string]string) {
		t.Helper()
		for range 2 {
			for name, c := range map[string]struct {
				project string
				o       *entity.ObservationRow
			}{
				"first day": {"p", call(noon, 1)}, "second day": {"p", call(noon.AddDate(0, 0, 1), 2)}, "too early": {"p", call(noon.AddDate(0, 0, -2), 3)}, "too late": {"p", call(noon.AddDate(0, 0, 2), 4)},
				"heard of later": {"p", call(noon, 60)}, "another project": {"q", call(noon, 1)}, "another model": {"p", withModel(call(noon, 1), "gpt-4o-mini")},
			} {
				if got := priced(p, c.project, c.o); got != want[name] {
					t.Errorf("%s, %s: %s, want %s", stage, name, got, want[name])
				}
			}
			p = h.open()
		}
	}
	const old, mini, anew = "0.0125 computed", "0.00075 computed", "2000 computed"
	want := map[string]string{"first day": old, "second day": old, "too early": old, "too late": old, "heard of later": old, "another project": old, "another model": mini}
	check("begun", want)
	h.advance(p, noon.AddDate(0, 0, 1))
	want["first day"], want["heard of later"] = anew, anew
	check("after a day", want)
	if _, err := p.Plan(pricing.Ask{Project: "q"}); err != nil {
		t.Error(err)
	}
	h.end(p)
	want["second day"] = anew
	check("ended", want)
	told := p.Repricings("p")
	if len(told) != 1 || told[0].State != pricing.StateDone || told[0].Changed != 2 || told[0].OwnPrices == nil || !told[0].Done.Equal(told[0].To) || len(p.Repricings("q")) != 0 {
		t.Errorf("%+v", told)
	}
	// Own prices that are set later for calls of that time hold for those that come later still.
	h.now, h.head = h.now.Add(time.Hour), 70
	if err := p.SetOwn("p", []byte(`[{"model":"gpt-4o","input":0,"output":0}]`), noon.AddDate(0, 0, -5)); err != nil {
		t.Fatal(err)
	}
	check("after other prices", want)
	if got := priced(p, "p", call(noon, 80)); got != "0 computed" {
		t.Errorf("a later call with later prices: %s", got)
	}
}

func withModel(o *entity.ObservationRow, model string) *entity.ObservationRow {
	o.Model = model
	return o
}

// One repricing at a time, and none of what cannot be.
func TestWrongAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.now = noon.AddDate(0, 0, 1)
	for name, a := range map[string]pricing.Ask{
		"in the future": {From: h.now.Add(time.Second)}, "nothing": {From: noon, To: noon}, "the wrong way round": {From: noon, To: noon.Add(-time.Hour)},
		"a book of tomorrow": {Book: h.now.Add(time.Second)}, "a book of before": {Book: noon.Add(-time.Second)},
	} {
		if _, err := p.Plan(a); !errors.Is(err, pricing.ErrAsk) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.begin(p, pricing.Ask{})
	plan, err := p.Plan(pricing.Ask{Project: "other"})
	if err == nil {
		err = plan.Begin(entity.RepricedTotals{})
	}
	if !errors.Is(err, pricing.ErrUnderway) {
		t.Errorf("another at a time: %v", err)
	}
	h.end(p)
	if err := plan.Begin(entity.RepricedTotals{}); err != nil {
		t.Error(err)
	}
	h.cost = pricing.AsSent
	if _, err := h.open().Plan(pricing.Ask{}); !errors.Is(err, pricing.ErrAsk) {
		t.Errorf("as sent: %v", err)
	}
}

// The book and the own prices of a day are those that held then; what has no price by them keeps its cost, and what had none may have one.
func TestBookOfADay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.now, h.head = noon.AddDate(0, 0, 1), 10
	h.set(p, dear)
	h.now = noon.AddDate(0, 0, 2)
	h.set(p, `[{"model":"only-here","input":1,"output":1}]`)
	h.now = noon.AddDate(0, 0, 3)
	nobodys := func() *entity.ObservationRow { return withModel(call(noon, 1), "nobody's") }
	if got := priced(p, "p", nobodys()); got != "- none no price for the model" {
		t.Fatal(got)
	}
	h.begin(p, pricing.Ask{Book: noon.AddDate(0, 0, 1).Add(time.Hour)})
	h.end(p)
	if a, b := priced(p, "p", call(noon, 1)), priced(p, "p", nobodys()); a != "2000 computed" || b != "2 computed" {
		t.Errorf("by the prices of the second day: %s, %s", a, b)
	}
	h.now = h.now.Add(time.Hour)
	h.begin(p, pricing.Ask{})
	h.end(p)
	if a, b := priced(p, "p", call(noon, 1)), priced(p, "p", nobodys()); a != "0.0125 computed" || b != "2 computed" {
		t.Errorf("by today's: %s, %s: what has no price any more keeps its cost", a, b)
	}
	x := p.Explain("p", nobodys())
	if len(x.Former) != 1 || x.Former[0].TotalCost != nil || x.Former[0].CostReason != "no price for the model" || x.Former[0].By == "" || !x.Former[0].Until.Equal(noon.AddDate(0, 0, 3)) {
		t.Errorf("what it cost before: %+v", x.Former)
	}
	x = p.Explain("p", call(noon, 1))
	if len(x.Former) != 2 || *x.Former[0].TotalCost != builtIn || *x.Former[1].TotalCost != 2000 || x.Total == nil || *x.Total != builtIn {
		t.Errorf("what it cost before: %+v", x.Former)
	}
	if x := p.Explain("p", call(noon, 11)); len(x.Former) != 2 { // the head was 10 when prices were set, and is so still
		t.Logf("heard of behind the head: %+v", x.Former)
	}
}

// What Reprice makes of a row that has its costs is what Price makes of the call as it was sent, whatever was in force when.
func TestRepriceIsPrice(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	rng := chance.From(seed, 7)
	unsure, changed := 0, 0
	for range chance.Rounds(20) {
		h := newHouse(t)
		h.cost = pick(rng, pricing.PreferReported, pricing.PreferComputed, pricing.AsSent)
		p := h.open()
		for range 1 + rng.IntN(5) {
			h.now, h.head = h.now.Add(time.Hour), h.head+10
			switch rng.IntN(3) {
			case 0:
				if err := p.SetOwn("p", []byte(pick(rng, dear, "[]", `[{"model":"gpt-4o","input":7,"output":0.3}]`)), h.now.Add(time.Duration(rng.IntN(5)-4)*time.Hour)); err != nil {
					t.Fatal(err)
				}
			case 1:
				h.cost = pick(rng, pricing.PreferReported, pricing.PreferComputed, pricing.AsSent)
				p = h.open()
			case 2:
				a := pricing.Ask{Project: "p", From: noon.Add(time.Duration(rng.IntN(3)) * time.Hour), Model: pick(rng, "", "gpt-4o")}
				if rng.IntN(2) == 0 {
					a.Book = noon.Add(time.Duration(rng.IntN(1+int(h.now.Sub(noon)/time.Hour))) * time.Hour)
				}
				if _, err := p.Plan(a); err != nil {
					continue
				}
				h.begin(p, a)
				h.compare(p, rng, &changed, &unsure)
				h.end(p)
			}
		}
	}
	t.Logf("%d rows changed, and of %d it was not sure", changed, unsure)
}

// Where the computed cost took the place of the one that was sent, the row does not say which that was: it counts again when the setting is another.
func TestUnsure(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.cost = pricing.PreferComputed
	sent := func() *entity.ObservationRow {
		o, cost := call(noon, 1), 2.0
		o.TotalCost, o.CostSource = &cost, "reported"
		return o
	}
	p := h.open()
	row := sent()
	p.Price("p", row)
	h.cost, h.now = pricing.PreferReported, noon.AddDate(0, 0, 1)
	p = h.open()
	h.begin(p, pricing.Ask{})
	u, _ := p.Underway()
	was := told(row)
	if is := u.UpTo(u.To).Reprice("p", row); is != entity.Unsure || told(row) != was {
		t.Errorf("%d, %s from %s", is, told(row), was)
	}
	h.end(p)
	if got := priced(p, "p", sent()); got != "2 reported" {
		t.Error(got)
	}
}

// compare compares Reprice with Price, for calls of any kind.
func (h *house) compare(p *pricing.Pricing, rng *rand.Rand, changed, unsure *int) {
	h.Helper()
	u, _ := p.Underway()
	by := u.UpTo(h.now.UnixMicro())
	for range 200 {
		raw := call(noon.Add(time.Duration(rng.IntN(300))*time.Minute), entity.Seq(1+rng.IntN(int(h.head)+10)))
		raw.Model = pick(rng, "gpt-4o", "nobody's", "gpt-4o-mini", "")
		if rng.IntN(3) == 0 {
			cost := pick(rng, 0.0, 2, -1)
			raw.TotalCost, raw.InputCost, raw.CacheReadCost, raw.CostSource = &cost, &cost, &cost, "reported"
		} else {
			raw.CostReason = entity.CostNotSent
		}
		if rng.IntN(5) == 0 {
			raw.PromptTokens, raw.CompletionTokens, raw.TotalTokens = nil, nil, nil
		}
		if rng.IntN(3) == 0 {
			raw.CacheReadTokens = number[int64](500)
		}
		row, want := *raw, *raw
		p.Price("p", &row)
		was := told(&row)
		is := by.Reprice("p", &row)
		by.Price("p", &want)
		switch {
		case is == entity.Unsure:
			*unsure++
			if told(&row) != was {
				h.Errorf("unsure, and it became %s from %s", told(&row), was)
			}
		case told(&row) != told(&want):
			h.Errorf("%+v: repriced it is %s, was %s, want %s", raw.Observation, told(&row), was, told(&want))
		case (is == entity.Changed) != (was != told(&row)):
			h.Errorf("%s became %s, which is said to be %d", was, told(&row), is)
		case is == entity.Changed:
			*changed++
		}
	}
}

func told(o *entity.ObservationRow) string {
	raw, err := json.Marshal(o.Costs())
	return fmt.Sprint(string(raw), err)
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// A Repricer reads no other columns than those that PricedBy names.
func TestPricedBy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.now = noon.AddDate(0, 0, 1)
	h.set(p, dear)
	h.begin(p, pricing.Ask{})
	u, _ := p.Underway()
	by := u.UpTo(h.now.UnixMicro())
	cached := func() *entity.ObservationRow { // by the book, which has a price of an hour in the cache
		o := call(noon, 1)
		o.Provider, o.Model, o.CacheWriteTokens = "anthropic", "claude-sonnet-4-5", number[int64](500)
		return o
	}
	for _, made := range []func() *entity.ObservationRow{func() *entity.ObservationRow { return call(noon, 1) }, cached} {
		o, bare := made(), made()
		for _, m := range entity.ObservationMembers { // all others are filled, and may make no difference
			if slices.Contains(entity.PricedBy(), m.Field.String()) {
				continue
			}
			switch v := m.In(o).(type) {
			case *string:
				if m.Field.String() != "duplicate_of" {
					*v = "another"
				}
			case **int64:
				*v = number[int64](7)
			case **float64:
				*v = number(7.0)
			}
		}
		by.Reprice("p", o)
		by.Reprice("p", bare)
		if a, b := o.Costs(), bare.Costs(); !reflect.DeepEqual(a, b) || a.Total == nil {
			t.Errorf("%+v, and without other columns %+v", a, b)
		}
	}
}

// When own prices were set that a repricing is by does not change when the same prices are set again.
func TestOwnPricesOfARepricing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.now = noon.AddDate(0, 0, 3)
	set := h.now
	h.set(p, dear)
	h.now = h.now.Add(time.Hour)
	h.begin(p, pricing.Ask{})
	h.end(p)
	h.now = h.now.Add(time.Hour)
	h.set(p, dear)
	for range 2 {
		all := p.Repricings("p")
		if len(all) != 1 || all[0].OwnPrices == nil || !all[0].OwnPrices.Equal(set) {
			t.Fatalf("%+v, want those of %s", all, set)
		}
		p = h.open()
	}
	plan, err := p.Plan(pricing.Ask{Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if is := plan.Describe().OwnPrices; is == nil || !is.Equal(h.now) {
		t.Errorf("a plan is by the own prices of %v, want those of %s", is, h.now)
	}
}
