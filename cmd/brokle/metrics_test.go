package main

import (
	"strings"
	"testing"
)

func TestSplitMetrics(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"count":                            "count",
		"count, tokens,score_avg:q,cost":   "count|tokens|score_avg:q|cost",
		"score_avg:clear, short":           "score_avg:clear, short",
		"score_avg:a, b, count,":           "score_avg:a, b|count",
		"score_avg:q,latncy":               "score_avg:q|latncy",
		`"score_avg: a,b"`:                 "score_avg: a,b",
		"score_avg:a, score_count:b, c, d": "score_avg:a|score_count:b, c, d",
	} {
		if got := strings.Join(splitMetrics(list), "|"); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}

func TestPathOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"a b": "/v1/traces/a%20b", "..": "/v1/traces?id=..", "a/b": "/v1/traces?id=a%2Fb"} {
		if got := pathOf("/v1/traces", id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
