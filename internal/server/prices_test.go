package server

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

const ownModel = `[{"model":"my-model","input":2,"output":4}]`

// modelled is an event of a call of a model, with a thousand tokens each way.
func modelled(id, model, more string) string {
	return event(id, "observation_create", `{"id":"`+id+`","trace_id":"t-`+id+`","name":"n","type":"llm","provider":"","model":"`+model+`","prompt_tokens":1000,"completion_tokens":1000`+more+`}`)
}

// Own prices are taken without a restart, for the key's project and for calls that come; the answers say where each cost is from.
func TestOwnPrices(t *testing.T) {
	t.Parallel()
	h := open(t, setup{cost: pricing.PreferReported})
	h.post(modelled("before", "my-model", ""))
	h.settle()
	if rep := h.send("PUT", "/v1/prices?from=0", []byte(ownModel)); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	h.post(modelled("after", "my-model", ""), modelled("sent", "gpt-4o", `,"total_cost":1`))
	h.settle()
	for id, want := range map[string]string{"before": "null none no price for the model", "after": "0.006 computed", "sent": "1 reported"} {
		one := h.observation(id, "")
		list := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?trace_id=t-"+id)).Data[0]
		cost := decoded[costAnswer](t, h.get("/v1/observations/"+id+"/cost"))
		for where, o := range map[string]wire.Observation{"detail": one, "list": list, "cost": {TotalCost: cost.TotalCost, CostSource: cost.CostSource, CostReason: cost.CostReason}} {
			raw, _ := json.Marshal(o.TotalCost)
			if got := strings.TrimRight(string(raw)+" "+o.CostSource+" "+o.CostReason, " "); got != want {
				t.Errorf("%s, %s: %s, want %s", id, where, got, want)
			}
		}
	}
	after := decoded[costAnswer](t, h.get("/v1/observations/after/cost"))
	if p := after.Price; p == nil || p.Source != pricing.OwnSource || after.Total == nil || *after.Total != 0.006 || len(after.Parts) != 2 || after.Parts[1].Count != 1000 || after.Parts[1].Unit != "4" {
		t.Errorf("%+v", after)
	}
	sent := decoded[costAnswer](t, h.get("/v1/observations/sent/cost"))
	if sent.Reported == nil || *sent.Reported.Total != 1 || sent.Total == nil || *sent.Total != 0.0125 || sent.Setting != pricing.PreferReported {
		t.Errorf("%s", h.get("/v1/observations/sent/cost").body)
	}
	if r := reason(h.explain("after", ""), "cost_source"); !strings.Contains(r.Rule, "my-model") || !strings.Contains(r.Rule, pricing.OwnSource) {
		t.Errorf("%+v", r)
	}
	if r := reason(h.explain("before", ""), "cost_source"); r.Rule != "no price for the model" {
		t.Errorf("%+v", r)
	}
	list := decoded[priceList](t, h.get("/v1/prices"))
	if string(list.Prices) != ownModel || len(list.History) != 1 || list.Cost != pricing.PreferReported || list.Book == "" {
		t.Errorf("%+v", list)
	}
	other := h.newKey("two", "admin")
	if list := decoded[priceList](t, h.get("/v1/prices", "X-API-Key", "", "X-API-Key", other)); len(list.History) != 0 {
		t.Errorf("another project sees %+v", list)
	}
	if rep := h.get("/v1/prices", "X-API-Key", "", "X-API-Key", h.newKey("one", "read")); rep.status != 403 {
		t.Errorf("without the scope admin: %d", rep.status)
	}
}

// Own prices that are wrong are refused with a line for each thing that is.
func TestWrongPrices(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for body, want := range map[string]string{
		"[\n{\"model\":\"m\",\"input\":-1,\"output\":1},\n{\"model\":\"k\",\"input\":1,\"colour\":2}]": "line 3, colour",
		"{}": "array", `[{"model":"m","input":1,"output":1,"project":"two"}]`: "another project",
	} {
		rep := h.send("PUT", "/v1/prices", []byte(body))
		e := decoded[envelope](t, rep).Error
		if details, _ := json.Marshal(e.Details); rep.status != 400 || e.Code != codeInvalidPrices || !strings.Contains(string(details), want) {
			t.Errorf("%s: %d %s, want %s", body, rep.status, rep.body, want)
		}
	}
	if rep := h.send("PUT", "/v1/prices", bytes.Repeat([]byte(" "), maxPrices+1)); rep.status != 413 || rep.code(t) != "body_too_large" {
		t.Errorf("a large body: %d %s", rep.status, rep.body)
	}
	if rep := h.send("PUT", "/v1/prices?from=soon", []byte("[]")); rep.status != 400 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if rep := h.send("PUT", "/v1/prices", []byte("[]"), "Content-Type", "", "Content-Type", "text/csv"); rep.status != 415 || rep.code(t) != codeUnsupportedMedia {
		t.Errorf("another content type: %d %s", rep.status, rep.body)
	}
	if list := decoded[priceList](t, h.get("/v1/prices")); string(list.Prices) != "[]" || len(list.History) != 0 {
		t.Errorf("%+v", list)
	}
	twice := "[\n{\"model\":\"m\",\"input\":1,\"tier\":\"gold\"},\n{\"model\":\"k\",\"input\":1},\n{\"model\":\"k\",\"input\":2,\"project\":\"two\"},{\"model\":\"k\",\"input\":2}]"
	e := decoded[envelope](t, h.send("PUT", "/v1/prices", []byte(twice))).Error
	if lines, _ := e.Details.([]any); len(lines) != 3 || !strings.HasPrefix(lines[0].(string), `"m": line 2, tier: "gold"`) ||
		!strings.HasPrefix(lines[1].(string), `"k": line 4, project: `) || !strings.HasPrefix(lines[2].(string), `"k": lines 3 and 4 `) {
		t.Errorf("of all that is wrong: %v", e.Details)
	}
}

// Own prices hold from a day, or from a moment.
func TestPricesFromADay(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for from, want := range map[string]string{"2026-01-31": "2026-01-31T00:00:00Z", "2026-01-31T12:00:00%2B01:00": "2026-01-31T11:00:00Z", "1769817600": "2026-01-31T00:00:00Z"} {
		rep := h.send("PUT", "/v1/prices?from="+from, []byte(ownModel), "Content-Type", "", "Content-Type", "application/json; charset=utf-8")
		if rep.status != 200 {
			t.Fatalf("%s: %d %s", from, rep.status, rep.body)
		}
		list := decoded[priceList](t, rep)
		if got := list.History[len(list.History)-1].From.Format(time.RFC3339); got != want {
			t.Errorf("%s: from %s, want %s", from, got, want)
		}
	}
	for _, from := range []string{"2026-02-30", "31.01.2026", "1969-12-31", "2026-01"} {
		if rep := h.send("PUT", "/v1/prices?from="+from, []byte("[]")); rep.status != 400 || !strings.Contains(string(rep.body), "2026-01-31") {
			t.Errorf("%s: %d %s", from, rep.status, rep.body)
		}
	}
}
