package extract

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// usage takes over what was counted: usageDetails, else the older usage, which holds costs too and
// may count something else than tokens.
func (t *translation) usage() {
	raw, counts := t.in.values["usageDetails"], members{}
	if raw == nil {
		raw = t.in.values["usage"]
	}
	if raw == nil || raw[0] != '{' {
		return
	}
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		switch name := string(key); name {
		case "unit":
			if unit, said := rawjson.Unquote(value); said && unit != "TOKENS" {
				t.notes = append(t.notes, "body.usage is in another unit than TOKENS: it is no count of tokens")
				return
			}
		case "inputCost", "outputCost", "totalCost", "input_cost", "output_cost", "total_cost":
		default:
			counts.add(name, value)
		}
	}
	t.out.add("usage", counts.object())
}

// costs takes over what was paid: costDetails, else what usage holds of it. Their input is what the
// cache did not give, ours is all of it. A zero of a call that failed is no cost.
func (t *translation) costs() {
	sum := newCosts()
	sum.take(t.in.values["costDetails"], costNames)
	if !sum.any {
		sum.take(t.in.values["usage"], usageCostNames)
	}
	if sum.bad {
		t.notes = append(t.notes, "a cost of body.costDetails or body.usage was left out: it must be "+entity.CostForm.String())
	}
	if !sum.any || strings.EqualFold(t.said("level"), "ERROR") && sum.zero() {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(sum.of)) {
		t.out.add(key, strconv.AppendFloat(nil, sum.of[key], 'g', -1, 64))
	}
}

// costs are amounts by our names for them.
type costs struct {
	any bool
	bad bool // one was none
	of  map[string]float64
}

func newCosts() *costs { return &costs{of: map[string]float64{}} }

func (c *costs) zero() bool {
	for _, n := range c.of {
		if n != 0 {
			return false
		}
	}
	return true
}

func (c *costs) take(raw []byte, names func(string) []string) {
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			return
		}
		text, isNumber := rawjson.NumberText(value)
		n, finite := finiteNumber(text)
		if value[0] == 'n' || len(names(string(key))) == 0 {
			continue
		}
		if !isNumber || !finite || !entity.CostForm.Takes(n) {
			c.bad = true
			continue
		}
		for _, name := range names(string(key)) {
			c.any = true
			c.of[name] += n
		}
	}
}

// costNames are the costs of ours that one of costDetails is part of.
func costNames(key string) []string {
	switch key {
	case "total":
		return []string{"total_cost"}
	case "input":
		return []string{"input_cost"}
	case "output", "output_reasoning_tokens", "output_reasoning":
		return []string{"output_cost"}
	case "cache_read_input_tokens", "input_cached_tokens", "input_cache_read":
		return []string{"input_cost", "cache_read_cost"}
	case "cache_creation_input_tokens", "input_cache_creation", "input_cache_creation_5m", "input_cache_creation_1h":
		return []string{"input_cost", "cache_write_cost"}
	}
	return nil
}

// usageCostNames are those of the older usage, whose other members are counts.
func usageCostNames(key string) []string {
	switch key {
	case "totalCost", "total_cost":
		return []string{"total_cost"}
	case "inputCost", "input_cost":
		return []string{"input_cost"}
	case "outputCost", "output_cost":
		return []string{"output_cost"}
	}
	return nil
}

// parameters takes over the parameters of a model, without those that stand for no limit.
func (t *translation) parameters() {
	raw := t.in.values["modelParameters"]
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	var kept members
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		switch text, _ := rawjson.Unquote(value); text {
		case "inf", "-inf", "Infinity", "-Infinity":
		default:
			kept.add(string(key), value)
		}
	}
	t.out.add("model_parameters", kept.object())
}
