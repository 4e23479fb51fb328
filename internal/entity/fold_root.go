package entity

import (
	"cmp"
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// rootOf is the observation that says what the trace is about: the first by (start_time, id) of those
// that name no parent, or, while none of them has come, of those whose parent is not there. nil when there is none.
func rootOf(rows []*ObservationRow) *ObservationRow {
	here := make(map[string]bool, len(rows))
	for _, row := range rows {
		here[row.ID] = true
	}
	var root, orphan *ObservationRow
	for _, row := range rows {
		switch {
		case row.ParentObservationID == "":
			root = earlier(root, row)
		case !here[row.ParentObservationID]:
			orphan = earlier(orphan, row)
		}
	}
	if root == nil {
		return orphan
	}
	return root
}

func earlier(a, b *ObservationRow) *ObservationRow {
	if a == nil || byStart(&b.Observation, &a.Observation) < 0 {
		return b
	}
	return a
}

// fromRoot fills what the trace's own events leave open (name, user, session, tags, release) with what its
// root says: clients that send spans only say there what the whole is about. A trace without a name of its
// own also has the root's input, output and metadata, but for what an observation says to be the trace's. User and session are those of the first span that has
// one where the root has none.
func fromRoot(t *wire.Trace, root *ObservationRow, sorted []*ObservationRow) {
	if root == nil {
		return
	}
	for _, row := range sorted {
		t.Input, t.Output = first(t.Input, row.TraceInput), first(t.Output, row.TraceOutput)
	}
	if t.Name == "" {
		t.Input, t.Output, t.Metadata = first(t.Input, root.Input), first(t.Output, root.Output), first(t.Metadata, root.Metadata)
	}
	name := ""
	for _, row := range sorted {
		name = cmp.Or(name, row.TraceName)
	}
	t.Name = cmp.Or(t.Name, root.TraceName, name, root.Name)
	t.UserID, t.SessionID, t.Release = cmp.Or(t.UserID, root.UserID), cmp.Or(t.SessionID, root.SessionID), cmp.Or(t.Release, root.Release)
	for _, row := range sorted {
		if row.Door != ownDoor { // a span may stand below one of a library that knows no user
			t.UserID, t.SessionID = cmp.Or(t.UserID, row.UserID), cmp.Or(t.SessionID, row.SessionID)
		}
	}
	if len(t.Tags) == 0 && len(root.Tags) > 0 {
		t.Tags = root.Tags
	}
}

// first is the first of the two that was sent.
func first(a, b json.RawMessage) json.RawMessage {
	if a != nil {
		return a
	}
	return b
}
