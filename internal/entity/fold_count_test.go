package entity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// step is an observation of trace t, with what else its payload says.
func step(seq int, id, parent, typ, more string) entity.Record {
	return rec(seq, id, "observation_create", float64(seq), fmt.Sprintf(`{"trace_id":"t","name":"n","parent_observation_id":%q,"type":%q%s}`, parent, typ, more))
}

// uncounted lists the ids, sorted, that the trace does not count.
func uncounted(tr *wire.Trace) string {
	var ids []string
	var walk func([]*wire.Observation)
	walk = func(list []*wire.Observation) {
		for _, o := range list {
			if !o.Counted {
				ids = append(ids, o.ID)
			}
			walk(o.Children)
		}
	}
	walk(tr.Observations)
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// An amount that is the sum of what hangs below counts once.
func TestFoldCount(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	const both = `,"usage":{"prompt_tokens":100,"completion_tokens":20},"total_cost":0.012`
	const sum = `,"usage":{"prompt_tokens":300,"completion_tokens":60},"total_cost":0.036`
	for name, c := range map[string]struct {
		recs      []entity.Record
		tokens    int64
		cost      float64 // -1: not known
		uncounted string
	}{
		"an agent and its calls": {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "a", "r", "generation", both),
			step(3, "b", "r", "generation", both), step(4, "c", "r", "embedding", both)}, 360, 0.036, "r"},
		"with a step between": {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "m", "r", "span", ""), step(3, "a", "m", "llm", both)}, 120, 0.012, "r"},
		"chains of chains": {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "m", "r", "chain", sum), step(3, "a", "m", "Generation", both),
			step(4, "b", "m", "tool", both)}, 240, 0.024, "m r"},
		"nothing below carries any": {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "a", "r", "generation", "")}, 360, 0.036, ""},
		"a call below a call":       {[]entity.Record{step(1, "r", "", "generation", both), step(2, "a", "r", "generation", both)}, 240, 0.024, ""},
		"each amount for itself": {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "a", "r", "generation", `,"usage":{"prompt_tokens":100,"completion_tokens":20}`)},
			120, 0.036, "r"},
		"a cost of 0 is no amount": {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "a", "r", "generation", `,"total_cost":0,"total_tokens":9`)}, 9, 0.036, "r"},
		"nobody knows a cost":      {[]entity.Record{step(1, "r", "", "agent", ""), step(2, "a", "r", "generation", `,"total_tokens":9`)}, 9, -1, ""},
		"a call is free":           {[]entity.Record{step(1, "r", "", "agent", ""), step(2, "a", "r", "generation", `,"total_cost":0`), step(3, "b", "r", "generation", "")}, 0, 0, ""},
		"parents in a circle":      {[]entity.Record{step(1, "r", "a", "agent", sum), step(2, "a", "r", "agent", both)}, 120, 0.012, "r"},
		"no parent in the trace":   {[]entity.Record{step(1, "r", "", "agent", sum), step(2, "a", "x", "generation", both)}, 480, 0.048, ""},
	} {
		for range 5 {
			rng.Shuffle(len(c.recs), func(i, j int) { c.recs[i], c.recs[j] = c.recs[j], c.recs[i] })
			tr := foldedTrace(t, c.recs, "t")
			cost := -1.0
			if tr.TotalCost != nil {
				cost = *tr.TotalCost
			}
			if got := uncounted(tr); tr.TotalTokens != c.tokens || cost != c.cost || got != c.uncounted {
				t.Errorf("%s: %d tokens, cost %v, not counted %q; want %d, %v, %q", name, tr.TotalTokens, cost, got, c.tokens, c.cost, c.uncounted)
			}
		}
	}
}

// Nobody's total is believed when its parts are there, and money is added exactly.
func TestFoldTotals(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`,"prompt_tokens":3,"completion_tokens":4,"total_tokens":9`: "7 <nil>",
		`,"prompt_tokens":3,"total_tokens":9`:                       "9 <nil>",
		`,"total_tokens":9`:                                         "9 <nil>",
		`,"prompt_tokens":3`:                                        "3 <nil>",
		`,"completion_tokens":0`:                                    "0 <nil>",
		``:                                                          "<nil> <nil>",
		`,"input_cost":0.1,"output_cost":0.2`:                       "<nil> 0.3",
		`,"input_cost":0.1,"output_cost":0.2,"total_cost":1`: "<nil> 1",
		`,"output_cost":3.8e-7`:                              "<nil> 3.8e-07",
		`,"input_cost":1e12,"output_cost":1e12`:              "<nil> 2e+12",
	} {
		o := foldedObservation(t, []entity.Record{step(1, "o", "", "llm", payload)}, "o")
		if got := pointed(o.TotalTokens) + " " + pointed(o.TotalCost); got != want {
			t.Errorf("%s: %s, want %s", payload, got, want)
		}
	}
}

func pointed[T any](p *T) string {
	if p == nil {
		return "<nil>"
	}
	return fmt.Sprint(*p)
}
