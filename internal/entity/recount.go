package entity

import "strings"

// Recount finds anew which amounts of traces count, one trace after the other, of rows of which it reads only the id, the parent, the
// type, the start, the tokens and the cost, whether they are duplicates, and what counted before. The zero value is ready; its memory is used again. It is not safe for
// concurrent use.
type Recount struct {
	family Family
	roller Roller
}

// Begin begins a trace.
func (r *Recount) Begin() {
	clear(r.family.steps)
	r.family = Family{steps: r.family.steps[:0]}
}

// Add takes in an observation of the trace, with ids of its own. Each comes once.
func (r *Recount) Add(o *ObservationRow) {
	s := stepOf(o)
	s.id = strings.Clone(s.id)
	if n := len(r.family.steps); n > 0 && r.family.steps[n-1].parent == s.parent {
		s.parent = r.family.steps[n-1].parent
	} else {
		s.parent = strings.Clone(s.parent)
	}
	r.family.steps = append(r.family.steps, s)
}

// Changed are the observations of the trace whose amounts count now where they did not, or the other way round. They hold until Begin.
func (r *Recount) Changed() []Counts {
	r.roller.count(&r.family)
	return r.roller.changed
}
