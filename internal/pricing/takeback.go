package pricing

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// someCost stands for a cost that was sent and is not known.
var someCost = 1.0

// noCost is a cost of 0 that was sent.
var noCost = 0.0

// takeBack makes the costs of a row that a Pricing has priced those that were sent, as far as judge depends on them. Where another cost
// than 0 was sent and the computed one counts, the row does not say which: then it is unsure, and some cost stands there.
func takeBack(o *entity.ObservationRow) (unsure bool) {
	if o.CostSource == entity.CostReported {
		return false
	}
	var total *float64
	switch {
	case o.CostReason == overruled:
		total, unsure = &someCost, true
	case strings.HasPrefix(o.CostReason, zeroSent):
		total = &noCost
	}
	o.SetCosts(entity.Costed{Source: entity.CostNone, Reason: entity.CostNotSent, Total: total})
	return unsure
}
