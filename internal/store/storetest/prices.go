package storetest

import "github.com/brokle-ai/brokle-go/internal/entity"

// Prices is a Pricer of every model: 1/1024 for a token that goes in, twice as much for one that comes out, and a quarter for
// what a cache had. A cost that was sent stays. It is twice as much for a call whose first event is behind Raised.
type Prices struct{ Raised entity.Seq }

var _ entity.Pricer = Prices{}

// Tariff is that of Prices for the project of a History.
func Tariff() entity.Tariff { return entity.Tariff{Prices: Prices{}, Project: HistoryProject} }

// Price is entity.Pricer's.
func (p Prices) Price(project string, o *entity.ObservationRow) {
	switch {
	case o.TotalCost != nil:
		return
	case project != HistoryProject:
		o.Unpriced("another project")
		return
	case o.PromptTokens == nil || o.CompletionTokens == nil:
		o.Unpriced("no tokens")
		return
	}
	unit := 1.0 / 1024
	if p.Raised > 0 && o.First() > p.Raised {
		unit *= 2
	}
	var c entity.Costs
	in := float64(*o.PromptTokens)
	if o.CacheReadTokens != nil {
		read := float64(*o.CacheReadTokens)
		c.CacheRead, in = read*unit/4, in-read*3/4
	}
	c.Input, c.Output = in*unit, float64(*o.CompletionTokens)*2*unit
	c.Total = c.Input + c.Output
	o.Computed(c, "")
}
