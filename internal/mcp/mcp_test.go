package mcp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Tokens are counted as of text in several scripts, and what cut leaves has no more than was asked for.
func TestTokens(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "hello": 1, "hello world": 3, "12345": 2, `{"id":"t1"}`: 7, "\n\n": 1, "é": 1, "界界": 4} {
		if got := Tokens(text); got != want {
			t.Errorf("%q has %d tokens, want %d", text, got, want)
		}
	}
	r := chance.Of(t)
	for range 500 {
		text := randomText(r, 200)
		most := r.IntN(60)
		got := cut(text, most)
		if !strings.HasPrefix(text, got) || Tokens(got) > max(most, Tokens(firstOf(text))) || len(got) == 0 && len(text) > 0 {
			t.Fatalf("cut(%q, %d) = %q with %d tokens", text, most, got, Tokens(got))
		}
	}
}

func firstOf(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

func randomText(r *rand.Rand, most int) string {
	alphabet := []rune("abcxyz 0123456789\n\t\"{}[]:,<>/é界🙂")
	text := make([]rune, r.IntN(most))
	for i := range text {
		text[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(text)
}

// A block is ended by nothing in it, and takes no more tokens than were set aside for it.
func TestFenced(t *testing.T) {
	t.Parallel()
	r := chance.Of(t)
	for range 300 {
		data := randomText(r, 300)
		text := fenced("own words", data)
		_, rest, _ := strings.Cut(text, "\n<")
		tag, rest, _ := strings.Cut(rest, ">\n")
		inside, end, ok := strings.Cut(rest, "\n</"+tag+">")
		if !ok || inside != data || end != "" || strings.Contains(data, tag) {
			t.Fatalf("%q", text)
		}
		if n := Tokens(text); n > Tokens("own words")+Tokens(data)+overhead()+1 {
			t.Fatalf("%d tokens beside %d and %d", n, Tokens(data), overhead())
		}
	}
}

func talk(texts ...string) []message {
	var all []message
	for i, text := range texts {
		role := []string{"user", "assistant"}[i%2]
		all = append(all, message{Role: role, Parts: []json.RawMessage{json.RawMessage(fmt.Sprintf(`{"type":"text","text":%q}`, text))}})
	}
	return all
}

func callWith(id, parent string, second int, in, out []message) *wire.Observation {
	return &wire.Observation{ID: id, ParentObservationID: parent, Type: "generation", StartTime: time.Unix(int64(second), 0), MessagesIn: json.RawMessage(encode(in)), MessagesOut: json.RawMessage(encode(out))}
}

// Messages are folded as the page folds them.
func TestFolded(t *testing.T) {
	t.Parallel()
	first := callWith("a", "p", 1, talk("q1"), talk("", "a1")[1:])
	second := callWith("b", "p", 2, talk("q1", "a1", "q2"), talk("", "a2")[1:])
	other := callWith("x", "elsewhere", 3, talk("other"), nil)
	third := callWith("c", "p", 4, talk("q1", "a1", "q2", "a2", "q3"), nil)
	calls := callsOf([]*wire.Observation{third, other, second, first, {ID: "twin", Type: "llm", DuplicateOf: "a"}, {ID: "tool", Type: "tool"}})
	names := func(all []*wire.Observation) (ids []string) {
		for _, o := range all {
			ids = append(ids, o.ID)
		}
		return ids
	}
	if got := names(calls); !slices.Equal(got, []string{"a", "b", "x", "c"}) {
		t.Errorf("calls %v", got)
	}
	if got := names(callsBefore(third, calls)); !slices.Equal(got, []string{"b", "a", "x"}) {
		t.Errorf("before c: %v", got)
	}
	for _, c := range []struct {
		of   *wire.Observation
		want int
	}{{first, 0}, {second, 2}, {third, 4}} {
		if got := folded(messagesOf(c.of.MessagesIn), slices.Values(callsBefore(c.of, calls))); got != c.want {
			t.Errorf("%s: %d messages are folded, want %d", c.of.ID, got, c.want)
		}
	}
	long := make([]string, 30)
	for i := range long {
		long[i] = fmt.Sprint("m", i)
	}
	if got := folded(talk(long...), slices.Values([]*wire.Observation(nil))); got != 28 {
		t.Errorf("of 30 messages that nobody had %d are folded, want 28", got)
	}
	if got := folded(talk("q1", "q2"), slices.Values([]*wire.Observation{first})); got != 0 {
		t.Errorf("one message alone is a history: %d", got)
	}
}

// Every field that rows have is described, and the tools can be made.
func TestEveryFieldHasAMeaning(t *testing.T) {
	t.Parallel()
	for kind, columns := range map[string][]string{"traces": columnsOf[wire.Trace](), "observations": columnsOf[wire.Observation](), "scores": columnsOf[wire.Score]()} {
		for _, name := range columns {
			if meaning(kind, name) == "" {
				t.Errorf("%s.%s has no meaning in fields.go", kind, name)
			}
		}
	}
	all := New(Options{Offers: func(string, string) bool { return true }}).Tools()
	none := New(Options{Offers: func(string, string) bool { return false }}).Tools()
	if len(all) < 18 || len(none) != 0 {
		t.Errorf("%v, %v", all, none)
	}
}

// How long ago something was is the same time on each page.
func TestSpan(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	a := &asking{Catalog: New(Options{Offers: func(string, string) bool { return true }, Now: func() time.Time { return now }})}
	s := a.span("7d", "90m", "")
	if s.from != "2026-01-03T12:00:00Z" || s.to != "2026-01-10T10:30:00Z" {
		t.Errorf("%+v", s)
	}
	cursor := s.next("abc")
	now = now.Add(time.Hour)
	if next := a.span("7d", "90m", cursor); next.from != s.from || next.to != s.to || next.cursor != "abc" {
		t.Errorf("%+v, want %+v", next, s)
	}
	if s := a.span("2026-01-01", "", "abc"); s.from != "2026-01-01" || s.next("abc") != "abc" {
		t.Errorf("%+v", s)
	}
}

// What is shown of a value is short, and means the same.
func TestShown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, want string }{
		{"x", `null`, ""}, {"x", `""`, ""}, {"x", `[]`, ""}, {"x", `false`, ""}, {"x", `0`, "0"}, {"x", `true`, "true"},
		{"total_cost", `0.30000000000000004`, "0.3"}, {"x", `1234567890123`, "1234567890123"}, {"x", `1.5`, "1.5"},
		{"start_time", `"2026-01-02T03:04:05.000000Z"`, `"2026-01-02T03:04:05Z"`}, {"start_time", `"2026-01-02T03:04:05.120000Z"`, `"2026-01-02T03:04:05.120Z"`},
		{"name", `"aé界 <b>"`, `"aé界 <b>"`}, {"name", `"abcdefghijklmnopqrstuvwxyz"`, `"abcdefghijklmnopqrstuvwx…(+2)"`}, {"metadata", `{"a": [1,       2,       3]}`, `{"a":[1,2,3]}`},
		{"highlights", `[{"field":"input","segments":[{"text":"a "},{"text":"b","match":true}]}]`, `{"input":"a b"}`},
	} {
		if got := shown(c.name, json.RawMessage(c.value), 24); got != c.want {
			t.Errorf("%s %s is shown as %s, want %s", c.name, c.value, got, c.want)
		}
	}
	if got := commas([]string{"count", "score_avg:a,b", `score_avg:"q"`}); got != `count,"score_avg:a,b","score_avg:\"q\""` {
		t.Errorf("%s", got)
	}
	if got := filled("/v1/datasets/{id}/items"); got != "/v1/datasets/-/items" || !reflect.DeepEqual(Paths()[0], "/v1/traces") {
		t.Errorf("%s %v", got, Paths())
	}
}
