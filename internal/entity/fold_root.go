package entity

import (
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// fromRoot fills what the trace's own events leave open (name, user, session, tags) with what its
// root says: clients that send spans only say there what the whole is about. A trace without a name of its
// own also has the root's input and output. The root is the first by (start_time, id) of the
// observations that name no parent.
func fromRoot(t *wire.Trace, rows []*ObservationRow) {
	var root *ObservationRow
	for _, row := range rows {
		if row.ParentObservationID == "" && (root == nil || byStart(&row.Observation, &root.Observation) < 0) {
			root = row
		}
	}
	if root == nil {
		return
	}
	if t.Name == "" && t.Input == nil {
		t.Input = root.Input
	}
	if t.Name == "" && t.Output == nil {
		t.Output = root.Output
	}
	for _, f := range []struct{ of, root *string }{
		{&t.Name, &root.Name}, {&t.UserID, &root.UserID}, {&t.SessionID, &root.SessionID},
	} {
		if *f.of == "" {
			*f.of = *f.root
		}
	}
	if len(t.Tags) == 0 && len(root.Tags) > 0 {
		t.Tags = root.Tags
	}
}
