package entity

import (
	"cmp"
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
	var f Family
	var r Roller
	f.putAll(rows)
	r.count(&f)
	noteCounts(rows, &f)
}

// noteCounts tells rows which putAll took in what count found.
func noteCounts(rows []*ObservationRow, f *Family) {
	for i, row := range rows {
		k := &f.kin[i]
		row.CountsTokens, row.CountsCost, row.Counted = k.CountsTokens, k.CountsCost, k.Counted()
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

// byStart is the order of observations: (start_time, id).
func byStart(a, b *wire.Observation) int {
	return cmp.Or(a.StartTime.Compare(b.StartTime), strings.Compare(a.ID, b.ID))
}
