package server

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// spent is an event of a call that cost so much; "" sends no cost.
func spent(id, user, model, start, usd string) string {
	cost := ""
	if usd != "" {
		cost = `,"total_cost":` + usd
	}
	return event(id, "observation_create", `{"id":"`+id+`","trace_id":"t-`+user+`","name":"n","type":"llm","user_id":"`+user+`","model":"`+model+
		`","start_time":"`+start+`","prompt_tokens":1,"completion_tokens":1`+cost+`}`)
}

// statusOf waits until all budgets of a project were looked at, and gives them by name.
func (h *house) statusOf(key string) map[string]budget.Status {
	h.tb.Helper()
	by := map[string]budget.Status{}
	h.until("budgets are looked at", func() bool {
		list := decoded[budgetList](h.tb, h.get("/v1/budgets", "X-API-Key", "", "X-API-Key", key))
		for _, s := range list.Status {
			if s.At == nil {
				return false
			}
			by[s.Name] = s
		}
		return true
	})
	return by
}

// What was spent of a budget is what /v1/stats says, to the last digit, whatever narrows it and by whatever clock.
func TestBudgetsAgreeWithStats(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 15, 20, 0, 0, 0, time.UTC)
	h := open(t, setup{now: func() time.Time { return now }})
	year, month, day := now.Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	at := func(t time.Time) string { return t.Format(time.RFC3339Nano) }
	h.post(
		spent("a", "u1", "m1", at(now), "0.1"), spent("b", "u1", "m1", at(now), "0.2"), spent("c", "u2", "m1", at(now), "0.0000005"),
		spent("d", "u2", "m2", at(now), ""), spent("e", "u1", "m2", at(today.Add(-time.Microsecond)), "5"), spent("f", "u1", "m1", at(today), "0.7"),
		spent("g", "u1", "m1", at(today.AddDate(0, 0, -40)), "100"),
	)
	h.settle()
	body := `[{"name":"all","period":"day","warn":1,"stop":2},{"name":"month","period":"month","stop":1000},{"name":"u1","period":"day","user_id":"u1","stop":1},
		{"name":"both","period":"day","user_id":"u2","model":"m2","stop":1},{"name":"tokyo","period":"day","tz":"Asia/Tokyo","stop":1},{"name":"env","period":"day","environment":"elsewhere","warn":1}]`
	if rep := h.send("PUT", "/v1/budgets", []byte(body)); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	got := h.statusOf(h.key)
	if len(got) != 6 {
		t.Fatalf("%+v", got)
	}
	for name, s := range got {
		params := url.Values{"metrics": {"cost,unpriced_count"}, "from": {at(*s.Start)}, "to": {at(*s.End)}}
		for param, is := range map[string]string{"user_id": s.UserID, "model": s.Model, "environment": s.Environment} {
			if is != "" {
				params.Set(param, is)
			}
		}
		row := decoded[wire.Page[wire.StatRow]](t, h.get("/v1/stats?"+params.Encode())).Data[0]
		cost, _ := row["cost"].(float64)
		if unpriced, _ := row["unpriced_count"].(float64); cost != *s.Spend || int64(unpriced) != s.Unpriced {
			t.Errorf("%s: %v and %d, statistics say %v", name, *s.Spend, s.Unpriced, row)
		}
	}
	for name, want := range map[string]struct {
		usd      float64
		unpriced int64
		reached  string
	}{"all": {1.0000005, 1, "warn"}, "u1": {1, 0, "stop"}, "both": {0, 1, ""}, "env": {0, 0, ""}, "tokyo": {0.3000005, 1, ""}, "month": {6.0000005, 1, ""}} {
		if s := got[name]; *s.Spend != want.usd || s.Unpriced != want.unpriced || s.Reached != want.reached {
			t.Errorf("%s: %v, %d, %q, want %v", name, *s.Spend, s.Unpriced, s.Reached, want)
		}
	}
	series := h.scrape()
	for line, want := range map[string]float64{
		`brokle_budget_spend_usd{budget="all",project="one"}`: 1.0000005, `brokle_budget_warn_usd{budget="all",project="one"}`: 1, `brokle_budget_stop_usd{budget="all",project="one"}`: 2,
		`brokle_budget_over{budget="all",project="one"}`: 0, `brokle_budget_over{budget="u1",project="one"}`: 1, `brokle_budget_unpriced_calls{budget="all",project="one"}`: 1,
		`brokle_budget_alerts_total`: 2, `brokle_budget_alerts_pending`: 0, `brokle_budget_fault`: 0, `brokle_budget_look_failures_total`: 0,
	} {
		if is, there := series[line]; !there || is != want {
			t.Errorf("%s is %v (%v), want %v", line, is, there, want)
		}
	}
	if _, there := series[`brokle_budget_warn_usd{budget="u1",project="one"}`]; there {
		t.Error("a level that is not set has a series")
	}
	if rep := h.get(h.ops + "/readyz"); rep.status != 200 {
		t.Errorf("over the stop level the node is not ready: %s", rep.body)
	}
	h.post(spent("h", "u1", "m1", at(now), "9")) // nothing is refused for money
}

// Budgets are of the key's project, for the scopes that they take, and what was set is given back as it was set.
func TestBudgetsAreOfAProject(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	const body = `[{"name":"a","period":"month","tz":"Europe/Kyiv","user_id":"u","warn":0.1,"stop":123456.789012}]`
	if rep := h.send("PUT", "/v1/budgets", []byte(body)); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	as := func(key string) []string { return []string{"X-API-Key", "", "X-API-Key", key} }
	if raw, _ := json.Marshal(decoded[budgetList](t, h.get("/v1/budgets", as(h.newKey("one", "read"))...)).Budgets); string(raw) != body {
		t.Errorf("%s, want %s", raw, body)
	}
	if rep := h.get("/v1/budgets", as(h.newKey("two", "read", "admin"))...); strings.TrimSpace(string(rep.body)) != `{"budgets":[],"status":[]}` {
		t.Errorf("another project sees %s", rep.body)
	}
	if rep := h.send("PUT", "/v1/budgets", []byte("[]"), as(h.newKey("one", "read", "ingest"))...); rep.status != 403 {
		t.Errorf("without the scope admin: %d", rep.status)
	}
	if rep := h.get("/v1/budgets", as(h.newKey("one", "ingest"))...); rep.status != 403 {
		t.Errorf("without the scope read: %d", rep.status)
	}
	if rep := h.send("PUT", "/v1/budgets", []byte("[]"), as(h.newKey("two", "admin"))...); rep.status != 200 || len(decoded[budgetList](t, h.get("/v1/budgets")).Budgets) != 1 {
		t.Errorf("another project took them away: %d", rep.status)
	}
	if rep := h.send("PUT", "/v1/budgets", []byte("[]")); rep.status != 200 || len(decoded[budgetList](t, h.get("/v1/budgets")).Budgets) != 0 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

// What is wrong is told at once, a line for each thing, and changes nothing.
func TestWrongBudgets(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.send("PUT", "/v1/budgets", []byte(`[{"name":"kept","period":"day","stop":1}]`))
	rep := h.send("PUT", "/v1/budgets", []byte(`[{"name":"x","period":"week","stop":-1},{"name":"y","period":"day","stop":1,"key":"k"}]`))
	e := decoded[envelope](t, rep).Error
	lines, _ := e.Details.([]any)
	if rep.status != 400 || e.Code != codeInvalidBudgets || len(lines) != 3 || !strings.HasPrefix(lines[0].(string), "budget 1 (x), period") || !strings.Contains(lines[2].(string), "a budget of a key has key_id") {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if rep := h.send("PUT", "/v1/budgets", bytes.Repeat([]byte(" "), maxBudgets+1)); rep.status != 413 || rep.code(t) != "body_too_large" {
		t.Errorf("a large body: %d %s", rep.status, rep.body)
	}
	if list := decoded[budgetList](t, h.get("/v1/budgets")).Budgets; len(list) != 1 || list[0].Name != "kept" {
		t.Errorf("%+v", list)
	}
}
