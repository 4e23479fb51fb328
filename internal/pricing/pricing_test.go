package pricing_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// house is a journal's directory at a time, with a log that ends somewhere.
type house struct {
	*testing.T
	dir  string
	now  time.Time
	head entity.Seq
	cost pricing.Choice
}

func newHouse(t *testing.T) *house {
	return &house{t, filepath.Join(t.TempDir(), "prices"), noon, 0, pricing.PreferReported}
}

func (h *house) open() *pricing.Pricing {
	h.Helper()
	p, err := pricing.Open(pricing.Options{
		Dir: h.dir, Cost: h.cost, Now: func() time.Time { return h.now }, Head: func() entity.Seq { return h.head },
		Logger: discard(),
	})
	if err != nil {
		h.Fatal(err)
	}
	return p
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func number[N int64 | float64](n N) *N { return &n }

// call is one of gpt-4o with a thousand tokens each way, which is 0.0125 USD by the built-in book.
func call(start time.Time, first entity.Seq) *entity.ObservationRow {
	o := &entity.ObservationRow{Seqs: []entity.Seq{first}}
	o.Type, o.Provider, o.Model, o.StartTime, o.TokenSource = "generation", "openai", "gpt-4o", start, "reported"
	o.PromptTokens, o.CompletionTokens, o.TotalTokens = number[int64](1000), number[int64](1000), number[int64](2000)
	return o
}

const builtIn = 0.0125

func priced(p *pricing.Pricing, project string, o *entity.ObservationRow) string {
	entity.Tariff{Prices: p, Project: project}.Price(o)
	cost := "-"
	if o.TotalCost != nil {
		cost = fmt.Sprint(*o.TotalCost)
	}
	return strings.TrimRight(strings.Join([]string{cost, o.CostSource, o.CostReason}, " "), " ")
}

// Which cost counts, and why there is none.
func TestPrice(t *testing.T) {
	t.Parallel()
	sent := func(cost float64) func(*entity.ObservationRow) {
		return func(o *entity.ObservationRow) { o.TotalCost, o.CostSource = &cost, "reported" }
	}
	for _, c := range []struct {
		name                       string
		with                       func(*entity.ObservationRow)
		reported, computed, asSent string
	}{
		{"nothing was sent", func(*entity.ObservationRow) {}, "0.0125 computed", "0.0125 computed", "-"},
		{"a cost was sent", sent(2), "2 reported", "0.0125 computed another cost was sent, which does not count", "2 reported"},
		{"0 was sent", sent(0), "0.0125 computed a cost of 0 was sent with tokens, which does not count", "0.0125 computed a cost of 0 was sent with tokens, which does not count", "0 reported"},
		{"less than 0, in a log of before it was left out", sent(-1), "0.0125 computed", "0.0125 computed", "-1 reported"},
		{"0 was sent of nobody's model", func(o *entity.ObservationRow) { sent(0)(o); o.Model = "nobody's" },
			"- none a cost of 0 was sent with tokens, which does not count; no price for the model", "- none a cost of 0 was sent with tokens, which does not count; no price for the model", "0 reported"},
		{"0 was sent without tokens", func(o *entity.ObservationRow) {
			sent(0)(o)
			o.PromptTokens, o.CompletionTokens, o.TotalTokens = nil, nil, nil
		},
			"0 reported", "0 reported", "0 reported"},
		{"nobody's model", func(o *entity.ObservationRow) { o.Model = "nobody's" }, "- none no price for the model", "- none no price for the model", "-"},
		{"no model", func(o *entity.ObservationRow) { o.Model = "" }, "- none no model", "- none no model", "-"},
		{"the asked model", func(o *entity.ObservationRow) { o.Model, o.RequestedModel = "", "gpt-4o" }, "0.0125 computed", "0.0125 computed", "-"},
		{"no tokens", func(o *entity.ObservationRow) { o.PromptTokens, o.CompletionTokens, o.TotalTokens = nil, nil, nil }, "- none no tokens", "- none no tokens", "-"},
		{"no prompt", func(o *entity.ObservationRow) { o.PromptTokens = nil }, "0.0125 computed", "0.0125 computed", "-"},
		{"no completion", func(o *entity.ObservationRow) { o.CompletionTokens, o.TotalTokens = nil, o.PromptTokens },
			"- none the tokens of the completion are not known", "- none the tokens of the completion are not known", "-"},
		{"only a completion", func(o *entity.ObservationRow) { o.PromptTokens, o.TotalTokens = nil, o.CompletionTokens },
			"- none the tokens of the prompt are not known", "- none the tokens of the prompt are not known", "-"},
		{"an estimate", func(o *entity.ObservationRow) { o.TokenSource = "estimated" }, "- none the tokens are an estimate", "- none the tokens are an estimate", "-"},
		{"more cached than there is", func(o *entity.ObservationRow) { o.CacheReadTokens = number[int64](2000) }, "- none token counts that cannot be", "- none token counts that cannot be", "-"},
		{"an embedding", func(o *entity.ObservationRow) {
			o.Type, o.Model, o.CompletionTokens, o.TotalTokens = "embedding", "text-embedding-3-small", nil, number[int64](1000)
		}, "0.00002 computed", "0.00002 computed", "-"},
		{"a service tier", func(o *entity.ObservationRow) { o.ServiceTier, o.RequestedServiceTier = "priority", "auto" }, "0.02125 computed", "0.02125 computed", "-"},
		{"a tier that was asked for", func(o *entity.ObservationRow) { o.RequestedServiceTier = "batch" }, "0.00625 computed", "0.00625 computed", "-"},
		{"a tier that was not given", func(o *entity.ObservationRow) { o.ServiceTier, o.RequestedServiceTier = "standard", "priority" }, "0.0125 computed", "0.0125 computed", "-"},
		{"a tier without a price", func(o *entity.ObservationRow) { o.ServiceTier = "scale" }, "- none no price for the service tier", "- none no price for the service tier", "-"},
		{"an hour in the cache, and nothing else", func(o *entity.ObservationRow) {
			o.Provider, o.Model, o.CacheWrite1hTokens = "anthropic", "claude-sonnet-4-5", number[int64](1000)
		}, "0.021 computed", "0.021 computed", "-"},
		{"more for an hour than was written", func(o *entity.ObservationRow) {
			o.CacheWriteTokens, o.CacheWrite1hTokens = number[int64](1), number[int64](2)
		}, "- none token counts that cannot be", "- none token counts that cannot be", "-"},
		{"no call", func(o *entity.ObservationRow) { o.Type = "agent" }, "-", "-", "-"},
	} {
		for choice, want := range map[pricing.Choice]string{pricing.PreferReported: c.reported, pricing.PreferComputed: c.computed, pricing.AsSent: c.asSent} {
			h := newHouse(t)
			h.cost = choice
			o := call(noon, 1)
			c.with(o)
			want = strings.Replace(want, "0.00002", "2e-05", 1)
			if got := priced(h.open(), "p", o); got != want {
				t.Errorf("%s, %s: %q, want %q", c.name, choice, got, want)
			}
		}
	}
}

// Parts of the cache are of the input, and known where their counts are.
func TestParts(t *testing.T) {
	t.Parallel()
	o := call(noon, 1)
	o.CacheReadTokens = number[int64](400)
	p := newHouse(t).open()
	p.Price("p", o)
	if *o.InputCost != 0.0020 || *o.CacheReadCost != 0.0005 || o.CacheWriteCost != nil || *o.OutputCost != 0.01 || *o.TotalCost != 0.012 {
		t.Errorf("%v %v %v %v %v", *o.InputCost, *o.CacheReadCost, o.CacheWriteCost, *o.OutputCost, *o.TotalCost)
	}
}

// What holds from now on does not change what was heard of before, nor what started before; a journal read again says the same.
func TestJournal(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if p := h.open(); !p.Begun() || priced(p, "p", call(time.Time{}, 1)) != "0.0125 computed" {
		t.Error("a new journal does not hold for all calls")
	}
	h.cost, h.now, h.head = pricing.AsSent, noon.Add(time.Hour), 100
	p := h.open()
	again, err := pricing.Read(h.dir)
	if err != nil || p.Begun() {
		t.Fatal(err)
	}
	for _, p := range []*pricing.Pricing{p, again} {
		for _, c := range []struct {
			after time.Duration
			first entity.Seq
			want  string
		}{
			{0, 101, "0.0125 computed"}, {time.Hour - 1000, 101, "0.0125 computed"}, {time.Hour, 101, "-"},
			{time.Hour, 100, "0.0125 computed"}, {2 * time.Hour, 7, "0.0125 computed"},
		} {
			if got := priced(p, "p", call(noon.Add(c.after), c.first)); got != c.want {
				t.Errorf("%s behind, first at %d: %s, want %s", c.after, c.first, got, c.want)
			}
		}
	}
	before := files(t, h.dir)
	h.now = h.now.Add(time.Hour)
	h.open()
	h.cost = ""
	if h.open(); files(t, h.dir) != before {
		t.Error("a start that changes nothing wrote")
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, pricing.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A journal of a later release, or a damaged one, is told and never begun again.
func TestDamage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	all, err := h.open().Files()
	if err != nil || len(all) != 2 {
		t.Fatal(len(all), err)
	}
	journal := string(all[0].Raw)
	for _, c := range []struct{ name, content, want string }{
		{pricing.JournalFile, fmt.Sprintf(`{"version":%d}`, pricing.SharedVersion+1), "later release"},
		{pricing.JournalFile, `{"version":1,"entries":[]}`, "damaged"},
		{pricing.JournalFile, journal[:len(journal)/2], "damaged"},
		{all[1].Name, "x", "damaged"},
	} {
		path := filepath.Join(h.dir, c.name)
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := pricing.Read(h.dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %q: %v", c.name, c.content, err)
		}
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := pricing.Read(t.TempDir()); p != nil || err != nil {
		t.Error(p, err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, pricing.JournalFile), []byte(`{"version":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pricing.Open(pricing.Options{Dir: h.dir, Now: time.Now, Head: func() entity.Seq { return 0 }}); !errors.Is(err, pricing.ErrNewer) {
		t.Error(err)
	}
}

// Pricing a call of a model that was met before takes no memory.
func TestPriceAllocates(t *testing.T) {
	p, o := newHouse(t).open(), call(noon, 1)
	if n := testing.AllocsPerRun(100, func() { o.TotalCost = nil; p.Price("p", o) }); n != 0 || *o.TotalCost != builtIn {
		t.Errorf("%v allocations, %v", n, *o.TotalCost)
	}
}

func BenchmarkPrice(b *testing.B) {
	p, err := pricing.Open(pricing.Options{Dir: b.TempDir(), Now: time.Now, Head: func() entity.Seq { return 0 }})
	if err != nil {
		b.Fatal(err)
	}
	o := call(noon, 1)
	for b.Loop() {
		o.TotalCost = nil
		p.Price("p", o)
	}
}

// A journal of every version is read, and its calls cost what they did.
func TestEveryVersionIsRead(t *testing.T) {
	t.Parallel()
	p, err := pricing.Read(filepath.Join("testdata", "v1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		project, model string
		after          time.Duration
		first          entity.Seq
		want           string
	}{
		{"lab", "gpt-4o", 0, 1, "0.003 computed"}, {"lab", "mine", time.Hour, 8, "- none no price for the model"}, {"shop", "mine", time.Hour, 8, "0.006 computed"},
		{"shop", "mine", time.Hour, 7, "- none no price for the model"}, {"shop", "mine", 0, 8, "- none no price for the model"},
		{"shop", "mine", 2 * time.Hour, 10, "-"}, {"shop", "mine", 2 * time.Hour, 9, "0.006 computed"},
	} {
		o := call(noon.Add(c.after), c.first)
		if o.Model = c.model; c.model == "mine" {
			o.Provider = ""
		}
		if got := priced(p, c.project, o); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
