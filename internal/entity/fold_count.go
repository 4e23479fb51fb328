package entity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Count decides which of the observations of one trace, all of which rows must be, are
// part of the sums of its tokens and costs: it sets CountsTokens, CountsCost and Counted.
//
// A generation, llm or embedding always counts: it is one call of a provider. Any other
// type (an agent, a chain, a span) that carries an amount carries the sum of what is
// below it as often as an amount of its own, so it counts only when nothing below it
// carries such an amount: neither a child nor what hangs below one. Tokens and cost are
// decided each for itself. An amount of 0 is no amount here, for it adds nothing.
// What hangs below what follows from tree; Counted is false when an amount that the
// observation carries is left out. Observations of no trace ("") hang below nothing, and
// all count: they are not for Count. A duplicate never counts, but what it carries is carried below
// what it hangs below.
func Count(rows []*ObservationRow) {
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, func(a, b *ObservationRow) int { return byStart(&a.Observation, &b.Observation) })
	list := make([]*wire.Observation, len(sorted))
	for i, row := range sorted {
		list[i] = &row.Observation
	}
	parents := parentsOf(list)
	tokens := below(parents, func(i int) bool { return hasTokens(list[i]) })
	cost := below(parents, func(i int) bool { return hasCost(list[i]) })
	for i, row := range sorted {
		call := isCall(row.Type)
		row.CountsTokens = row.DuplicateOf == "" && (call || !tokens[i])
		row.CountsCost = row.DuplicateOf == "" && (call || !cost[i])
		row.Counted = (row.CountsTokens || !hasTokens(list[i])) && (row.CountsCost || !hasCost(list[i]))
	}
}

// isCall says that an observation of the type is a call of a provider.
func isCall(observationType string) bool {
	switch strings.ToLower(observationType) {
	case "generation", "llm", "embedding":
		return true
	}
	return false
}

func hasTokens(o *wire.Observation) bool { return o.TotalTokens != nil && *o.TotalTokens != 0 }

func hasCost(o *wire.Observation) bool { return o.TotalCost != nil && *o.TotalCost != 0 }

// below says of each place in a forest whether anything below it carries. It goes from
// the leaves up, without recursion.
func below(parents []int, carries func(i int) bool) []bool {
	waiting := make([]int, len(parents)) // children that have not reported yet
	for _, p := range parents {
		if p >= 0 {
			waiting[p]++
		}
	}
	var ready []int
	for i, n := range waiting {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	found := make([]bool, len(parents))
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		p := parents[i]
		if p < 0 {
			continue
		}
		found[p] = found[p] || found[i] || carries(i)
		if waiting[p]--; waiting[p] == 0 {
			ready = append(ready, p)
		}
	}
	return found
}

// totalsOf is what the observations of a trace add up to, after Count.
func totalsOf(rows []*ObservationRow) (tokens int64, cost float64) {
	var sum Money
	for _, row := range rows {
		if row.CountsTokens && row.TotalTokens != nil {
			tokens = addTokens(tokens, *row.TotalTokens)
		}
		if row.CountsCost && row.TotalCost != nil {
			sum.Add(*row.TotalCost)
		}
	}
	return tokens, sum.Sum()
}

// byStart is the order of observations: (start_time, id).
func byStart(a, b *wire.Observation) int {
	return cmp.Or(a.StartTime.Compare(b.StartTime), strings.Compare(a.ID, b.ID))
}
