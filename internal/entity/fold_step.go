package entity

import (
	"cmp"
	"slices"
	"strings"
)

// step is what an observation adds to its trace: all that the trace's own fields and the order of its
// observations depend on. It is small, so that a trace of any size can be rolled up.
type step struct {
	id, parent  string // the parent's id as it was sent
	said        *said
	start       int64 // µs since 1970
	end         int64 // the same, when it has ended
	tokens      int64
	cost        float64
	first, last Seq   // of a Family: of the events with its id
	up          int32 // of a Family: the place of its parent; noPlace when it is not known, or there is none

	about  int32  // of an Outline: its place in Briefs.about
	events events // the same: in Outline.seqs

	ended, knowsTokens, knowsCost bool
	call                          bool // of a provider
	duplicate                     bool
	traceIn, traceO               bool // it says an input, an output of the whole trace

	countsTokens, countsCost bool // set by Roller.count
}

// said are texts of an observation, which often says the same as others in its trace. It does not change.
type said struct {
	model, environment, status, level                 string
	name, traceName, userID, sessionID, release, door string
	key                                               string
	tags                                              []string
}

// stepOf is the step of a row after its twins were marked, but for what it said.
func stepOf(o *ObservationRow) step {
	s := step{
		id: o.ID, parent: o.ParentObservationID, up: noPlace, start: o.StartTime.UnixMicro(),
		call: isCall(o.Type), duplicate: o.DuplicateOf != "", traceIn: o.TraceInput != nil, traceO: o.TraceOutput != nil,
		countsTokens: o.CountsTokens, countsCost: o.CountsCost,
	}
	if o.EndTime != nil {
		s.end, s.ended = o.EndTime.UnixMicro(), true
	}
	if o.TotalTokens != nil {
		s.tokens, s.knowsTokens = *o.TotalTokens, true
	}
	if o.TotalCost != nil {
		s.cost, s.knowsCost = *o.TotalCost, true
	}
	return s
}

// saidBy is what a row says, in its memory.
func saidBy(o *ObservationRow) *said {
	return &said{o.Model, o.Environment, o.Status, o.Level, o.Name, o.TraceName, o.UserID, o.SessionID, o.Release, o.Door, o.KeyID, o.Tags}
}

// by says whether it is what the row says.
func (s *said) by(o *ObservationRow) bool {
	return o.Model == s.model && o.Environment == s.environment && o.Status == s.status && o.Level == s.level &&
		o.Name == s.name && o.TraceName == s.traceName && o.UserID == s.userID && o.SessionID == s.sessionID &&
		o.Release == s.release && o.Door == s.door && o.KeyID == s.key && slices.Equal(o.Tags, s.tags)
}

// bad says that the level is that of an error.
func (s *said) bad() bool { return s.level == "ERROR" }

// ofSpan is a text that is said by a span of OpenTelemetry: it may stand below one of a library that knows no user.
func (s *said) ofSpan(text string) string {
	if s.door == ownDoor {
		return ""
	}
	return text
}

// byStart is the order of observations: (start_time, id).
func (s *step) byStart(o *step) int {
	return cmp.Or(cmp.Compare(s.start, o.start), strings.Compare(s.id, o.id))
}

// before is byStart, quicker.
func (s *step) before(o *step) bool {
	return s.start < o.start || s.start == o.start && s.id < o.id
}

// counted is false when an amount that the observation carries is left out of the trace's sums.
func (s *step) counted() bool {
	return (s.countsTokens || s.tokens == 0) && (s.countsCost || s.cost == 0)
}

// carries are the amounts that it has; one of 0 is none.
func (s *step) carries() (a amounts) {
	if s.tokens != 0 {
		a |= someTokens
	}
	if s.cost != 0 {
		a |= someCost
	}
	return a
}

// amounts are which amounts something carries.
type amounts uint8

const (
	someTokens amounts = 1 << iota
	someCost
)
