package server

import (
	"encoding/json"
	"iter"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Every list that the SDK iterates over, page by page, is the list that the API
// answers with at once: the same rows, fields and order.
func TestSDKAgreesWithAPI(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	h.post(event("more-1", "trace_update", `{"id":"t-3","session_id":"other","environment":"qa","output":{"n":[1,2]}}`),
		event("more-2", "quality_score_create", `{"observation_id":"o-3","name":"tone","value":"kind"}`),
		event("more-3", "observation_update", `{"id":"loose","tags":["x"]}`))
	h.settle()
	c, err := brokle.New(brokle.Config{APIKey: h.key, Host: h.url})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	ctx, failed := t.Context(), true
	filters := map[string]brokle.Filter{
		"":                          {},
		"user_id=u-0":               {UserID: "u-0"},
		"has_error=true":            {HasError: &failed},
		"from=2026-03-01T12:05:00Z": {From: time.Date(2026, 3, 1, 12, 5, 0, 0, time.UTC)},
	}
	for query, f := range filters {
		agree(t, h, "/v1/traces?"+query, c.Traces.List(ctx, brokle.TraceQuery{Filter: f, Order: brokle.Order{Limit: 3}}))
		agree(t, h, "/v1/observations?"+query, c.Observations.List(ctx, brokle.ObservationQuery{Filter: f, Order: brokle.Order{Limit: 3}}))
		agree(t, h, "/v1/sessions?"+query, c.Sessions.List(ctx, brokle.SessionQuery{Filter: f, Order: brokle.Order{Limit: 1}}))
		agree(t, h, "/v1/users?"+query, c.Users.List(ctx, brokle.UserQuery{Filter: f, Order: brokle.Order{Limit: 1}}))
		if f.HasError == nil { // scores have no errors
			agree(t, h, "/v1/scores?"+query, c.Scores.List(ctx, brokle.ScoreQuery{Filter: f, Order: brokle.Order{Limit: 3}}))
		}
	}
	agree(t, h, "/v1/environments?sort=trace_count", c.Environments.List(ctx, brokle.EnvironmentQuery{Order: brokle.Order{Sort: "trace_count", Limit: 1}}))
	for _, sort := range []string{"-total_cost", "latency_ms", "end_time"} {
		agree(t, h, "/v1/traces?sort="+sort, c.Traces.List(ctx, brokle.TraceQuery{Order: brokle.Order{Sort: sort, Limit: 4}}))
	}
	agree(t, h, "/v1/traces/t-3/history", histories(c.Traces.History(ctx, "t-3")))
	agree(t, h, "/v1/observations/o-3/history", histories(c.Observations.History(ctx, "o-3")))

	session, err := c.Sessions.Get(ctx, "s")
	same(t, "/v1/sessions/s", session, err, h.get("/v1/sessions/s").body)
	trace, err := c.Traces.Get(ctx, "t-3")
	same(t, "/v1/traces/t-3", trace, err, h.get("/v1/traces/t-3").body)
	observation, err := c.Observations.Get(ctx, "o-3")
	same(t, "/v1/observations/o-3", observation, err, h.get("/v1/observations/o-3").body)
	for _, of := range []string{"observations", "traces", "scores", "events"} {
		stats, err := c.Stats(ctx, brokle.StatsQuery{Of: of, GroupBy: []string{"name"}})
		same(t, "stats of "+of, stats, err, h.get("/v1/stats?group_by=name&of="+of).body)
	}
}

// agree compares what an iterator gives with the whole list.
func agree[T any](t *testing.T, h *house, path string, rows iter.Seq2[T, error]) {
	t.Helper()
	got := []T{}
	for row, err := range rows {
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		got = append(got, row)
	}
	if len(got) == 0 {
		t.Errorf("%s has no row to compare", path)
	}
	same(t, path, map[string]any{"data": got, "next_cursor": nil}, nil, h.get(path).body)
}

// same compares what the SDK has, written as JSON again, with an answer. Times may
// be written with fewer digits; what is empty may be left out.
func same(t *testing.T, what string, got any, err error, answer []byte) {
	t.Helper()
	b, failed := json.Marshal(got)
	if err != nil || failed != nil {
		t.Errorf("%s: %v, %v", what, err, failed)
		return
	}
	var a, x any
	if json.Unmarshal(b, &a) != nil || json.Unmarshal(answer, &x) != nil {
		t.Errorf("%s: not JSON: %s, %s", what, b, answer)
		return
	}
	if !reflect.DeepEqual(plain(a), plain(x)) {
		t.Errorf("%s: the SDK has\n%s\nthe API\n%s", what, b, answer)
	}
}

func plain(v any) any {
	switch v := v.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC()
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k, e := range v {
			v[k] = plain(e)
		}
	}
	return v
}

func histories(events []wire.ObservationEvent, err error) iter.Seq2[wire.ObservationEvent, error] {
	return func(yield func(wire.ObservationEvent, error) bool) {
		if err != nil {
			yield(wire.ObservationEvent{}, err)
		}
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// dollars is a cost, 0 when it is not known.
func dollars(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

// The numbers of one list are those of the others: what a session, a user or an
// environment has is what the traces have, and what statistics count.
func TestListsAgreeWithEachOther(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	traces := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?limit=1000")).Data
	users := decoded[wire.Page[wire.UserSummary]](t, h.get("/v1/users")).Data
	for _, u := range users {
		var want wire.Totals
		cost := 0.0
		for _, tr := range traces {
			if tr.UserID == u.ID {
				want.TraceCount++
				want.ObservationCount += tr.ObservationCount
				want.ErrorCount += tr.ErrorCount
				want.TotalTokens += tr.TotalTokens
				want.UnpricedCount += tr.UnpricedCount
				cost += dollars(tr.TotalCost)
			}
		}
		want.FirstSeen, want.LastSeen = u.FirstSeen, u.LastSeen
		want.TotalCost = u.TotalCost
		if u.Totals != want || dollars(u.TotalCost) != cost {
			t.Errorf("user %s: %+v, its traces %+v", u.ID, u.Totals, want)
		}
		n := len(ids(t, h.get("/v1/traces?user_id="+url.QueryEscape(u.ID))))
		row := decoded[wire.Page[struct {
			Count, Tokens int64
			Cost          float64
		}]](t, h.get("/v1/stats?of=traces&metrics=count,tokens,cost&user_id="+url.QueryEscape(u.ID))).Data[0]
		if int64(n) != u.TraceCount || row.Count != u.TraceCount || row.Tokens != u.TotalTokens || row.Cost != dollars(u.TotalCost) {
			t.Errorf("user %s: %+v, %d traces, statistics %+v", u.ID, u, n, row)
		}
	}
	if len(users) != 3 || !strings.Contains(string(h.get("/v1/environments").body), `"trace_count":10`) {
		t.Errorf("%d users", len(users))
	}
}
