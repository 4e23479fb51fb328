package brokle

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/query"
)

// The SDK can say every parameter of every list, and none that there is not.
func TestQueriesHaveEveryParameter(t *testing.T) {
	t.Parallel()
	one, yes, at := 1.5, true, time.Unix(1, 0)
	f := Filter{
		From: at, To: at, Name: "x", UserID: "x", SessionID: "x", Environment: "x", KeyID: "x", Tag: "x", Model: "x", Type: "x", Level: "x", TraceID: "x", Where: "x",
		MinLatencyMS: &one, MaxLatencyMS: &one, MinCost: &one, HasError: &yes, Duplicates: &yes, Scores: []string{"a=1", "b=1"}, Text: "x",
		Attributes: map[string]string{"KEY": "x"}, Resource: map[string]string{"KEY": "x"},
	}
	o := Order{Sort: "x", Limit: 1, Cursor: "x"}
	sent := func(q any) []string {
		var names []string
		for name := range params(q) {
			names = append(names, name)
		}
		return names
	}
	for list, q := range map[query.List]any{
		query.Traces: TraceQuery{f, o, true}, query.Observations: ObservationQuery{f, o, true}, query.Sessions: SessionQuery{f, o}, query.Users: UserQuery{f, o},
		query.Scores:       ScoreQuery{Filter: f, Order: o, ObservationID: "x", DataType: "x", Source: "x"},
		query.Environments: EnvironmentQuery{From: at, To: at, Order: o},
		query.Events:       EventQuery{From: at, To: at, Environment: "x", KeyID: "x", TraceID: "x", Limit: 1, Cursor: "x"},
		query.Stats:        StatsQuery{Filter: f, Of: "x", Metrics: []string{"x"}, GroupBy: []string{"x", "y"}, Interval: time.Hour, Zone: "x", Limit: 1, Cursor: "x"},
	} {
		names := sent(q)
		for _, name := range query.NamesOf(list) {
			if name != "id" && !slices.Contains(names, name) { // an id is asked for by Get
				t.Errorf("%T has no %s", q, name)
			}
		}
	}
	known := query.Params()
	for _, name := range sent(struct{ Filter }{f}) {
		if !slices.ContainsFunc(known, func(p query.Param) bool { return p.Name == name }) {
			t.Errorf("there is no parameter %s", name)
		}
	}
	if p := params(TraceQuery{Filter: Filter{Extra: url.Values{"new": {"1"}}}}); p.Encode() != "new=1" {
		t.Errorf("zero fields are sent: %s", p.Encode())
	}
}
