package price

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// small is a book for tests of the rules.
func small(t *testing.T, lines ...string) *Book {
	t.Helper()
	b, err := Parse("table g genai-prices 1 2026-11-29\ntable l litellm 2 2026-11-29\nprovider openai https://example.com/prices\n" + strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReasons(t *testing.T) {
	t.Parallel()
	book := small(t, "openai m", " from=2026-01-01 until=2026-07-01 in=1 out=2 src=g", " tier=batch in=0.5 out=1 src=g", "openai e", " in=1 src=g", "groq s", " in=1 src=g", "together s", " in=1 src=g")
	july, june := "2026-07-01T00:00:00Z", "2026-06-30T23:59:59Z"
	some := Usage{Input: 1, Output: 1}
	for _, c := range []struct {
		call  Call
		start string
		want  Reason
	}{
		{Call{Provider: "openai", Asked: "m", Usage: some}, june, Priced},
		{Call{Provider: "openai", Usage: some}, june, NoModel},
		{Call{Provider: "openai", Asked: "x", Usage: some}, june, NoPrice},
		{Call{Asked: "s", Usage: some}, june, Ambiguous},
		{Call{Provider: "openai", Asked: "m", Usage: some}, july, NoPriceThen},
		{Call{Provider: "openai", Asked: "m", Usage: some}, "2025-12-31T23:59:59Z", NoPriceThen},
		{Call{Provider: "openai", Asked: "m", Tier: "batch", Usage: some}, july, Priced},
		{Call{Provider: "openai", Asked: "m", Tier: "scale", Usage: some}, june, NoTier},
		{Call{Provider: "openai", Asked: "m"}, june, NoTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Input: 10, CacheRead: 11}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Input: 10, CacheRead: 6, CacheWrite: 6}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Input: 10, CacheWrite: 5, CacheWrite1h: 6}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Output: 10, Reasoning: 11}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Input: -1, Output: 5}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Input: mostAmount}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "m", Usage: Usage{Input: mostAmount, CacheRead: mostAmount, CacheWrite: mostAmount}}, june, BadTokens},
		{Call{Provider: "openai", Asked: "e", Usage: some}, june, NoKind}, // nobody knows what its output costs
		{Call{Provider: "openai", Asked: "m", Usage: some, Estimated: true}, june, Estimated},
	} {
		c.call.Start = moment(t, c.start)
		cost, reason := book.Price(&c.call)
		if reason != c.want || (cost.Entry == nil) != (cost.Total == 0) || (reason == Priced || reason == Estimated) != (cost.Total > 0) {
			t.Errorf("%+v: %q %s, want %q", c.call, reason, cost.Total, c.want)
		}
	}
	for _, u := range []Usage{{Input: 10, CacheRead: 6, CacheWrite: 6}, {Input: 10, AudioInput: 11}, {Output: 10, ImageOutput: 11}, {Output: -1}} {
		if u.sound() {
			t.Errorf("%+v can be", u)
		}
	}
	for r := Priced; r <= Estimated; r++ {
		if (r.String() == "") != (r == Priced) || r.String() == "unknown reason" {
			t.Errorf("reason %d is %q", r, r)
		}
	}
}

// A kind without a price of its own costs what its whole does, and the explanation says so.
func TestKindsWithoutAPrice(t *testing.T) {
	t.Parallel()
	book := small(t, "openai m", " in=1 write=3 out=5 src=g")
	x := book.Explain(&Call{Provider: "openai", Asked: "m", Start: moment(t, someDay), Usage: Usage{
		Input: 100, CacheRead: 10, CacheWrite: 20, CacheWrite1h: 5, AudioInput: 30, ImageInput: 7, Output: 50, Reasoning: 20, AudioOutput: 10, ImageOutput: 1,
	}})
	got := ""
	for _, p := range x.Parts {
		got += fmt.Sprintf("%s as %s %d×%s=%s\n", p.Kind, p.As, p.Tokens, p.Rate, p.Amount)
	}
	want := `in as in 33×1=0.000033
read as in 10×1=0.00001
write as write 15×3=0.000045
write1h as write 5×3=0.000015
audio as in 30×1=0.00003
image as in 7×1=0.000007
out as out 19×5=0.000095
reason as out 20×5=0.0001
audio-out as out 10×5=0.00005
image-out as out 1×5=0.000005
`
	if got != want || x.Cost.CacheWrite.String() != "0.00006" || x.Cost.Input.String() != "0.00014" || x.Cost.Output.String() != "0.00025" {
		t.Errorf("%s%+v", got, x.Cost)
	}
}

// Each kind is charged at its own price, also when no other part of the whole is told.
func TestKindsAlone(t *testing.T) {
	t.Parallel()
	book := small(t, "openai m", " in=1 read=2 write=3 write1h=4 audio=5 image=6 out=7 reason=8 audio-out=9 image-out=10 src=g")
	for _, c := range []struct {
		Usage
		want string
	}{
		{Usage{}, "0.000008"}, {Usage{CacheRead: 1}, "0.000009"}, {Usage{CacheWrite: 1}, "0.00001"}, {Usage{CacheWrite: 1, CacheWrite1h: 1}, "0.000011"},
		{Usage{AudioInput: 1}, "0.000012"}, {Usage{ImageInput: 1}, "0.000013"},
		{Usage{Reasoning: 1}, "0.000009"}, {Usage{AudioOutput: 1}, "0.00001"}, {Usage{ImageOutput: 1}, "0.000011"},
	} {
		c.Input, c.Output = 1, 1
		if cost, why := book.Price(&Call{Provider: "openai", Asked: "m", Start: moment(t, someDay), Usage: c.Usage}); why != Priced || cost.Total.String() != c.want {
			t.Errorf("%+v costs %s (%s), want %s", c.Usage, cost.Total, why, c.want)
		}
	}
}

// What another source says is told when it is more than 1 % apart, and where the price is from always.
func TestExplains(t *testing.T) {
	t.Parallel()
	book := small(t, "openai m", " in=1 out=2 src=l page=https://example.com/m why=page other=g:in=1.02,out=2")
	call := Call{Provider: "openai", Answered: "x-1", Asked: "openai/m", Start: moment(t, someDay), Usage: Usage{Input: 1000}}
	x := book.Explain(&call)
	if x.Other != "genai-prices 1" || x.Would.String() != "0.00102" || x.Name != "openai/m" || x.As != "m" || x.Rule != "without the provider before it" ||
		x.Entry.Source != "litellm 2" || x.Entry.URL != "https://example.com/m" || x.Entry.Reason == "" || x.Entry.Line != 5 ||
		x.Book != "genai-prices 1 of 2026-11-29, litellm 2 of 2026-11-29" {
		t.Errorf("%+v %+v", x, x.Entry)
	}
	call.Usage.Output = 10_000
	if x := book.Explain(&call); x.Other != "" {
		t.Errorf("%s says %s instead of %s, which is less than 1 %% apart", x.Other, x.Would, x.Cost.Total)
	}
	if x := book.Explain(&Call{Asked: "y"}); x.Reason != NoPrice || x.Entry != nil || len(x.Parts) > 0 {
		t.Errorf("%+v", x)
	}
}

// The narrowest time that holds counts: hours over midnight, days of the week, dates.
func TestTimes(t *testing.T) {
	t.Parallel()
	book := small(t, "openai m", " in=1 src=g", " hours=22:00-02:00 in=2 src=g", " days=67 in=3 src=g", " hours=12:00-13:00 days=7 in=4 src=g", " above=100 in=9 src=g")
	for at, want := range map[string]string{
		"2026-11-27T21:59:59Z": "1", "2026-11-27T22:00:00Z": "2", "2026-11-27T01:59:59Z": "2", "2026-11-27T02:00:00Z": "1", // Friday
		"2026-11-28T12:00:00Z": "3", "2026-11-29T12:00:00Z": "4", "2026-11-29T13:00:00Z": "3", "2026-11-30T00:00:00+01:00": "2",
		"1969-12-28T12:30:00Z": "4", "1969-12-29T12:30:00Z": "1", // a Sunday and a Monday before second 0
	} {
		cost, reason := book.Price(&Call{Provider: "openai", Asked: "m", Start: moment(t, at), Usage: Usage{Input: 100}})
		if rate := cost.Total * (million / 100); rate.String() != want {
			t.Errorf("%s: %s %s, want %s", at, rate, reason, want)
		}
	}
	for tokens, want := range map[int64]string{100: "0.0001", 101: "0.000909"} {
		if cost, _ := book.Price(&Call{Provider: "openai", Asked: "m", Start: moment(t, someDay), Usage: Usage{Input: tokens}}); cost.Total.String() != want {
			t.Errorf("%d tokens: %s, want %s", tokens, cost.Total, want)
		}
	}
}

// A text that is no book is refused by its line.
func TestBooksAreChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" in=1":                                "line 1: prices before a model",
		"openai m\nopenai n\n in=1":            "line 2: m has no prices",
		"openai m":                             "line 1: m has no prices",
		"openai m\n in=x":                      "line 2: in: want a decimal",
		"openai m\n in=1 in=2":                 "line 2: in: it is there twice",
		"openai m\n tier=batch":                "line 2: an entry without a price",
		"openai m\n ins=1":                     "line 2: ins: there is no such key",
		"openai m\n in":                        `line 2: "in" is no key=value`,
		"openai m\n in=1 src=z":                `line 2: src: there is no table "z"`,
		"openai m\n in=1 hours=1-2":            "line 2: hours: want two times",
		"openai m\n in=1 hours=25:00-26:00":    "line 2: hours: want two times",
		"openai m\n in=1 days=8":               "line 2: days: want days",
		"openai m\n in=1 from=soon":            "line 2: from: want a date",
		"openai m\n in=1 above=0":              "line 2: above: want a number",
		"openai m\n in=1 other=g:in=1":         `line 2: other: there is no table "g"`,
		"openai ~(\n in=1":                     "the pattern",
		"openai ^\n in=1":                      "an empty name",
		"openai\n in=1":                        `line 1: "openai" is no line of a book`,
		"table g\n":                            `line 1: "table g" is no line of a book`,
		"# fine\n\nopenai m ^n\n in=1 out=0\n": "",
	} {
		_, err := Parse(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// The built-in book is complete, small, and says where it is from.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	book := Builtin()
	t.Logf("%d bytes, read in %s", len(book.Text()), time.Since(begun))
	if len(book.Text()) > 400_000 || !strings.Contains(book.Version(), "genai-prices ") || !strings.Contains(book.Version(), ", litellm ") {
		t.Errorf("%d bytes from %q", len(book.Text()), book.Version())
	}
	again, err := Parse(book.Text())
	if err != nil || again.Hash() != book.Hash() || len(book.Hash()) != 64 {
		t.Errorf("%v: %s, %s", err, again.Hash(), book.Hash())
	}
	entries, others := 0, 0
	for _, s := range book.layers[0] {
		s.match("") // compiles what are regular expressions
		seen := map[*model]bool{}
		for _, m := range s.exact {
			if seen[m] {
				continue
			}
			seen[m] = true
			for i := range m.entries {
				e := &m.entries[i]
				entries++
				if e.Other != nil {
					others++
					if e.Reason == "" {
						t.Errorf("%s %s: another source says otherwise, and no reason is given", e.Provider, e.Model)
					}
				}
				if e.Source == "" || e.URL == "" {
					t.Errorf("%s %s has no source", e.Provider, e.Model)
				}
			}
		}
	}
	if entries < 3000 || others < 20 {
		t.Errorf("%d entries, of which in %d the tables differ", entries, others)
	}
}

// Names are remembered in memory of the book's own: the caller's is used again for another row.
func TestNamesAreKept(t *testing.T) {
	t.Parallel()
	book := Builtin()
	row := []byte("openaigpt-4o")
	text := unsafe.String(&row[0], len(row))
	call := &Call{Provider: text[:6], Asked: text[6:], Start: moment(t, someDay), Usage: Usage{Input: 1000}}
	if _, reason := book.Price(call); reason != Priced {
		t.Fatal(reason)
	}
	copy(row, "xxxxxxxxxxxx")
	if all := book.memo.all(); len(all) != 1 || all[0].names != (names{provider: "openai", asked: "gpt-4o"}) || all[0].is.found[0].name != "gpt-4o" {
		t.Errorf("%+v is remembered", all)
	}
}

// all is what is remembered.
func (m *memo) all() (all []*remembered) {
	for i := range *m.table.Load() {
		if r := (*m.table.Load())[i].Load(); r != nil {
			all = append(all, r)
		}
	}
	return all
}

// Many goroutines ask one book, for more names than it remembers.
func TestManyAsk(t *testing.T) {
	t.Parallel()
	book := Builtin()
	start := moment(t, someDay)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range mostNames / 4 {
				name := fmt.Sprintf("gpt-4o-%d-%d", g, i)
				call := &Call{Provider: "openai", Asked: name, Start: start, Usage: Usage{Input: 1000}}
				if _, reason := book.Price(call); reason != NoPrice {
					t.Errorf("%s: %q", name, reason)
				}
				call.Asked = "gpt-4o"
				if cost, reason := book.Price(call); cost.Total.String() != "0.0025" {
					t.Errorf("%s %q", cost.Total, reason)
				}
			}
		})
	}
	wg.Wait()
	all := book.memo.all()
	if n := len(all); n > mostNames || n != book.memo.n {
		t.Errorf("%d names are remembered, and counted %d", n, book.memo.n)
	}
	for _, r := range all {
		if _, known := book.memo.table.Load().find(&r.names, book.memo.hash(&r.names)); known != r {
			t.Errorf("%+v is not found", r.names)
		}
	}
}

// A price of names that were met costs no allocation.
func TestPriceAllocatesNothing(t *testing.T) {
	book := Builtin()
	for _, p := range pricedCalls {
		c := &Call{Provider: p.provider, Answered: p.model, Tier: p.tier, Start: moment(t, someDay), Usage: p.usage}
		if n := testing.AllocsPerRun(100, func() { book.Price(c) }); n != 0 {
			t.Errorf("%s: %v allocations", p.model, n)
		}
	}
	unknown := &Call{Provider: "azure", Asked: "prod-chat-eu", Start: moment(t, someDay), Usage: Usage{Input: 1}}
	if n := testing.AllocsPerRun(100, func() { book.Price(unknown) }); n != 0 {
		t.Errorf("a name without a price: %v allocations", n)
	}
}

func BenchmarkPrice(b *testing.B) {
	book := Builtin()
	start := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	calls := make([]Call, len(pricedCalls))
	for i, p := range pricedCalls {
		calls[i] = Call{Provider: p.provider, Answered: p.model, Asked: p.model, Tier: p.tier, Start: start, Usage: p.usage}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		book.Price(&calls[i%len(calls)])
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		Builtin()
	}
}
