package entity

import "strings"

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
	sorted, steps := sortedRows(rows)
	countSteps(steps, parentsOf(steps))
	countedAs(sorted, steps)
}

// countSteps is Count of steps in the order of their starts.
func countSteps(steps []step, parents []int) {
	tokens := below(parents, func(i int) bool { return steps[i].tokens != 0 })
	cost := below(parents, func(i int) bool { return steps[i].cost != 0 })
	for i := range steps {
		s := &steps[i]
		s.countsTokens = !s.duplicate && (s.call || !tokens[i])
		s.countsCost = !s.duplicate && (s.call || !cost[i])
	}
}

// countedAs says in rows what their steps say.
func countedAs(rows []*ObservationRow, steps []step) {
	for i, row := range rows {
		row.CountsTokens, row.CountsCost, row.Counted = steps[i].countsTokens, steps[i].countsCost, steps[i].counted()
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

// totalsOf is what the observations of a trace add up to, after countSteps.
func totalsOf(steps []step) (tokens int64, cost float64) {
	var sum Money
	for i := range steps {
		if s := &steps[i]; s.countsTokens && s.knowsTokens {
			tokens = addTokens(tokens, s.tokens)
		}
		if s := &steps[i]; s.countsCost && s.knowsCost {
			sum.Add(s.cost)
		}
	}
	return tokens, sum.Sum()
}
