package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/brokle-ai/brokle-go"
)

// Columns line up by what a terminal shows, and never exceed its width.
func TestTableFits(t *testing.T) {
	t.Parallel()
	fill := func(max int) string {
		var b bytes.Buffer
		tb := newTable(&b, "!ID", "NAME", ">N")
		tb.max = max
		tb.row("id-1", "日本語のとても長い名前です", "7")
		tb.row("id-2", "e\u0301 👩‍👩‍👧 family and more text", "1234")
		tb.row("id-3", "tab\tand \x1b[31mred \u202eturned", "5")
		if err := tb.flush(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	whole := fill(0)
	if !strings.HasPrefix(whole, "ID    NAME ") || !strings.Contains(whole, "日本語のとても長い名前です") || strings.ContainsAny(whole, "\t\x1b\u202e") {
		t.Errorf("whole:\n%s", whole)
	}
	for _, max := range []int{30, 25, 20} {
		text := fill(max)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if w := uniseg.StringWidth(line); w > max && !strings.HasPrefix(line, "(no room") {
				t.Errorf("%d of %d columns: %s", w, max, line)
			}
		}
		if !strings.Contains(text, "id-1") || !strings.Contains(text, "…") {
			t.Errorf("%d:\n%s", max, text)
		}
	}
	ends := map[int]bool{}
	for line := range strings.Lines(whole) { // the last column is aligned to the right
		ends[uniseg.StringWidth(strings.TrimSuffix(line, "\n"))] = true
	}
	if len(ends) != 1 {
		t.Errorf("lines of different lengths:\n%s", whole)
	}
	if text := fill(16); !strings.Contains(text, "(no room for N") {
		t.Errorf("16:\n%s", text)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本語", 4, "日…"}, {"日本語", 6, "日本語"}, {"👩‍👩‍👧x y", 3, "👩‍👩‍👧…"}, {"", 1, ""}} {
		if got := shorten(c.in, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

// The waterfall of a small trace, column by column.
func TestTraceGolden(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(ms int) *time.Time { v := start.Add(time.Duration(ms) * time.Millisecond); return &v }
	number := func(f float64) *float64 { return &f }
	tokens := int64(12)
	tr := &brokle.Trace{
		TraceSummary: brokle.TraceSummary{ID: "t1", Name: "answer", StartTime: start, EndTime: at(3000), LatencyMS: number(3000), TotalTokens: 12, TotalCost: number(0.5)},
		Observations: []*brokle.Observation{
			{ID: "o1", Type: "agent", Name: "root", StartTime: start, EndTime: at(3000), LatencyMS: number(3000), Children: []*brokle.Observation{
				{ID: "o2", Type: "generation", Name: "日本", StartTime: *at(1000), EndTime: at(2000), LatencyMS: number(1000), TotalTokens: &tokens, TotalCost: number(0.5), Model: "m1", Output: []byte(`"hi"`)},
				{ID: "o3", Type: "tool", Name: "look", Level: "ERROR", StatusMessage: "no such order", StartTime: *at(2990), EndTime: at(3000), LatencyMS: number(10)},
			}},
			{ID: "o4", Type: "span", Name: "open", StartTime: *at(1500)},
			{ID: "o5", Type: "span", Name: "instant", StartTime: *at(3000), EndTime: at(3000), LatencyMS: number(0)},
		},
		ScoreList: []brokle.Score{{Name: "good", Value: number(0.5), ObservationID: "o2", Source: "API"}, {Name: "mood", StringValue: "calm"}},
	}
	var b bytes.Buffer
	if err := printTrace(&b, tr); err != nil {
		t.Fatal(err)
	}
	const want = `trace    t1
name     answer
start    2026-01-02 03:04:05.000 UTC
latency  3s
tokens   12
cost     0.500000

OBSERVATION            0                           3s  LATENCY  TOKENS      COST  MODEL  SCORES    OUTPUT
├─ agent root          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━       3s       -         -
│  ├─ generation 日本            ━━━━━━━━━━                 1s      12  0.500000  m1     good=0.5  hi
│  └─ tool look                                     ━     10ms       -         -                   ERROR no such order
├─ span open                          ▸                      -       -         -
└─ span instant                                     ╸       0s       -         -

SCORE  VALUE  OF     SOURCE  EVALUATOR  COMMENT
good     0.5  o2     API
mood    calm  trace
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// The tree, whole and cut.
func TestTreeIsCut(t *testing.T) {
	t.Parallel()
	tree := func() []*brokle.Observation {
		return []*brokle.Observation{
			{ID: "a", Children: []*brokle.Observation{
				{ID: "b", Level: "ERROR", Children: []*brokle.Observation{{ID: "c"}}},
				{ID: "d", Children: []*brokle.Observation{{ID: "e"}}},
			}},
			{ID: "f"},
		}
	}
	var ids func(list []*brokle.Observation) string
	ids = func(list []*brokle.Observation) (s string) {
		for _, o := range list {
			s += o.ID
			if len(o.Children) > 0 {
				s += "(" + ids(o.Children) + ")"
			}
		}
		return s
	}
	if got := ids(failedOnly(tree())); got != "a(b)" {
		t.Errorf("what failed: %s", got)
	}
	for depth, want := range map[int]string{1: "af", 2: "a(bd)f", 3: "a(b(c)d(e))f", 9: "a(b(c)d(e))f"} {
		list := tree()
		if cutBelow(list, depth); ids(list) != want {
			t.Errorf("depth %d: %s, want %s", depth, ids(list), want)
		}
	}
}

func TestRounded(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 0.02902902902902903: "0.029029", 1234567: "1234567", 1234567.4: "1234567", 1.5: "1.5", -0.25: "-0.25", 1234.5678: "1234.57", 1e-7: "0.0000001"} {
		if got := rounded(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}
