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
	t, _ := rollUp(own, slices.Clone(rows), id)
	return t
}

// rollUp is RollUp of a trace that has something, with its observations hung below each other. It sorts rows.
func rollUp(own *Fold, rows []*ObservationRow, id string) (t *wire.Trace, roots []*wire.Observation) {
	slices.SortFunc(rows, func(a, b *ObservationRow) int { return byStart(&a.Observation, &b.Observation) })
	f, r := &Family{}, &Roller{}
	f.putAll(rows)
	r.count(f)
	noteCounts(rows, f)
	var said *wire.Trace
	payload := &wire.Trace{}
	if own != nil {
		said = own.Trace(id)
		payload = said
	}
	if root := f.root(); root != noPlace {
		payloads(payload, rows[root], rows)
	}
	t, _ = r.rollUp(said, f, id)
	t.Input, t.Output, t.Metadata = payload.Input, payload.Output, payload.Metadata
	list := make([]*wire.Observation, len(rows))
	for i, row := range rows {
		list[i] = &row.Observation
	}
	return t, hang(list, r.parents)
}
