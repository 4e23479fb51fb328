package pricing_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
)

// own is own prices of gpt-4o: so many USD for a million tokens each way.
func own(usd string) []byte {
	return []byte(`[{"model":"gpt-4o","input":` + usd + `,"output":` + usd + `}]`)
}

// Own prices are those of one project, from a time on, for calls that come behind them; what was set before stays in the history.
func TestOwnPrices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	h.head = 10
	set := func(usd string, from time.Time) {
		t.Helper()
		if err := p.SetOwn("shop", own(usd), from); err != nil {
			t.Fatal(err)
		}
	}
	set("1", noon)
	h.head, h.now = 20, noon.Add(time.Hour)
	set("2", noon.Add(time.Hour))
	again, err := pricing.Read(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*pricing.Pricing{p, again, h.open()} {
		for _, c := range []struct {
			project string
			after   time.Duration
			first   entity.Seq
			want    string
		}{
			{"shop", -time.Second, 30, "0.0125"}, {"shop", 0, 10, "0.0125"}, {"shop", 0, 11, "0.002"}, {"shop", 0, 30, "0.002"},
			{"shop", time.Hour, 21, "0.004"}, {"shop", time.Hour, 20, "0.002"}, {"lab", time.Hour, 30, "0.0125"},
		} {
			if got := priced(p, c.project, call(noon.Add(c.after), c.first)); got != c.want+" computed" {
				t.Errorf("%s, %s behind, first at %d: %s, want %s", c.project, c.after, c.first, got, c.want)
			}
		}
		sets := p.Own("shop")
		if len(sets) != 2 || string(sets[0].Prices) != string(own("1")) || !sets[1].From.Equal(noon.Add(time.Hour)) || len(p.Own("lab")) != 0 {
			t.Errorf("%+v", sets)
		}
		how := p.Explain("shop", call(noon.Add(time.Hour), 30))
		if how.Price == nil || how.Price.Source != pricing.OwnSource || how.Total == nil || *how.Total != 0.004 || len(how.Parts) != 2 || how.Parts[0].Unit != "2" {
			t.Errorf("%+v", how)
		}
	}
	agent := call(noon, 30)
	agent.Type = "agent"
	if how := p.Explain("shop", agent); how.Total != nil || how.Price != nil || how.Reason == "" {
		t.Errorf("an agent costs %+v", how)
	}
	if err := p.SetOwn("shop", []byte("[]"), noon); err != nil {
		t.Fatal(err)
	}
	if got := priced(p, "shop", call(noon.Add(time.Hour), 30)); got != "0.0125 computed" {
		t.Errorf("without own prices: %s", got)
	}
}

// What is wrong is told by line and model, and changes nothing.
func TestWrongOwnPrices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.open()
	before := files(t, h.dir)
	for text, want := range map[string]string{
		``:                                      "line 1",
		`[{"model":"m"}]`:                       "no price",
		"[\n{\"model\":\"m\",\"input\":\"x\"}]": "line 2",
		`[{"model":"m","input":1,"output":1,"project":"other"}]`: "another project",
	} {
		if err := p.SetOwn("shop", []byte(text), noon); !errors.Is(err, pricing.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if files(t, h.dir) != before {
		t.Error("the journal changed")
	}
}

// No call that is heard of behind the head of the log is priced without what holds behind it: it waits until that is in force.
func TestPriceWhileOwnPricesAreSet(t *testing.T) {
	t.Parallel()
	const head = 10
	var p *pricing.Pricing
	asked, was := false, make(chan string, 1)
	o := pricing.Options{Dir: newHouse(t).dir, Now: func() time.Time { return noon }, Logger: discard(), Head: func() entity.Seq {
		if p != nil { // own prices are being set
			asked = true
			go func() { was <- priced(p, "shop", call(noon, head+1)) }()
			select {
			case early := <-was: // it did not wait
				was <- early
			case <-time.After(20 * time.Millisecond):
			}
		}
		return head
	}}
	opened, err := pricing.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	p = opened
	if err := p.SetOwn("shop", own("1"), noon); err != nil {
		t.Fatal(err)
	}
	if got := <-was; !asked || got != "0.002 computed" {
		t.Errorf("it cost %s while own prices were set, and costs %s", got, priced(p, "shop", call(noon, head+1)))
	}
}
