package query

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
)

// asked writes conditions as a person reads them.
func asked(t *testing.T, subject, text string) string {
	t.Helper()
	conditions, searches, err := ReadFilter(subject, text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	var all []string
	for _, c := range conditions {
		not := ""
		if c.Not {
			not = "not "
		}
		value := fmt.Sprintf("%v", c.Value)
		switch v := c.Value.(type) {
		case store.Texts:
			value = fmt.Sprintf("%q like %q", v.Equal, v.Like)
		case store.Span:
			value = fmt.Sprintf("%v..%v", v.Least, v.Most)
		case string:
			value = fmt.Sprintf("%q", v)
		}
		all = append(all, fmt.Sprintf("%s%s %d %s", not, c.Column, c.Op, value))
	}
	for _, s := range searches {
		all = append(all, fmt.Sprintf("search not %t", s.Not))
	}
	return strings.Join(all, "; ")
}

func TestFilterGrammar(t *testing.T) {
	t.Parallel()
	const equal, oneOf, between, present, known, hasScore = store.Equal, store.OneOf, store.Between, store.Present, store.Known, store.HasScore
	above := func(n float64) float64 { return math.Nextafter(n, math.Inf(1)) }
	for text, want := range map[string]string{
		"":                         "",
		" \t\u00a0 ":               "",
		"level:error":              fmt.Sprintf(`level %d "ERROR"`, equal),
		"LEVEL:Error":              fmt.Sprintf(`level %d "ERROR"`, equal),
		"name:a,b":                 fmt.Sprintf(`name %d ["a" "b"] like []`, oneOf),
		`name:"a, b":c`:            fmt.Sprintf(`name %d "a, b:c"`, equal),
		`name:"say \"hi\" \n\\"`:   fmt.Sprintf(`name %d "say \"hi\" \\n\\"`, equal),
		"name:*Check*":             fmt.Sprintf(`name %d [] like ["%%check%%"]`, oneOf),
		`name:a_%\*`:               fmt.Sprintf(`name %d [] like ["a\\_\\%%\\\\%%"]`, oneOf),
		`name:*"two words"*,x`:     fmt.Sprintf(`name %d ["x"] like ["%%two words%%"]`, oneOf),
		`name:"*"`:                 fmt.Sprintf(`name %d "*"`, equal),
		"name:*":                   fmt.Sprintf(`name %d <nil>`, present),
		"-env:dev":                 fmt.Sprintf(`not environment %d "dev"`, equal),
		"latency:>2s":              fmt.Sprintf(`latency_ms %d %v..<nil>`, between, above(2000)),
		"latency:<=1m30s":          fmt.Sprintf(`latency_ms %d <nil>..90000`, between),
		"latency:250":              fmt.Sprintf(`latency_ms %d 250..250`, between),
		"cost:$0.01..$2":           fmt.Sprintf(`total_cost %d 0.01..2`, between),
		"-tokens:..100":            fmt.Sprintf(`not total_tokens %d <nil>..100`, between),
		"tokens:1,2":               fmt.Sprintf(`total_tokens %d [1 2]`, oneOf),
		"has:cost -has:user":       fmt.Sprintf(`total_cost %d <nil>; not user_id %d <nil>`, known, present),
		"error:yes":                fmt.Sprintf(`has_error %d true`, equal),
		"-has_error:true":          fmt.Sprintf(`has_error %d false`, equal),
		"has:error":                fmt.Sprintf(`has_error %d true`, equal),
		"start:2026-03-01":         fmt.Sprintf(`time %d 1772323200000000..1772409599999999`, between),
		"start:>2026-03-01":        fmt.Sprintf(`time %d 1772409600000000..<nil>`, between),
		"start:<2026-03-01T00:00Z": fmt.Sprintf(`time %d <nil>..1772323199999999`, between),
		"has:score":                fmt.Sprintf(`score %d ""`, hasScore),
		`has:score."a b"`:          fmt.Sprintf(`score %d "a b"`, hasScore),
		"score.q:*":                fmt.Sprintf(`score %d "q"`, hasScore),
		`score."a, b":>=0.5`:       fmt.Sprintf(`score %d {a, b 0.5 +Inf []}`, hasScore),
		"score.ok:true":            fmt.Sprintf(`score %d {ok 1 1 []}`, hasScore),
		"refund order":             "search not false",
		`-"never this" a`:          "search not true; search not false",
		"metadata.tier:gold a":     "search not false; search not false",
		"-metadata.a.b:>5":         "search not true",
		"has:metadata.tier":        "search not false",
		`"a:b"`:                    "search not false",
	} {
		if got := asked(t, "traces", text); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// An error says where, in characters, and what was expected.
func TestFilterErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"levl:error":                           `0+4 there is no field "levl"; expected level`,
		"é -levl:error":                        `3+4 there is no field "levl"; expected level`,
		"value:1":                              "0+5 traces have no field value; expected ",
		"a levl:x":                             `2+4 there is no field "levl"`,
		"name:":                                "5+0 there is no value; expected a value",
		"name:a,,b":                            "7+0 there is no value",
		`name:""`:                              "5+2 the value is empty; expected a text, or -has:name",
		`name:"a b`:                            "5+4 the quotes are not closed",
		"name:>a":                              "5+2 name is a text and has no order",
		"id:a..b":                              "3+4 id is a text and has no ranges; expected a text with two points in quotes",
		"latency:fast":                         `8+4 "fast" is no number; expected milliseconds, or a duration`,
		"latency:>1,2":                         "8+4 a comparison or a range in a list",
		"latency:1..2,3":                       "8+6 a comparison or a range in a list",
		"latency:..":                           "8+2 a range with a comparison, or without ends",
		"cost:NaN":                             `5+3 "NaN" is no number`,
		"tokens:1e999":                         `7+5 "1e999" is no number`,
		"start:lately":                         `6+6 "lately" is no time`,
		"start:2026-01-01,2026":                "6+15 a list of times",
		"error:perhaps":                        "6+7 error is yes or no",
		"score:>1":                             "0+6 score needs a key",
		"score.:1":                             "6+0 there is no key",
		"score.q:good":                         `8+4 "good" is no number`,
		"name.x:1":                             "0+7 name has no keys",
		"metadata:x":                           "0+9 metadata needs a key",
		"has:name.x":                           "4+6 name has no keys",
		"has:nothing":                          `4+7 there is no field "nothing"`,
		"has:a,b":                              "4+3 has: asks whether there is a value",
		"-":                                    "0+1 a - stands alone",
		"a - b":                                "2+1 a - stands alone",
		":x":                                   "0+1 a colon without a name",
		"a/b:c":                                `0+3 "a/b" is no name`,
		`a"b`:                                  "1+1 quotes within a word",
		`"a"b`:                                 "3+1 a term goes on behind words in quotes",
		"!!!":                                  "0+3 this must hold a word",
		"a\x00":                                "0+0 it is no text",
		"\xff":                                 "0+0 it is no text",
		"-a -b -c -d -e -f":                    "0+17 it looks for 6 things in the events",
		strings.Repeat("a ", 33):               "64+2 there are more; expected at most 32 terms",
		"id:" + strings.Repeat("a,", 64) + "a": "131+1 there are more; expected at most 64 values",
		strings.Repeat("a", MaxFilterBytes+1):  "0+0 it has 2049 bytes",
	} {
		_, _, err := ReadFilter("traces", text)
		var fe *FilterError
		if !errors.As(err, &fe) {
			t.Errorf("%.60q: %v", text, err)
			continue
		}
		if got := fmt.Sprintf("%d+%d %s; expected %s", fe.At, fe.Long, fe.Message, fe.Expected); !strings.HasPrefix(got, want) {
			t.Errorf("%.60q:\n got %s\nwant %s", text, got, want)
		}
	}
	for subject, text := range map[string]string{"scores": "refund", "sessions": "metadata.a:b", "users": "-spam", "events": "score.q:1"} {
		if _, _, err := ReadFilter(subject, text); err == nil {
			t.Errorf("%s of %s is taken", text, subject)
		}
	}
}

// FuzzFilter: whatever is written is a filter that the warehouse answers, or an error that says where.
func FuzzFilter(f *testing.F) {
	w, err := duckstore.Open(filepath.Join(f.TempDir(), "w.db"), duckstore.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := w.Close(); err != nil {
			f.Error(err)
		}
	})
	for _, text := range []string{"level:error type:tool latency:>2s name:*check* -env:dev metadata.tier:gold cost:>0.01 has:score", `score."a, b":>=0.5 tag:a,b* start:2026-01-01..`, `-"x y" id:"';--"`, "tokens:1,2 -cost:..5 error:no",
		`name:%_\* value:<1 string_value:*`, "has:metadata.x attributes.k:1.. resource.k:*a*", ":", "-", `"`, "a..b:..", "name:\xff", "latency:>1e309", "start:>9999-12-31"} {
		f.Add("traces", text)
		f.Add("observations", text)
		f.Add("scores", text)
	}
	f.Fuzz(func(t *testing.T, subject, text string) {
		terms, _, err := ReadFilter(subject, text)
		if err != nil {
			var fe *FilterError
			if !errors.As(err, &fe) || fe.Message == "" || fe.Expected == "" || fe.At < 0 || fe.Long < 0 || Clean(text) && fe.At+fe.Long > utf8.RuneCountInString(text) {
				t.Fatalf("%q of %s: %#v", text, subject, err)
			}
			return
		}
		if len(text) > MaxFilterBytes || len(terms) > MaxTerms {
			t.Fatalf("%q is taken", text)
		}
		filter := store.Filter{Said: text, Terms: terms}
		switch subject {
		case "traces":
			_, err = ListTraces(t.Context(), w, "p", store.Query{Filter: filter})
		case "observations":
			_, err = ListObservations(t.Context(), w, "p", store.Query{Filter: filter})
		case "scores":
			_, err = ListScores(t.Context(), w, "p", store.Query{Filter: filter})
		case "sessions":
			_, err = ListSessions(t.Context(), w, "p", store.Query{Filter: filter})
		case "users":
			_, err = ListUsers(t.Context(), w, "p", store.Query{Filter: filter})
		}
		if err == nil && (subject == "traces" || subject == "observations" || subject == "scores" || subject == "events") {
			_, err = ListStats(t.Context(), w, "p", store.StatsQuery{Of: subject, Filter: filter})
		}
		if err != nil {
			t.Fatalf("%q of %s: %v", text, subject, err)
		}
	})
}
