package entity

import (
	"cmp"
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// first is the place of the first by (start_time, id) of those that are so; noPlace when none is.
func (f *Family) first(is func(*step) bool) int {
	first := noPlace
	for i := range f.steps {
		if s := &f.steps[i]; (first == noPlace || s.before(&f.steps[first])) && is(s) {
			first = i
		}
	}
	return first
}

// root is the place of the observation that says what the trace is about: the first by (start_time, id) of those
// that name no parent, or, while none of them has come, of those whose parent is not there; noPlace when there is none. It is asked
// after Roller.count, which finds the parents.
func (f *Family) root() int {
	if root := f.first(func(s *step) bool { return s.parent == "" }); root != noPlace {
		return root
	}
	return f.first(func(s *step) bool { return s.up == noPlace })
}

// payloadsOf fills input, output and metadata of a trace, before it has its name, from its observations, which stand in the order of their
// starts: they may say what went into the whole, and came out, and a
// trace without a name of its own has those of its root, at place, where none does. row gives a whole row.
func payloadsOf(t *wire.Trace, f *Family, place int, row func(i int) *ObservationRow) {
	if place == noPlace {
		return
	}
	for i := range f.steps {
		if f.steps[i].traceIn && t.Input == nil {
			t.Input = row(i).TraceInput
		}
		if f.steps[i].traceO && t.Output == nil {
			t.Output = row(i).TraceOutput
		}
	}
	if t.Name == "" {
		root := row(place)
		t.Input, t.Output, t.Metadata = first(t.Input, root.Input), first(t.Output, root.Output), first(t.Metadata, root.Metadata)
	}
}

// fromRoot fills what the trace's own events leave open (name, user, session, tags, release) with what its
// root says: clients that send spans only say there what the whole is about. User and session are those of the first span that has
// one where the root has none.
func (f *Family) fromRoot(t *wire.Trace, place int) {
	root := f.steps[place].said
	t.Name = cmp.Or(t.Name, root.traceName)
	if t.Name == "" {
		t.Name = cmp.Or(f.say(func(s *said) string { return s.traceName }), root.name)
	}
	t.UserID, t.SessionID, t.Release = cmp.Or(t.UserID, root.userID), cmp.Or(t.SessionID, root.sessionID), cmp.Or(t.Release, root.release)
	if t.UserID == "" {
		t.UserID = f.say(func(s *said) string { return s.ofSpan(s.userID) })
	}
	if t.SessionID == "" {
		t.SessionID = f.say(func(s *said) string { return s.ofSpan(s.sessionID) })
	}
	if len(t.Tags) == 0 && len(root.tags) > 0 {
		t.Tags = root.tags
	}
}

// say is the text of the first that says one.
func (f *Family) say(text func(*said) string) string {
	if i := f.first(func(s *step) bool { return text(s.said) != "" }); i != noPlace {
		return text(f.steps[i].said)
	}
	return ""
}

// first is the first of the two that was sent.
func first(a, b json.RawMessage) json.RawMessage {
	if a != nil {
		return a
	}
	return b
}
