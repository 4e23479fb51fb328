package detail

import (
	"cmp"
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Costs adds to e, as the last, where the costs come from: o is the observation as answers show it, and price says in a line by which
// price its costs were computed.
func (e *Explanation) Costs(o *wire.Observation, price string) {
	rule := "a cost was sent"
	switch o.CostSource {
	case entity.CostComputed:
		rule = price
	case entity.CostNone:
		rule = cmp.Or(o.CostReason, entity.CostNotSent)
	}
	if o.CostReason != "" && o.CostSource != entity.CostNone {
		rule += "; " + o.CostReason
	}
	if o.CostSource != entity.CostReported {
		for _, c := range []struct {
			field entity.Field
			cost  *float64
		}{
			{entity.InputCost, o.InputCost}, {entity.CacheReadCost, o.CacheReadCost}, {entity.CacheWriteCost, o.CacheWriteCost},
			{entity.OutputCost, o.OutputCost}, {entity.TotalCost, o.TotalCost},
		} {
			if c.cost != nil {
				e.put(Reason{c.field.String(), encoded(*c.cost), "tokens by their price: see cost_source", ""})
			} else if e.says(c.field.String()) {
				e.put(Reason{c.field.String(), json.RawMessage("null"), rule, ""})
			}
		}
	}
	e.put(Reason{"cost_source", text(o.CostSource), rule, ""})
}
