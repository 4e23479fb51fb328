package entity

import (
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// RollUp is the trace id as its own events (own; nil when it has none) and its
// observations (rows; all of them) say it: what FoldTrace returns, without scores and
// tree. It calls Count on rows. nil when there are neither events nor observations.
func RollUp(own *Fold, rows []*ObservationRow, id string) *wire.Trace {
	if own == nil && len(rows) == 0 {
		return nil
	}
	t, _ := rollUp(own, rows, id)
	return t
}

// rollUp is RollUp of a trace that has something, with its observations in the order of their starts.
func rollUp(own *Fold, rows []*ObservationRow, id string) (*wire.Trace, []*wire.Observation) {
	Count(rows)
	sorted := slices.SortedFunc(slices.Values(rows), func(a, b *ObservationRow) int { return byStart(&a.Observation, &b.Observation) })
	observations := make([]*wire.Observation, len(sorted))
	for i, row := range sorted {
		observations[i] = &row.Observation
	}
	t := ownTrace(own, observations, id)
	root := rootOf(rows)
	fromRoot(t, root, sorted)
	summarize(t, observations)
	outcomeOf(t, root)
	t.TotalTokens, t.TotalCost = totalsOf(rows)
	return t, observations
}

// outcomeOf sets the status, which is the root's: what failed below it may have been mended.
func outcomeOf(t *wire.Trace, root *ObservationRow) {
	t.Status, t.InnerErrors = StatusOK, t.ErrorCount
	if root == nil {
		return
	}
	t.Status = root.Status
	if root.Level == "ERROR" && root.DuplicateOf == "" {
		t.InnerErrors--
	}
}
