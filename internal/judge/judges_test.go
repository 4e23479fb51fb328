package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

func open(t *testing.T, dir string) *Judges {
	t.Helper()
	j, err := Open(Options{Place: &document.File{Path: filepath.Join(dir, "judges.json")}})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

const base = `"score":{"name":"quality","data_type":"NUMERIC","min":0,"max":1},"kind":"llm","url":"https://llm.example/v1/chat/completions","model":"m","prompt":"{{input}} {{output}}"`

func TestRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir)
	row, err := j.Put("shop", "good", "key_1", []byte(`{`+base+`,"key":"sk-secret"}`))
	if err != nil || row.URL != "https://llm.example/********" || row.Key != masked || row.Sample != 1 || row.Quiet != "1m" || row.MaxCalls != 1000 || row.UpdatedBy != "key_1" {
		t.Errorf("%+v, %v", row, err)
	}
	// What is shown can be put again; a key stays with its address.
	shown, _ := json.Marshal(row.Judge)
	if _, err := j.Put("shop", "good", "key_2", shown); err != nil || j.snapshot()[0].Key != "sk-secret" || j.snapshot()[0].URL != "https://llm.example/v1/chat/completions" {
		t.Errorf("put again: %+v, %v", j.snapshot(), err)
	}
	moved := strings.Replace(`{`+base+`,"key":"********"}`, "llm.example", "elsewhere.example", 1)
	if row, err := j.Put("shop", "good", "key_2", []byte(moved)); err != nil || row.Key != "" || j.snapshot()[0].Key != "" {
		t.Errorf("the key went to another address: %+v, %v", row, err)
	}
	if got := open(t, dir).List("shop"); len(got) != 1 || got[0].UpdatedBy != "key_2" || len(j.List("other")) != 0 {
		t.Errorf("read again: %+v", got)
	}
	if says, err := Read(filepath.Join(dir, "judges.json")); says != "1 judges" || err != nil {
		t.Errorf("%q, %v", says, err)
	}
	if err := j.Delete("other", "good"); !errors.Is(err, ErrUnknown) {
		t.Errorf("of another project: %v", err)
	}
	if err := j.Delete("shop", "good"); err != nil || len(j.List("shop")) != 0 {
		t.Errorf("deleted: %v", err)
	}
	for text, says := range map[string]string{
		`{}`: "score, name: it has 1 to 200", `[]`: "no JSON object", `{` + base + `} 1`: "something follows", `{` + base + `,"colour":1}`: `unknown field "colour"`,
		`{` + base + `,"name":"other"}`: "the path says", `{` + base + `,"sample":2}`: "sample: it is above 0", `{` + base + `,"quiet":"1d"}`: "quiet: it is from 1s",
		`{` + base + `,"max_calls_per_day":-1}`: "max_calls_per_day", `{` + base + `,"max_calls_per_day":0}`: "disabled has nothing", `{` + base + `,"sample":0}`: "disabled has nothing", `{` + base + `,"max_cost_per_day":0}`: "max_cost_per_day", `{` + base + `,"filter":"nonsense:1"}`: "filter: ",
		`{` + base + `,"parameters":{"stream":true}}`: "stream is none of them", strings.Replace(`{`+base+`}`, "{{output}}", "{{user}}", 1): "and has {{user}}",
		strings.Replace(`{`+base+`}`, "https://", "ftp://", 1): "url: it is an http", strings.Replace(`{`+base+`}`, "llm.example", "me:pw@llm.example", 1): "no name, no password",
		strings.Replace(`{`+base+`}`, `"llm"`, `"webhook"`, 1): "only the kind llm has them", strings.Replace(`{`+base+`}`, "NUMERIC", "BOOLEAN", 1): "min, max: only NUMERIC",
		strings.Replace(`{`+base+`}`, "NUMERIC", "CATEGORICAL", 1): "categories: CATEGORICAL has 1 to 50", `{` + base + `,"key":"a b"}`: "key: ",
	} {
		if _, err := j.Put("shop", "bad", "k", []byte(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	zero, one := 0.0, 1.0
	number := Wanted{Name: "s", DataType: "NUMERIC", Min: &zero, Max: &one}
	word := Wanted{Name: "s", DataType: "CATEGORICAL", Categories: []string{"good", "bad"}}
	truth := Wanted{Name: "s", DataType: "BOOLEAN"}
	for _, tc := range []struct {
		score      *Wanted
		text, want string
	}{
		{&number, `{"reason":"fine","value":0.75}`, "0.75 fine"}, {&number, "Sure!\n```json\n{\"value\": \"0.5\"}\n``` {x}", "0.5"}, {&number, `{"a":{"value":1}}`, "1"},
		{&number, `{"value":2}`, "outside"}, {&number, `{"value":"much"}`, "no number"}, {&number, `{"value":null}`, "no number"}, {&number, `none`, "has no"}, {&number, `{`, "has no"},
		{&word, `{"value":" Good "}`, "good"}, {&word, `{"value":"so so"}`, "none of the categories"}, {&word, `{"value":1}`, "none of the categories"},
		{&truth, `{"value":true}`, "1"}, {&truth, `{"value":"False"}`, "0"}, {&truth, `{"value":"maybe"}`, "not true or false"},
	} {
		v, err := tc.score.read([]byte(tc.text))
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case tc.score.DataType == "CATEGORICAL":
			got = v.word
		default:
			got = strings.TrimSpace(fmt.Sprint(v.value, " ", v.reason))
		}
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestBudgetOfADay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	bound := 1.0
	for _, tc := range []struct {
		spent spent
		cost  *float64
		want  int64
	}{
		{spent{}, nil, 10}, {spent{"2026-11-30", 4, 5}, nil, 6}, {spent{"2026-11-30", 10, 0}, nil, 0}, {spent{"2026-11-29", 10, 5}, &bound, 1}, {spent{"2026-11-30", 2, 0}, &bound, 4},
		{spent{"2026-11-30", 1, 0.3}, &bound, 2}, {spent{"2026-11-30", 3, 0.9}, &bound, 1}, {spent{"2026-11-30", 4, 1}, &bound, 0}, {spent{"2026-11-30", 8, 0.1}, &bound, 2},
	} {
		h := held{Judge: Judge{MaxCalls: 10, MaxCost: tc.cost}, Spent: tc.spent}
		if got := h.left(at); got != tc.want {
			t.Errorf("%+v: %d, want %d", tc.spent, got, tc.want)
		}
	}
}

// What a provider says of an error is told, in its own words and without the key.
func TestReasons(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"error":{"message":"Incorrect API key: sk-secret.","type":"x"}}`: "Incorrect API key: ********.", `{"error":"model \"m\" not\nfound"}`: `model "m" not found`, `{"message":"slow down"}`: "slow down",
		`<html>`: "", `{}`: "", `{"error":null}`: "", `[1]`: "", `{"error":{"message":"` + strings.Repeat("x", 500) + `"}}`: strings.Repeat("x", 300) + "…",
	} {
		if got := reason([]byte(answer), "sk-secret"); got != want {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
	now := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	for says, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "99999": time.Hour, "soon": 0, "Mon, 30 Nov 2026 23:00:30 GMT": 30 * time.Second, "Mon, 30 Nov 2026 22:00:00 GMT": 0, "Fri, 31 Dec 2027 23:59:59 GMT": time.Hour,
	} {
		if got := retryAfter(says, now); got != want {
			t.Errorf("%s: %v, want %v", says, got, want)
		}
	}
}

// A share of traces is judged, the same ones each time, and by another rule others.
func TestSample(t *testing.T) {
	t.Parallel()
	a, b := Judge{Name: "a", Sample: 0.25}, Judge{Name: "b", Sample: 0.25}
	n, both := 0, 0
	for i := range 10_000 {
		trace := fmt.Sprint("trace-", i)
		if a.takes("p", trace) {
			n++
			if b.takes("p", trace) {
				both++
			}
		}
	}
	if n < 2300 || n > 2700 || both < 450 || both > 800 {
		t.Errorf("%d of 10000, %d of both", n, both)
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{`: "damaged", `{"version":0}`: "version 0", `{"version":2}`: ErrNewer.Error(), `{"version":1,"judges":[{"project":"p","name":"a"}]}`: "sample: ",
	} {
		path := filepath.Join(t.TempDir(), "judges.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
