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
	f := familyOf(rows)
	(&Roller{}).count(f)
	countedAs(rows, f)
}

// countedAs says in rows what their steps say.
func countedAs(rows []*ObservationRow, f *Family) {
	for i, row := range rows {
		s := &f.steps[i]
		row.CountsTokens, row.CountsCost, row.Counted = s.countsTokens, s.countsCost, s.counted()
	}
}

// isCall says that an observation of the type is a call of a provider.
func isCall(observationType string) bool {
	switch observationType {
	case "generation", "llm", "embedding": // as nearly all are written
		return true
	}
	return strings.EqualFold(observationType, "generation") || strings.EqualFold(observationType, "llm") || strings.EqualFold(observationType, "embedding")
}
