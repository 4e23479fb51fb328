package query

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
)

func TestMetricLists(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []string
		want   string // joined by |; "!" for a refusal
	}{
		"a list":                 {[]string{"count,tokens, cost"}, "count|tokens|cost"},
		"repeated":               {[]string{"count", "tokens,count"}, "count|tokens"},
		"empty parts":            {[]string{",count,,", ""}, "count"},
		"a score among others":   {[]string{"score_avg:q,count, score_count:q"}, "score_avg:q|count|score_count:q"},
		"a name with a comma":    {[]string{"score_avg:clear, short"}, "score_avg:clear, short"},
		"then another":           {[]string{"score_avg:clear, short,count"}, "score_avg:clear, short|count"},
		"three parts":            {[]string{"count,score_avg:a, b, c,score_count:Ä,Ö"}, "count|score_avg:a, b, c|score_count:Ä,Ö"},
		"no metric is a name":    {[]string{"score_avg:q,latncy_p95"}, "score_avg:q|latncy_p95"},
		"colons":                 {[]string{"score_avg:a:b"}, "score_avg:a:b"},
		"quoted":                 {[]string{`"score_avg:a,b",count`}, "score_avg:a,b|count"},
		"quoted, blanks":         {[]string{`count, "score_avg: a " , cost`}, "count|score_avg: a |cost"},
		"quoted, escapes":        {[]string{`"score_avg:\"x\"\\ü"`}, `score_avg:"x"\ü`},
		"quoted, behind a score": {[]string{`score_avg:a,"score_avg:b"`}, "score_avg:a|score_avg:b"},
		"no end":                 {[]string{`"score_avg:a`}, "!"},
		"something behind":       {[]string{`"score_avg:a"b`}, "!"},
		"no JSON":                {[]string{`"score_avg:\x"`}, "!"},
		"too many":               {[]string{"a,b,c,d,e,f,g,h,i,j,k,l,m"}, "!"},
	} {
		q := Reader{Values: url.Values{"metrics": c.values}}
		got := strings.Join(q.metrics("metrics", 12), "|")
		if q.Err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got, c.want, q.Err)
		}
	}
}

func TestScoreConditionNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]store.ScoreCondition{
		"quality>=0.8":       {Name: "quality", Op: ">=", Value: 0.8},
		" quality == 1 ":     {Name: "quality", Op: "=", Value: 1},
		"a>b>=0.5":           {Name: "a>b", Op: ">=", Value: 0.5},
		"a, b<1":             {Name: "a, b", Op: "<", Value: 1},
		`" lead">0`:          {Name: " lead", Op: ">", Value: 0},
		`"a!"=1`:             {Name: "a!", Op: "=", Value: 1},
		`"\"said\"" != -1e3`: {Name: `"said"`, Op: "!=", Value: -1000},
		`"half=1`:            {Name: `"half`, Op: "=", Value: 1},
	} {
		if got, ok := scoreCondition(text); !ok || got != want {
			t.Errorf("%s: %+v %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ">1", `"">1`, " >1", "q>", "q>x", "q"} {
		if got, ok := scoreCondition(text); ok {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestScoreCondition(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]store.ScoreCondition{
		"quality>=0.8": {Name: "quality", Op: ">=", Value: 0.8}, "a=1": {Name: "a", Op: "=", Value: 1}, "a==1": {Name: "a", Op: "=", Value: 1},
		"a!=-1": {Name: "a", Op: "!=", Value: -1}, "a<1e3": {Name: "a", Op: "<", Value: 1000}, "a<=2": {Name: "a", Op: "<=", Value: 2},
		"odd>name > 3": {Name: "odd>name", Op: ">", Value: 3}, "ü x >= 3": {Name: "ü x", Op: ">=", Value: 3},
	} {
		if got, ok := scoreCondition(text); !ok || got != want {
			t.Errorf("%q: %+v %v", text, got, ok)
		}
	}
}

// A list that is written as JSON strings is read as it was.
func FuzzMetricLists(f *testing.F) {
	f.Add("score_avg:clear, short", `score_avg:"x"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		q := Reader{Values: url.Values{"metrics": {a + "," + b}}}
		q.metrics("metrics", 12)
		if !Clean(a) || !Clean(b) || a == "" || b == "" || a == b {
			return
		}
		q = Reader{Values: url.Values{"metrics": {jsonText(a) + "," + jsonText(b)}}}
		if got := q.metrics("metrics", 12); !slices.Equal(got, []string{a, b}) || q.Err != nil {
			t.Errorf("%q and %q came back as %q, %v", a, b, got, q.Err)
		}
	})
}

func jsonText(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(b)
}
