package store

import (
	"cmp"

	"github.com/brokle-ai/brokle-go"
)

// inherit gives a trace that has no name of its own what its root says: name, user,
// session, tags, input and output, each as far as the trace does not say it itself. Some
// clients send no trace, only spans, and what is true of the trace stands on the outermost.
// The root is the first by (start_time, id) of the observations that name no parent; while
// there is none, nothing is inherited.
func inherit(t *brokle.Trace, rows []*ObservationRow) {
	if t.Name != "" {
		return
	}
	var root *ObservationRow
	for _, row := range rows {
		if row.ParentObservationID == "" && (root == nil || byStart(&row.Observation, &root.Observation) < 0) {
			root = row
		}
	}
	if root == nil {
		return
	}
	t.Name = root.Name
	t.UserID = cmp.Or(t.UserID, root.UserID)
	t.SessionID = cmp.Or(t.SessionID, root.SessionID)
	if len(t.Tags) == 0 && len(root.Tags) > 0 {
		t.Tags = root.Tags
	}
	if t.Input == nil {
		t.Input = root.Input
	}
	if t.Output == nil {
		t.Output = root.Output
	}
}
