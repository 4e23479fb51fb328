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
	observations := make([]*wire.Observation, len(rows))
	for i, row := range rows {
		observations[i] = &row.Observation
	}
	slices.SortFunc(observations, byStart)
	t := ownTrace(own, observations, id)
	fromRoot(t, rows)
	summarize(t, observations)
	t.TotalTokens, t.TotalCost = totalsOf(rows)
	return t, observations
}
