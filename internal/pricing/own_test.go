package pricing_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		sets, err := p.Own("shop")
		if err != nil || len(sets) != 2 || string(sets[0].Prices) != string(own("1")) || !sets[1].From.Equal(noon.Add(time.Hour)) {
			t.Errorf("%+v %v", sets, err)
		}
		if lab, err := p.Own("lab"); err != nil || len(lab) != 0 {
			t.Errorf("another project: %+v %v", lab, err)
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

// However often own prices were set, a start reads no more of them than it must, all of them hold for their calls, and their history is whole.
func TestManySetsOfOwnPrices(t *testing.T) {
	t.Parallel()
	const sets = 150
	h := newHouse(t)
	p := h.open()
	text := func(i int) []byte {
		var b strings.Builder
		fmt.Fprintf(&b, `[{"model":"gpt-4o","input":%d,"output":0}`, i+1)
		for n := range 199 {
			fmt.Fprintf(&b, `,{"model":"model-%d","input":%d,"output":1}`, n, i)
		}
		return []byte(b.String() + "]")
	}
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Hour) }
	for i := range sets {
		h.head = entity.Seq(10 * i)
		if err := p.SetOwn("shop", text(i), at(i)); err != nil {
			t.Fatal(err)
		}
	}
	again := h.open()
	for _, i := range []int{0, 1, 75, 149, 0, 149} {
		want := fmt.Sprintf("%v computed", float64(i+1)/1000)
		if got := priced(again, "shop", call(at(i), 10*sets)); got != want {
			t.Errorf("set %d: %s, want %s", i, got, want)
		}
	}
	for i := range sets { // more than are kept at a time
		if got, was := priced(again, "shop", call(at(i), 10*sets)), priced(p, "shop", call(at(i), 10*sets)); got != was {
			t.Errorf("set %d: %s, it was %s", i, got, was)
		}
	}
	history, err := again.Own("shop")
	if err != nil || len(history) != sets {
		t.Fatalf("%d sets, %v", len(history), err)
	}
	for i := range history {
		if string(history[i].Prices) != string(text(i)) {
			t.Fatalf("set %d of the history is another", i)
		}
	}
}

// Own prices that this release cannot read refuse the start: another one took them.
func TestOwnPricesOfALaterRelease(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if err := h.open().SetOwn("shop", own("1"), noon); err != nil {
		t.Fatal(err)
	}
	later := []byte(`[{"model":"gpt-4o","input":1,"colour":"red"}]`)
	sum := sha256.Sum256(later)
	if err := os.WriteFile(filepath.Join(h.dir, hex.EncodeToString(sum[:])+".txt"), later, 0o600); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(h.dir, pricing.JournalFile)
	raw, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	is := sha256.Sum256(own("1"))
	if err := os.WriteFile(journal, bytes.ReplaceAll(raw, []byte(hex.EncodeToString(is[:])), []byte(hex.EncodeToString(sum[:]))), 0o600); err != nil {
		t.Fatal(err)
	}
	o := pricing.Options{Dir: h.dir, Now: func() time.Time { return noon }, Head: func() entity.Seq { return 0 }, Logger: discard()}
	for name, open := range map[string]func() error{"open": func() error { _, err := pricing.Open(o); return err }, "read": func() error { _, err := pricing.Read(h.dir); return err }} {
		if err := open(); err == nil || !strings.Contains(err.Error(), "own prices of shop") || !strings.Contains(err.Error(), "colour") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
