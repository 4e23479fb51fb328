package entity

import (
	"cmp"
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// first is the place of the first by (start_time, id) of those that are so; noPlace when none is.
func (f *Family) first(is func(*Kin) bool) int {
	first := noPlace
	for i := range f.kin {
		if k := &f.kin[i]; (first == noPlace || k.earlier(&f.kin[first])) && is(k) {
			first = i
		}
	}
	return first
}

// root is the place of the observation that says what the trace is about: the first by (start_time, id) of those
// that name no parent, or, while none of them has come, of those whose parent is not there. It is asked after link.
func (f *Family) root() int {
	if root := f.first(func(k *Kin) bool { return k.Parent == "" }); root != noPlace {
		return root
	}
	return f.first(func(k *Kin) bool { return k.parent == noPlace })
}

// fromRoot fills what the trace's own events leave open (name, user, session, tags, release) with what its
// root says: clients that send spans only say there what the whole is about. User and session are those of the first span that has
// one where the root has none.
func (f *Family) fromRoot(t *wire.Trace, place int) {
	root := f.kin[place].Said
	t.Name = cmp.Or(t.Name, root.TraceName)
	if t.Name == "" {
		t.Name = cmp.Or(f.say(func(s *KinSaid) string { return s.TraceName }), root.Name)
	}
	t.UserID, t.SessionID, t.Release = cmp.Or(t.UserID, root.UserID), cmp.Or(t.SessionID, root.SessionID), cmp.Or(t.Release, root.Release)
	if t.UserID == "" {
		t.UserID = f.say(func(s *KinSaid) string { return s.ofSpan(s.UserID) })
	}
	if t.SessionID == "" {
		t.SessionID = f.say(func(s *KinSaid) string { return s.ofSpan(s.SessionID) })
	}
	if len(t.Tags) == 0 && len(root.Tags) > 0 {
		t.Tags = root.Tags
	}
}

// ofSpan is a text that is said by a span of OpenTelemetry: it may stand below one of a library that knows no user.
func (s *KinSaid) ofSpan(text string) string {
	if s.Door == ownDoor {
		return ""
	}
	return text
}

// say is the text of the first that says one.
func (f *Family) say(text func(*KinSaid) string) string {
	if i := f.first(func(k *Kin) bool { return text(k.Said) != "" }); i != noPlace {
		return text(f.kin[i].Said)
	}
	return ""
}

// payloads fills input, output and metadata, which only the events have, before the trace has its name: a trace without a
// name of its own has those of its root, but for what an observation says to be the trace's. rows are in the order of their starts.
func payloads(t *wire.Trace, root *ObservationRow, rows []*ObservationRow) {
	for _, row := range rows {
		t.Input, t.Output = first(t.Input, row.TraceInput), first(t.Output, row.TraceOutput)
	}
	if t.Name == "" {
		t.Input, t.Output, t.Metadata = first(t.Input, root.Input), first(t.Output, root.Output), first(t.Metadata, root.Metadata)
	}
}

// first is the first of the two that was sent.
func first(a, b json.RawMessage) json.RawMessage {
	if a != nil {
		return a
	}
	return b
}
