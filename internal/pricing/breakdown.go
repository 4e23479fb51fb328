package pricing

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
)

// Breakdown is how the cost of a call came about. Amounts are in USD, those of prices as they stand in the book.
type Breakdown struct {
	Setting  Choice    `json:"setting"`            // what --cost was when the call began, or was repriced
	Reported *Reported `json:"reported,omitempty"` // what was sent; absent: nothing was
	Reason   string    `json:"reason,omitempty"`   // why nothing can be computed
	Parts    []Part    `json:"parts"`
	Total    *float64  `json:"total"`           // the sum of the parts
	Price    *Price    `json:"price,omitempty"` // by which they were computed
	// Other is what another source says, when it differs by more than 1 %.
	Other *Other `json:"other,omitempty"`
	// Former is what the call cost before it was repriced, the oldest first; absent: it never was.
	Former []Former `json:"former,omitempty"`
}

// Reported is the costs of a call that were sent.
type Reported struct {
	Input      *float64 `json:"input_cost"`
	CacheRead  *float64 `json:"cache_read_cost"`
	CacheWrite *float64 `json:"cache_write_cost"`
	Output     *float64 `json:"output_cost"`
	Total      *float64 `json:"total_cost"`
}

// Part is tokens of one kind and what they cost.
type Part struct {
	Kind   string  `json:"kind"`  // in, read, write, write1h, audio, image, out, reason, audio-out or image-out
	As     string  `json:"as"`    // whose price it is: another kind when this one has none of its own
	Count  int64   `json:"count"` // tokens
	Unit   string  `json:"usd_per_million"`
	Amount float64 `json:"cost"`
}

// Price is an entry of a book, and how it was found.
type Price struct {
	Provider   string     `json:"provider"`
	Model      string     `json:"model"`
	Tier       string     `json:"tier,omitempty"`            // the service tier; absent: the standard one
	Above      int64      `json:"above_tokens,omitempty"`    // it holds for calls with more input than that
	ValidFrom  *time.Time `json:"valid_from"`                // null: always
	ValidUntil *time.Time `json:"valid_until"`               // null: it still holds
	Hours      string     `json:"hours,omitempty"`           // UTC, when it holds at some hours only
	Source     string     `json:"source"`                    // the table that it is from, or own prices
	URL        string     `json:"url,omitempty"`             // the page that the source names
	Why        string     `json:"why_this_source,omitempty"` // where another says otherwise
	Book       string     `json:"book"`                      // its version
	Name       string     `json:"name"`                      // of the call, by which it was found
	Rule       string     `json:"rule"`                      // how the name became that of the entry
}

// Other is another source's price of the same call.
type Other struct {
	Source string  `json:"source"`
	Total  float64 `json:"total"`
}

// Explain says how the cost of a call comes about: o is as it was before it was priced.
func (p *Pricing) Explain(project string, o *entity.ObservationRow) *Breakdown {
	return p.inForce().Explain(project, o)
}

// Explain is that of Pricing.
func (f *force) Explain(project string, o *entity.ObservationRow) *Breakdown {
	_, by := f.verdict(project, o, last)
	x := &Breakdown{Setting: by.choice, Parts: []Part{}}
	if o.TotalCost != nil {
		x.Reported = &Reported{o.InputCost, o.CacheReadCost, o.CacheWriteCost, o.OutputCost, o.TotalCost}
	}
	if o.DuplicateOf != "" {
		x.Reason = entity.CostOfTheKept
		return x
	}
	if !o.IsCall() {
		x.Reason = noCall
		return x
	}
	if o.DuplicateOf == "" {
		x.Former = f.former(project, o)
	}
	if by.book == nil {
		return x
	}
	var c price.Call
	if x.Reason = callOf(o, &c); x.Reason != "" {
		return x
	}
	found := by.book.Explain(&c)
	x.Price = priceOf(&found)
	if x.Reason = found.Reason.String(); x.Reason != "" {
		return x
	}
	for _, part := range found.Parts {
		x.Parts = append(x.Parts, Part{part.Kind.String(), part.As.String(), part.Tokens, part.Rate.String(), part.Amount.Dollars()})
	}
	total := found.Cost.Total.Dollars()
	x.Total = &total
	if found.Other != "" {
		x.Other = &Other{found.Other, found.Would.Dollars()}
	}
	return x
}

func priceOf(x *price.Explanation) *Price {
	e := x.Entry
	if e == nil {
		return nil
	}
	p := &Price{
		Provider: e.Provider, Model: cmp.Or(x.As, e.Model), Tier: e.Tier, Above: e.Above, Source: e.Source, URL: e.URL, Why: e.Reason,
		Book: x.Book, Name: x.Name, Rule: x.Rule, ValidFrom: timeOrNil(e.From), ValidUntil: timeOrNil(e.Until),
	}
	if h := e.Hours; h != (price.Hours{}) {
		p.Hours = fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.Until/60, h.Until%60)
	}
	return p
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Line is the breakdown in a line.
func (x *Breakdown) Line() string {
	if x.Price == nil {
		return cmp.Or(x.Reason, "nothing was computed")
	}
	line := fmt.Sprintf("tokens by the price of %s, from %s", strings.TrimLeft(x.Price.Provider+" "+x.Price.Model, " "), x.Price.Source)
	if x.Price.ValidFrom != nil {
		line += ", valid from " + x.Price.ValidFrom.Format(time.DateOnly)
	}
	line += ", book " + x.Price.Book
	if n := len(x.Former); n > 0 {
		was := "not known"
		if cost := x.Former[n-1].TotalCost; cost != nil {
			was = fmt.Sprintf("%v USD", *cost)
		}
		line += fmt.Sprintf("; repriced on %s, before that it was %s", x.Former[n-1].Until.Format(time.DateOnly), was)
	}
	return line
}
