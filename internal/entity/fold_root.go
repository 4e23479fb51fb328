package entity

import (
	"cmp"
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// rootOf is the place of the observation that says what the trace is about: the first by (start_time, id) of those
// that name no parent, or, while none of them has come, of those whose parent is not there. -1 when there is none.
// Steps are in the order of their starts.
func rootOf(steps []step) int {
	here := make(map[string]bool, len(steps))
	for i := range steps {
		here[steps[i].id] = true
	}
	orphan := -1
	for i := range steps {
		switch {
		case steps[i].parent == "":
			return i
		case orphan < 0 && !here[steps[i].parent]:
			orphan = i
		}
	}
	return orphan
}

// payloadsOf fills input, output and metadata of a trace from its observations: they may say what went into the whole, and came out, and a
// trace without a name of its own has those of its root where none does. row gives a whole row.
func payloadsOf(t *wire.Trace, root *ObservationRow, steps []step, row func(i int) *ObservationRow) {
	if root == nil {
		return
	}
	for i := range steps {
		if steps[i].traceIn && t.Input == nil {
			t.Input = row(i).TraceInput
		}
		if steps[i].traceO && t.Output == nil {
			t.Output = row(i).TraceOutput
		}
	}
	if t.Name == "" {
		t.Input, t.Output, t.Metadata = first(t.Input, root.Input), first(t.Output, root.Output), first(t.Metadata, root.Metadata)
	}
}

// fromRoot fills what the trace's own events leave open (name, user, session, tags, release) with what its
// root says: clients that send spans only say there what the whole is about. User and session are those of the first span that has
// one where the root has none.
func fromRoot(t *wire.Trace, root *ObservationRow, steps []step) {
	if root == nil {
		return
	}
	name := ""
	for i := range steps {
		name = cmp.Or(name, steps[i].traceName)
	}
	t.Name = cmp.Or(t.Name, root.TraceName, name, root.Name)
	t.UserID, t.SessionID, t.Release = cmp.Or(t.UserID, root.UserID), cmp.Or(t.SessionID, root.SessionID), cmp.Or(t.Release, root.Release)
	for i := range steps {
		if s := &steps[i]; !s.ours { // a span may stand below one of a library that knows no user
			t.UserID, t.SessionID = cmp.Or(t.UserID, s.user), cmp.Or(t.SessionID, s.session)
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
