package entity

import "slices"

// Pricer says what calls of models cost that nobody said. It is safe for concurrent use. What it says follows from the row and its
// Seqs alone, whoever asks and whenever: a warehouse keeps it, and a fold of the Log must say the same.
type Pricer interface {
	// Price is asked of a call that is no duplicate, after its twins filled its gaps. It calls Computed or Unpriced, or leaves
	// the costs as they were sent. What it needs is what a warehouse keeps of a row: no payload.
	Price(project string, o *ObservationRow)
}

// Tariff prices the calls of one project. The zero value leaves all costs as they were sent.
type Tariff struct {
	Prices  Pricer
	Project string
}

// Price says what the observation cost, once it is whole: after Twins.Mark. A duplicate keeps what was sent for it, which is in no sum: its
// cost is that of the one that is kept.
func (t Tariff) Price(o *ObservationRow) {
	if t.Prices == nil || !o.IsCall() {
		return
	}
	if o.DuplicateOf == "" {
		t.Prices.Price(t.Project, o)
	} else {
		o.CostReason = CostOfTheKept
	}
}

// IsCall says that the observation is a call of a provider: only such have a price.
func (o *ObservationRow) IsCall() bool { return isCall(o.Type) }

// The reasons that the fold has for a cost that is not known.
const (
	CostNotSent   = "no cost was sent"
	CostOfTheKept = "a duplicate: the cost is that of the observation that is kept"
)

// The values of cost_source; those of token_source are others.
const (
	CostReported = "reported"
	CostComputed = "computed"
	CostNone     = "none"
)

// Costs is what a call cost, in USD. Those of the cache are part of Input, and Total is Input and Output.
type Costs struct{ Input, CacheRead, CacheWrite, Output, Total float64 }

// Computed sets the costs of a call. A part of which it is not known how much there was has none.
func (o *ObservationRow) Computed(c Costs, reason string) {
	o.priced = c
	o.SetCosts(o.Costed(&o.priced, reason))
}

// Unpriced says why it is not known what a call cost.
func (o *ObservationRow) Unpriced(reason string) {
	o.InputCost, o.OutputCost, o.TotalCost, o.CacheReadCost, o.CacheWriteCost = nil, nil, nil, nil, nil
	o.CostSource, o.CostReason = CostNone, reason
}

// First is the first of the events that it was folded from; 0 of none.
func (o *ObservationRow) First() Seq {
	if len(o.Seqs) == 0 {
		return 0
	}
	return slices.Min(o.Seqs)
}
