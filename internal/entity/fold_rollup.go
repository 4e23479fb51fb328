package entity

import "github.com/brokle-ai/brokle-go/internal/wire"

// RollUp is the trace id as its own events (own; nil when it has none) and its
// observations (rows; all of them) say it: what FoldTrace returns, without scores and
// tree. It calls Count on rows. nil when there are neither events nor observations.
func RollUp(own *Fold, rows []*ObservationRow, id string) *wire.Trace {
	if own == nil && len(rows) == 0 {
		return nil
	}
	return rollRows(own, rows, id).trace
}

// rolled is a trace without scores and tree.
type rolled struct {
	trace   *wire.Trace
	rows    []*ObservationRow // in the order of their starts
	parents []int             // their places among these, -1 for a root
}

func rollRows(own *Fold, rows []*ObservationRow, id string) rolled {
	sorted, steps := sortedRows(rows)
	r := rolled{rows: sorted, parents: parentsOf(steps)}
	countSteps(steps, r.parents)
	countedAs(sorted, steps)
	r.trace = rollUp(ownTrace(own, id), steps, func(i int) *ObservationRow { return sorted[i] })
	return r
}

// rollUp adds to what a trace says of itself what its observations say: steps in the order of their starts, after countSteps.
// row gives the whole row of one.
func rollUp(t *wire.Trace, steps []step, row func(i int) *ObservationRow) *wire.Trace {
	var root *ObservationRow
	if i := rootOf(steps); i >= 0 {
		root = row(i)
	}
	if t.Environment == "" { // it says nothing of itself
		first := row(0)
		t.Environment, t.StartTime = first.Environment, first.StartTime
	}
	payloadsOf(t, root, steps, row)
	fromRoot(t, root, steps)
	summarize(t, steps)
	outcomeOf(t, root)
	t.TotalTokens, t.TotalCost = totalsOf(steps)
	return t
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
