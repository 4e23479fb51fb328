package storetest

import (
	"math"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Raised is a Pricer whose prices rise in levels, for calls that start before a time that can be moved. At level 0 it costs what Prices
// says, of every project. At the next two a call costs two and three times as much, but for some: by the tokens of its prompt it is free, or has no price
// and keeps its cost. At level 1 the cost of a call with an odd number of tokens is computed also where one was sent. The zero value has level 0.
type Raised struct {
	mu   sync.Mutex // guards upto
	upto [3]int64   // Unix µs; that of level 0 does not count
}

// NewRaised begins at level 0.
func NewRaised() *Raised {
	return &Raised{upto: [3]int64{1: math.MinInt64, 2: math.MinInt64}}
}

// Raise has a level hold for calls that start before a time, in Unix µs.
func (r *Raised) Raise(level int, before int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.upto[level] = before
}

// To is what holds when the level has been raised before that time.
func (r *Raised) To(level int, before int64) entity.Repricer {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := &Raised{upto: r.upto}
	next.upto[level] = before
	return &raising{next, level}
}

func (r *Raised) level(o *entity.ObservationRow) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for level := 2; level > 0; level-- {
		if o.StartTime.UnixMicro() < r.upto[level] {
			return level
		}
	}
	return 0
}

const overruled = "another was sent"

// Price is entity.Pricer's.
func (r *Raised) Price(_ string, o *entity.ObservationRow) {
	level := r.level(o)
	known := o.PromptTokens != nil && o.CompletionTokens != nil
	reason := ""
	switch {
	case o.TotalCost != nil && (level != 1 || !known || *o.CompletionTokens%2 == 0):
		return
	case o.TotalCost != nil:
		reason = overruled
	case !known:
		o.Unpriced("no tokens")
		return
	}
	unit := float64(1+level) / 1024
	switch {
	case level == 0:
	case *o.PromptTokens%5 == 0:
		unit = 0
	case hasNoPrice(o):
		unit = 1.0 / 1024
	}
	c := entity.Costs{Input: float64(*o.PromptTokens) * unit, Output: float64(*o.CompletionTokens) * 2 * unit}
	c.Total = c.Input + c.Output
	o.Computed(c, reason)
}

func hasNoPrice(o *entity.ObservationRow) bool { return *o.PromptTokens%5 == 1 }

// raising is Raised on its way to a level.
type raising struct {
	*Raised
	to int
}

// Reprice is entity.Repricer's.
func (r *raising) Reprice(project string, o *entity.ObservationRow) entity.Repriced {
	level := r.level(o)
	if level != r.to {
		return entity.Other
	}
	was := o.Costs()
	sent := *o
	if was.Source == entity.CostComputed && was.Reason == overruled && level != 1 {
		return entity.Unsure
	}
	if was.Source != entity.CostReported {
		sent.SetCosts(entity.Costed{Source: entity.CostNone})
	}
	if was.Reason == overruled { // it does not matter which
		sent.TotalCost = new(float64)
	}
	if r.Price(project, &sent); sent.CostSource == entity.CostComputed && was.Source == entity.CostComputed && hasNoPrice(o) {
		return entity.Kept
	}
	is := sent.Costs()
	if sent.CostSource == entity.CostNone && was.Source == entity.CostNone || is.Equal(&was) {
		return entity.Same
	}
	o.SetCosts(is)
	return entity.Changed
}
