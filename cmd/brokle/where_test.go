package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestWhere(t *testing.T) {
	t.Parallel()
	q := &query{}
	for _, text := range []string{"latency_ms>500", "latency_ms < 900", "cost>=0.5", "model=gpt-4o, mini", `name="a b"`, "has_error=true",
		"score:quality>=0.8", "score:a b!=1", "attributes.gen_ai.system=openai", "attributes.a.b=c=d", "resource.service.name=shop", "start_time>=2026-01-02T03:04:05Z", "start_time<=2026-01-02T03:04:06Z", "text=refund order"} {
		if err := q.where("traces", text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	f := q.filter
	if f.MinLatencyMS == nil || *f.MinLatencyMS <= 500 || *f.MinLatencyMS > 500.001 || *f.MaxLatencyMS != math.Nextafter(900, 0) || *f.MinCost != 0.5 {
		t.Errorf("bounds %v %v %v", *f.MinLatencyMS, *f.MaxLatencyMS, *f.MinCost)
	}
	if f.Model != "gpt-4o, mini" || f.Name != "a b" || f.HasError == nil || !*f.HasError || f.Text != "refund order" {
		t.Errorf("%+v", f)
	}
	if strings.Join(f.Scores, ";") != "quality>=0.8;a b!=1" {
		t.Errorf("scores %q", f.Scores)
	}
	if from, to := f.From.Format(time.RFC3339Nano), f.To.Format(time.RFC3339Nano); from != "2026-01-02T03:04:05Z" || to != "2026-01-02T03:04:06.000001Z" {
		t.Errorf("from %s to %s", from, to)
	}
	if f.Attributes["gen_ai.system"] != "openai" || f.Attributes["a.b"] != "c=d" || f.Resource["service.name"] != "shop" {
		t.Errorf("attributes %v, resource %v", f.Attributes, f.Resource)
	}
	odd := &query{}
	for _, text := range []string{"score:a>b>=0.5", "score:x!=y==1", `score:" lead"<0`, "score:clear, short = 1", `name="\"quoted\""`, `user_id=" x "`, `tag="half`, "session_id=a<b=c"} {
		if err := odd.where("traces", text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if got := strings.Join(odd.filter.Scores, ";"); got != `a>b>=0.5;x!=y=1;" lead"<0;clear, short=1` {
		t.Errorf("scores %s", got)
	}
	if f := odd.filter; f.Name != `"quoted"` || f.UserID != " x " || f.Tag != "half" {
		t.Errorf("%+v", f)
	}
	equal := &query{}
	if err := equal.where("observations", "latency_ms=3"); err != nil || *equal.filter.MinLatencyMS != 3 || *equal.filter.MaxLatencyMS != 3 {
		t.Errorf("latency_ms=3: %v %+v", err, equal.filter)
	}
}

// What has a colon where a condition has an operator is a filter, which goes to the server as it is; conditions stay what they were.
func TestWhereFilter(t *testing.T) {
	t.Parallel()
	q := &query{}
	for _, text := range []string{"level:error latency:>2s", " -env:dev", "score.quality:>=0.8", "metadata.a:x=y", "model=a:b", "attributes.a:b=c", "score:a:b>=1", "start_time<2026-01-02T03:04:05Z"} {
		if err := q.where("traces", text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	f := q.filter
	if f.Where != "level:error latency:>2s -env:dev score.quality:>=0.8 metadata.a:x=y" {
		t.Errorf("filter %q", f.Where)
	}
	if f.Model != "a:b" || f.Attributes["a:b"] != "c" || len(f.Scores) != 1 || f.To.IsZero() {
		t.Errorf("conditions %+v", f)
	}
	if err := q.where("environments", "env:dev"); err == nil || !strings.Contains(err.Error(), "environments can be filtered by") {
		t.Errorf("environments: %v", err)
	}
}

func TestWhereRefusals(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"model":               "must be a field",
		"=x":                  "must be a field",
		"model=":              "must be a field",
		"model!x":             "must be a field",
		"type=span":           "traces can be filtered by name, user_id",
		"output=x":            "traces can be filtered by",
		"attributes.=x":       "the key of an attribute",
		"attributes.k>x":      "attributes.KEY can be compared by =",
		"model!=x":            "model can be compared by =",
		"cost<1":              "cost can be compared by >, >=",
		"latency_ms!=1":       "can be compared by =, <, <=, >, >=",
		"latency_ms>fast":     "compared with a number",
		"latency_ms>NaN":      "compared with a number",
		"score:q>=good":       "compared with a number",
		"has_error=maybe":     "true or false",
		"start_time>=lately":  "RFC 3339",
		"start_time=1h":       "can be compared by",
		"model=b":             "more than once",
		"latency_ms>=2":       "has this bound already",
		"start_time<=1h":      "has this bound already",
		"score:NAME~1":        "must be a field",
		"session_id>abc":      "session_id can be compared by =",
		"score:quality~>=0.8": "", // a strange name is the server's to judge
	} {
		q := &query{}
		for _, given := range []string{"model=a", "latency_ms>1", "start_time<2h"} {
			if err := q.where("traces", given); err != nil {
				t.Fatal(err)
			}
		}
		err := q.where("traces", text)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// Every list has a row of what it can be filtered by, and flags for no more.
func TestFilterFlagsFollowTheList(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"environments": "where from to", "events": "where from to environment key-id trace-id",
		"sessions": "where from to name user-id session-id environment key-id tag model has-error",
	} {
		var names []string
		for _, f := range filterFlags(list) {
			names = append(names, f.Names()[0])
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}
