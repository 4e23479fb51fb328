package entity

// Repriced is what saying anew what a call cost made of its row.
type Repriced uint8

// What became of a row.
const (
	Other   Repriced = iota // it is none of the calls that are meant
	Same                    // it says the same
	Kept                    // the same, although there is no price any more: the former cost stays
	Changed                 // its costs, or why there are none, are others
	Unsure                  // the row does not say all that it depends on: it has to be folded from its events again
)

// RepricedTotals count what became, or would become, of calls that are repriced.
type RepricedTotals struct {
	Calls   int64    `json:"calls"`       // all that are meant
	Changed int64    `json:"changed"`     // of which the costs, or the reason for none, are others
	Gained  int64    `json:"gained"`      // that had no cost and have one
	Lost    int64    `json:"lost"`        // that had a cost and have none
	Kept    int64    `json:"kept"`        // that keep their cost because there is no price any more
	Former  *float64 `json:"former_cost"` // the sums, in USD; null: no call has a cost
	New     *float64 `json:"new_cost"`
}

// Count adds the calls that another has counted. The sums are left as they are: who has the costs adds them exactly.
func (t *RepricedTotals) Count(o *RepricedTotals) {
	t.Calls += o.Calls
	t.Changed += o.Changed
	t.Gained += o.Gained
	t.Lost += o.Lost
	t.Kept += o.Kept
}

// Repricer is a Pricer that takes the place of another for some calls. It is safe for concurrent use.
type Repricer interface {
	Pricer
	// Reprice gives a row that has its costs already, as a warehouse keeps it, those that Price would have given it. Of the
	// row it reads what PricedBy names, and its first event. A row that is not Changed is as it was.
	Reprice(project string, o *ObservationRow) Repriced
}

// PricedBy names the columns of observations that a Repricer reads; of calls that are no duplicates.
func PricedBy() []string {
	return []string{
		"type", "start_time", "model", "requested_model", "provider", "service_tier", "requested_service_tier", "token_source",
		"prompt_tokens", "completion_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", "audio_input_tokens", "audio_output_tokens",
		"input_cost", "cache_read_cost", "cache_write_cost", "output_cost", "total_cost", "cost_source", "cost_reason",
	}
}

// Costed is the costs of a row, and what it says of them.
type Costed struct {
	Source, Reason                              string
	Input, CacheRead, CacheWrite, Output, Total *float64
}

// Costs are those of the row, which keeps the numbers.
func (o *ObservationRow) Costs() Costed {
	return Costed{o.CostSource, o.CostReason, o.InputCost, o.CacheReadCost, o.CacheWriteCost, o.OutputCost, o.TotalCost}
}

// SetCosts makes them those of the row.
func (o *ObservationRow) SetCosts(c Costed) {
	o.CostSource, o.CostReason = c.Source, c.Reason
	o.InputCost, o.CacheReadCost, o.CacheWriteCost, o.OutputCost, o.TotalCost = c.Input, c.CacheRead, c.CacheWrite, c.Output, c.Total
}

// Costed is what Computed makes of c, in whose memory it is.
func (o *ObservationRow) Costed(c *Costs, reason string) Costed {
	is := Costed{Source: CostComputed, Reason: reason, Input: &c.Input, Output: &c.Output, Total: &c.Total}
	if o.CacheReadTokens != nil {
		is.CacheRead = &c.CacheRead
	}
	if o.CacheWriteTokens != nil {
		is.CacheWrite = &c.CacheWrite
	}
	return is
}

// Equal says whether both say the same.
func (c *Costed) Equal(d *Costed) bool {
	return c.Source == d.Source && c.Reason == d.Reason && same(c.Total, d.Total) && same(c.Input, d.Input) &&
		same(c.CacheRead, d.CacheRead) && same(c.CacheWrite, d.CacheWrite) && same(c.Output, d.Output)
}

func same(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
