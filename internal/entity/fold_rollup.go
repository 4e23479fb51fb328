package entity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

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
	parents []int32           // their places among these, noPlace for a root
}

func rollRows(own *Fold, rows []*ObservationRow, id string) rolled {
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, byStart)
	f, r := familyOf(sorted), &Roller{}
	r.count(f)
	countedAs(sorted, f)
	t := ownTrace(own, id)
	payloadsOf(t, f, f.root(), func(i int) *ObservationRow { return sorted[i] })
	return rolled{r.rollUp(t, f), sorted, r.parents}
}

// byStart is the order of observations: (start_time, id).
func byStart(a, b *ObservationRow) int {
	return cmp.Or(a.StartTime.Compare(b.StartTime), strings.Compare(a.ID, b.ID))
}
