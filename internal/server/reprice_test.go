package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Calls of the past get the prices of today: first it is told, by model, then done, once; the answers about a call say what it cost before. Sums,
// details and lists agree, and a late event of a call follows.
func TestReprice(t *testing.T) {
	t.Parallel()
	h := open(t, setup{cost: pricing.PreferReported})
	h.post(modelled("first", "my-model", ""), modelled("second", "my-model", ""), modelled("known", "gpt-4o", ""), modelled("sent", "my-model", `,"total_cost":5`))
	h.settle()
	if rep := h.send("PUT", "/v1/prices", []byte(ownModel)); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	check := func(stage string, cost any, sum float64) {
		t.Helper()
		h.settle()
		whole := decoded[wire.Trace](t, h.get("/v1/traces/t-first"))
		for where, o := range map[string]wire.Observation{"detail": h.observation("first", ""), "list": decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?trace_id=t-first")).Data[0], "trace": *whole.Observations[0]} {
			if got := told(o.TotalCost); got != told(cost) {
				t.Errorf("%s, %s: it costs %s, want %s", stage, where, got, told(cost))
			}
		}
		stats := decoded[wire.Page[map[string]any]](t, h.get("/v1/stats?metrics=cost")).Data[0]
		users := decoded[wire.Page[map[string]any]](t, h.get("/v1/stats?of=traces&metrics=cost")).Data[0]
		if stats["cost"] != sum || users["cost"] != sum {
			t.Errorf("%s: the sum is %v, of traces %v, want %v", stage, stats["cost"], users["cost"], sum)
		}
	}
	const before = 5.0125
	check("before", nil, before)
	for name, rep := range map[string]reply{
		"a time": h.send("POST", "/v1/prices/reprice?from=soon", nil), "the wrong way round": h.send("POST", "/v1/prices/reprice?from=2026-02-02&to=2026-02-01", nil),
		"a book of tomorrow": h.send("POST", "/v1/prices/reprice?book=9000-01-01", nil), "a book of long ago": h.send("POST", "/v1/prices/reprice?book=2001-01-01", nil),
	} {
		if rep.status != 400 || rep.code(t) != codeInvalidParameter {
			t.Errorf("%s: %d %s", name, rep.status, rep.body)
		}
	}
	// An empty value would mean all: it is refused, whatever else is said.
	for _, q := range []string{"from=", "from=&to=2026-02-01", "to=", "model=", "book=", "dry_run=", "from=2026-01-01&from="} {
		for _, method := range []string{"POST /v1/prices/reprice", "PUT /v1/prices", "DELETE /v1/traces", "DELETE /v1/users"} {
			verb, path, _ := strings.Cut(method, " ")
			query := q
			switch path {
			case "/v1/prices":
				query = "from="
			case "/v1/traces", "/v1/users":
				query = "id="
			}
			rep := h.send(verb, path+"?"+query, nil)
			if rep.status != 400 || rep.code(t) != codeInvalidParameter || !strings.Contains(string(rep.body), "is empty: leave it out, or give it a value") {
				t.Errorf("%s?%s: %d %s", method, query, rep.status, rep.body)
			}
		}
	}
	// What stands in a body narrows nothing, and without a query everything would be repriced.
	if rep := h.send("POST", "/v1/prices/reprice", []byte(`{"from":"2026-01-01","dry_run":true}`)); rep.status != 400 || rep.code(t) != codeInvalidParameter {
		t.Errorf("a body: %d %s", rep.status, rep.body)
	}
	dry := decoded[repricingRow](t, h.send("POST", "/v1/prices/reprice?dry_run=true", nil))
	if dry.State != pricing.StatePlanned || dry.Calls != 4 || dry.Changed != 2 || dry.Gained != 2 || dry.Difference != 0.012 || len(dry.Models) != 2 || dry.Models[1].Model != "my-model" || dry.Models[1].Calls != 3 || *dry.Models[1].Former != 5 || *dry.Models[1].New != 5.012 || dry.OwnPrices == nil {
		t.Errorf("%+v", dry)
	}
	check("only told", nil, before)
	if row := decoded[repricingRow](t, h.send("POST", "/v1/prices/reprice?model=gpt-4o", nil)); row.State != pricing.StateNothing || row.Calls != 1 {
		t.Errorf("%+v", row)
	}
	rep := h.send("POST", "/v1/prices/reprice?from=2001-01-01", nil)
	if rep.status != 202 || rep.header.Get("Location") != "/v1/prices/reprice" {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	list := decoded[wire.Page[repricingRow]](t, h.get("/v1/prices/reprice?wait=30s")).Data
	if len(list) != 1 || list[0].State != pricing.StateDone || list[0].Changed != 2 || list[0].Difference != 0.012 || !list[0].Done.Equal(list[0].To) {
		t.Fatalf("%+v", list)
	}
	check("done", 0.006, before+0.012)
	if row := decoded[repricingRow](t, h.send("POST", "/v1/prices/reprice", nil)); row.State != pricing.StateNothing || row.Changed != 0 || row.Calls != 4 {
		t.Errorf("a second time: %+v", row)
	}
	cost := decoded[costAnswer](t, h.get("/v1/observations/first/cost"))
	if cost.CostSource != "computed" || *cost.Total != 0.006 || len(cost.Former) != 1 || cost.Former[0].TotalCost != nil || cost.Former[0].CostReason != "no price for the model" || cost.Former[0].Until.IsZero() {
		t.Errorf("%+v", cost.Breakdown)
	}
	if x := decoded[costAnswer](t, h.get("/v1/observations/known/cost")); len(x.Former) != 0 || *x.TotalCost != 0.0125 {
		t.Errorf("%+v", x)
	}
	if r := reason(h.explain("first", ""), "cost_source"); !strings.Contains(r.Rule, pricing.OwnSource) || !strings.Contains(r.Rule, "repriced") {
		t.Errorf("%+v", r)
	}
	h.post(event("late", "observation_update", `{"id":"first","trace_id":"t-first","completion_tokens":0}`))
	check("a late event", 0.002, before+0.008)
	metrics := string(h.get("/metrics").body)
	for _, want := range []string{"brokle_repricing_running 0", "brokle_repricings_total 1", "brokle_repricing_calls_total 2", "brokle_repricing_fault 0"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q in /metrics", want)
		}
	}
}

func told(cost any) string {
	raw, err := json.Marshal(cost)
	return fmt.Sprint(string(raw), err)
}
