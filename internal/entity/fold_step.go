package entity

import (
	"cmp"
	"slices"
	"strings"
)

// step is what an observation adds to its trace: all that the trace's own fields and the order of its
// observations depend on, but for what the root says. It is small, so that a trace of any size can be rolled up.
type step struct {
	id, parent      string // the parent's id as it was sent
	start           int64  // µs since 1970
	end             instant
	model           string
	traceName       string
	user, session   string
	environment     string
	tokens          int64
	cost            float64
	knowsTokens     bool
	knowsCost       bool
	call            bool // of a provider
	duplicate       bool
	level, failed   bool // the level is ERROR, the status is error
	ours            bool // it came by our own door
	traceIn, traceO bool // it says an input, an output of the whole trace

	countsTokens, countsCost bool // set by countSteps

	about  int32  // of an Outline: its place in Briefs.about
	events events // the same: in Outline.seqs
}

// stepOf is the step of a row after its twins were marked.
func stepOf(o *ObservationRow) step {
	s := step{
		id: o.ID, parent: o.ParentObservationID, start: o.StartTime.UnixMicro(), model: o.Model, traceName: o.TraceName, user: o.UserID, session: o.SessionID, environment: o.Environment,
		call: isCall(o.Type), duplicate: o.DuplicateOf != "", level: o.Level == "ERROR", failed: o.Status == StatusError, ours: o.Door == ownDoor,
		traceIn: o.TraceInput != nil, traceO: o.TraceOutput != nil,
	}
	if o.EndTime != nil {
		s.end = instant{o.EndTime.UnixMicro(), true}
	}
	if o.TotalTokens != nil {
		s.tokens, s.knowsTokens = *o.TotalTokens, true
	}
	if o.TotalCost != nil {
		s.cost, s.knowsCost = *o.TotalCost, true
	}
	return s
}

// byStart is the order of observations: (start_time, id).
func (s *step) byStart(o *step) int {
	return cmp.Or(cmp.Compare(s.start, o.start), strings.Compare(s.id, o.id))
}

// counted is false when an amount that the observation carries is left out of the trace's sums.
func (s *step) counted() bool {
	return (s.countsTokens || s.tokens == 0) && (s.countsCost || s.cost == 0)
}

// sortedRows are rows by (start_time, id), and their steps.
func sortedRows(rows []*ObservationRow) ([]*ObservationRow, []step) {
	sorted := slices.Clone(rows)
	slices.SortFunc(sorted, byStart)
	steps := make([]step, len(sorted))
	for i, row := range sorted {
		steps[i] = stepOf(row)
	}
	return sorted, steps
}

// byStart is the order of observations: (start_time, id).
func byStart(a, b *ObservationRow) int {
	return cmp.Or(a.StartTime.Compare(b.StartTime), strings.Compare(a.ID, b.ID))
}
