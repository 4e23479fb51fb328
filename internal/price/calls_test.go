package price

import (
	_ "embed" // the calls
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
)

// someDay is a Friday, before the prices that begin in December.
const someDay = "2026-11-20T12:00:00Z"

// priced is a call and what it costs by the vendor's rule: tokens times dollars for a million, added up.
type priced struct {
	provider, model, tier, start string
	usage                        Usage
	rule                         string // or "none: " and why it has no price
	page, words                  string // where the vendor publishes the rule, and what it says
}

//go:embed testdata/calls.txt
var callsText string

var pricedCalls = readCalls(callsText)

// readCalls reads the form that is said at the head of testdata/calls.txt. What is wrong with it makes calls that no test lets pass.
func readCalls(text string) (all []priced) {
	var page, words string
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, " | ")
		switch key, rest, _ := strings.Cut(line, " "); {
		case key == "page":
			page, words = rest, ""
		case key == "rule":
			words = rest
		case key != "#" && len(cells) == 6:
			all = append(all, priced{cells[0], cells[1], cells[2], cells[3], usageOf(cells[4]), cells[5], page, words})
		}
	}
	return all
}

// usageOf reads counts: "in=1000 out=100".
func usageOf(text string) (u Usage) {
	counts := map[string]*int64{"in": &u.Input, "read": &u.CacheRead, "write": &u.CacheWrite, "write1h": &u.CacheWrite1h, "audio": &u.AudioInput, "image": &u.ImageInput,
		"out": &u.Output, "reason": &u.Reasoning, "audio-out": &u.AudioOutput, "image-out": &u.ImageOutput}
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		*counts[key], _ = strconv.ParseInt(value, 10, 64)
	}
	return u
}

// Calls of many vendors cost what their published rules say, worked out in fractions and not by the book's code.
func TestVendorsRules(t *testing.T) {
	t.Parallel()
	book := Builtin()
	if len(pricedCalls) < 105 {
		t.Errorf("%d calls, want 105", len(pricedCalls))
	}
	tiers := map[string]int{}
	hour := 0
	for _, p := range pricedCalls {
		if !strings.HasPrefix(p.page, "https://") || !strings.HasSuffix(p.words, ".") {
			t.Errorf("%s: no page, or no rule in words: %q %q", p.model, p.page, p.words)
		}
		tiers[strings.ToLower(p.tier)]++
		hour += int(min(p.usage.CacheWrite1h, 1))
		start := p.start
		if start == "" {
			start = someDay
		}
		c := &Call{Provider: p.provider, Answered: p.model, Tier: p.tier, Start: moment(t, start), Usage: p.usage}
		x := book.Explain(c)
		if why, ok := strings.CutPrefix(p.rule, "none: "); ok {
			if x.Reason.String() != why || x.Entry != nil {
				t.Errorf("%s %s: %s %q, want none: %s", p.model, p.tier, x.Cost.Total, x.Reason, why)
			}
			continue
		}
		want := byRule(t, p.rule)
		if x.Cost.Total != want || x.Reason != Priced {
			t.Errorf("%s %s %s %s: %s %q, want %s (%s)", p.model, p.tier, start, p.rule, x.Cost.Total, x.Reason, want, p.page)
			continue
		}
		if x.Cost.Input+x.Cost.Output != x.Cost.Total || x.Cost.CacheRead+x.Cost.CacheWrite > x.Cost.Input {
			t.Errorf("%s: the parts do not add up: %+v", p.model, x.Cost)
		}
		if x.Entry.Source == "" || !strings.HasPrefix(x.Entry.URL, "https://") || x.Entry.Line == 0 {
			t.Errorf("%s: an entry without a source: %+v", p.model, x.Entry)
		}
	}
	for _, tier := range []string{"batch", "flex", "priority", "fast"} {
		if tiers[tier] < 3 {
			t.Errorf("%d calls of the tier %s, want 3", tiers[tier], tier)
		}
	}
	if hour < 7 {
		t.Errorf("%d calls write to a cache for an hour, want 7", hour)
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// byRule works a rule out in fractions: "1000*2.5 + 100*10".
func byRule(t *testing.T, rule string) Amount {
	t.Helper()
	sum := new(big.Rat)
	for term := range strings.SplitSeq(rule, " + ") {
		tokens, dollars, _ := strings.Cut(term, "*")
		a, okA := new(big.Rat).SetString(tokens)
		b, okB := new(big.Rat).SetString(dollars)
		if !okA || !okB {
			t.Fatalf("%q is no rule", rule)
		}
		sum.Add(sum, a.Mul(a, b))
	}
	units := sum.Mul(sum, big.NewRat(int64(USD)/million, 1))
	if !units.IsInt() {
		t.Fatalf("%q is no whole number of units", rule)
	}
	return Amount(units.Num().Int64())
}
