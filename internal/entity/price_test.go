package entity_test

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// Only calls of models are priced, and each once: a duplicate's cost is that of the one that is kept.
func TestTariff(t *testing.T) {
	t.Parallel()
	reported := 0.5
	for _, c := range []struct {
		name, payload  string
		with           func(*entity.ObservationRow)
		cost           float64 // -1: not known
		source, reason string
	}{
		{"a call", `"type":"llm","prompt_tokens":100,"completion_tokens":10`, nil, 120.0 / 1024, "computed", ""},
		{"with a cache", `"type":"generation","prompt_tokens":100,"completion_tokens":10,"cache_read_tokens":50`, nil, 82.5 / 1024, "computed", ""},
		{"a cost was sent", `"type":"llm","prompt_tokens":100,"completion_tokens":10,"total_cost":0.25`, nil, 0.25, "reported", ""},
		{"no counts", `"type":"llm","model":"m"`, nil, -1, "none", "no tokens"},
		{"no call", `"type":"agent","prompt_tokens":100,"completion_tokens":10`, nil, -1, "none", ""},
		{"a duplicate", `"type":"llm","prompt_tokens":100,"completion_tokens":10`, func(o *entity.ObservationRow) { o.DuplicateOf = "x" }, -1, "none", entity.CostOfTheKept},
		{"a duplicate with a cost", `"type":"llm"`, func(o *entity.ObservationRow) { o.DuplicateOf, o.TotalCost, o.CostSource = "x", &reported, "reported" }, 0.5, "reported", entity.CostOfTheKept},
	} {
		row := observed(t, c.payload)
		if c.with != nil {
			c.with(row)
		}
		storetest.Tariff().Price(row)
		got := -1.0
		if row.TotalCost != nil {
			got = *row.TotalCost
		}
		if got != c.cost || row.CostSource != c.source || row.CostReason != c.reason {
			t.Errorf("%s: %v, %q, %q; want %v, %q, %q", c.name, got, row.CostSource, row.CostReason, c.cost, c.source, c.reason)
		}
	}
	row := observed(t, `"type":"llm","prompt_tokens":100,"completion_tokens":10`)
	entity.Tariff{}.Price(row)
	if row.TotalCost != nil || row.CostSource != "none" || row.CostReason != entity.CostNotSent {
		t.Errorf("without prices: %v, %q, %q", row.TotalCost, row.CostSource, row.CostReason)
	}
}

// observed is the row of one observation whose payload has these members.
func observed(t *testing.T, members string) *entity.ObservationRow {
	t.Helper()
	recs := filled([]entity.Record{rec(1, "e", "observation_create", 0, `{"id":"o","trace_id":"t","name":"n",`+members+`}`)})
	f, err := entity.FoldOf(recs, entity.ObservationKind, "o")
	if err != nil {
		t.Fatal(err)
	}
	row, err := f.Observation("o", "t")
	if err != nil {
		t.Fatal(err)
	}
	return row
}
