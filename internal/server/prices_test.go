package server

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

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
	if list := decoded[priceList](t, h.get("/v1/prices")); string(list.Prices) != "[]" || len(list.History) != 0 {
		t.Errorf("%+v", list)
	}
}
