package entity

import (
	"slices"
	"strings"
)

// Grow makes room for n more observations.
func (f *Family) Grow(n int) { f.steps = slices.Grow(f.steps, n) }

// Note takes in an observation as far as Recount looks at it: its id and parent, the type, the start, the tokens and the cost, whether it is a
// duplicate, and what counted before. Each comes once, and a family that has one is for Recount only.
func (f *Family) Note(o *ObservationRow) {
	s := stepOf(o)
	s.id = strings.Clone(s.id)
	switch n := len(f.steps); {
	case n > 0 && f.steps[n-1].parent == s.parent:
		s.parent = f.steps[n-1].parent
	case n > 0 && f.steps[n-1].id == s.parent:
		s.parent = f.steps[n-1].id
	default:
		s.parent = strings.Clone(s.parent)
	}
	f.steps = append(f.steps, s)
}

// Recount finds anew which amounts of a trace count, and hands out the observations of which that is another than before: the how many-th noted it
// is, from 0 on, and whether its cost is known.
func (r *Roller) Recount(f *Family, changed func(at int, is Counts, hasCost bool)) {
	r.count(f)
	at := 0
	for _, is := range r.changed { // in the order of the steps
		for f.steps[at].id != is.ID {
			at++
		}
		changed(at, is, f.steps[at].knowsCost)
	}
}
