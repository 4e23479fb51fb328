package entity

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

// Add takes in an observation of the trace. Each comes once, and its texts stay as they are until the next Begin.
func (r *Recount) Add(o *ObservationRow) { r.family.steps = append(r.family.steps, stepOf(o)) }

// Changed hands out the observations of the trace whose amounts count now where they did not, or the other way round: the how many-th Add took it
// in, from 0 on, and whether its cost is known.
func (r *Recount) Changed(f func(at int, is Counts, hasCost bool)) {
	r.roller.count(&r.family)
	at := 0
	for _, is := range r.roller.changed { // in the order of the steps
		for r.family.steps[at].id != is.ID {
			at++
		}
		f(at, is, r.family.steps[at].knowsCost)
	}
}
