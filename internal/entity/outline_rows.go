package entity

import (
	"slices"
	"time"
)

// Len is how many observations there are.
func (o *Outline) Len() int { return len(o.steps) }

// Bytes is about how much memory the outline takes.
func (o *Outline) Bytes() (bytes int64) {
	const each, perEvent = 300, 12
	for i := range o.steps {
		bytes += each + int64(len(o.steps[i].id))
	}
	return bytes + perEvent*int64(len(o.seqs))
}

// Place is where the observation of an id is.
func (o *Outline) Place(id string) (place int, known bool) {
	place = slices.IndexFunc(o.steps, func(s step) bool { return s.id == id })
	return place, place >= 0
}

// Roots are the places of the observations that hang below nothing, and Children those of what hangs below a place.
func (o *Outline) Roots() []int { return o.hung.roots }

// Children are the places of what hangs below a place, in order.
func (o *Outline) Children(place int) []int { return o.hung.children[place] }

// Walk goes through all places, each before what hangs below it, while f wants more: the order of an answer.
func (o *Outline) Walk(f func(place int) bool) {
	var waiting []int
	push := func(places []int) {
		for i := len(places) - 1; i >= 0; i-- {
			waiting = append(waiting, places[i])
		}
	}
	push(o.hung.roots)
	for len(waiting) > 0 {
		place := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if !f(place) {
			return
		}
		push(o.hung.children[place])
	}
}

// Events are those that the row of a place needs: its own in the order of the fold, and of its duplicates.
func (o *Outline) Events(place int) []Seq {
	return o.seqs[o.steps[place].events.from:o.steps[place].events.upto]
}

// Own is how many of Events are the observation's own.
func (o *Outline) Own(place int) int { return int(o.steps[place].events.count) }

// Stretch is when the observation of a place starts and ends (nil: it has no end), and its environment.
func (o *Outline) Stretch(place int) (start time.Time, end *time.Time, environment string) {
	s := &o.steps[place]
	if s.ended {
		at := instant{us: s.end}.time()
		end = &at
	}
	return instant{us: s.start}.time(), end, s.said.environment
}

// Fails says whether it hangs below nothing that it names, and failed.
func (o *Outline) Fails(place int) bool {
	return o.steps[place].parent == "" && o.steps[place].said.status == StatusError
}

// Size is how many bytes the payloads of Events have.
func (o *Outline) Size(place int) (bytes int64) {
	for _, n := range o.sizes[o.steps[place].events.from:o.steps[place].events.upto] {
		bytes += int64(n)
	}
	return bytes
}

// Row is the observation of a place, without children: recs are the records of its Events, read (extract.Fill), and may be more.
// The error is ErrNotFound when its own are not among them: they have expired, or were erased.
func (o *Outline) Row(place int, recs []Record) (*ObservationRow, error) {
	s := &o.steps[place]
	all := folds(recs)
	f := all[subject{ObservationKind, s.id}]
	if f == nil {
		return nil, ErrNotFound
	}
	ref := Ref{o.id, s.id}
	row := partOf(f, ref)
	if row == nil || len(row.Seqs) != o.Own(place) {
		return nil, ErrNotFound
	}
	rows := []*ObservationRow{row}
	if o.steps[place].events.upto-o.steps[place].events.from > o.steps[place].events.count {
		for twin, kept := range o.twins {
			if f := all[subject{ObservationKind, twin.ID}]; kept == ref && f != nil {
				if other := partOf(f, twin); other != nil {
					rows = append(rows, other)
				}
			}
		}
	}
	o.twins.Mark(rows)
	o.tariff.Price(row)
	row.CountsTokens, row.CountsCost, row.Counted = s.countsTokens, s.countsCost, s.counted()
	return row, nil
}

// TraceEvents are those of the trace itself.
func (o *Outline) TraceEvents() []Seq { return o.own }

// OwnSize is how many bytes the payloads of TraceEvents have.
func (o *Outline) OwnSize() int64 { return o.ownLen }

// Sources are the places of the rows that Fill needs, in no order.
func (o *Outline) Sources() []int {
	var places []int
	in, out := false, false
	for i := range o.steps {
		s := &o.steps[i]
		if s.traceIn && !in || s.traceO && !out {
			places = append(places, i)
			in, out = in || s.traceIn, out || s.traceO
		}
	}
	if o.root >= 0 {
		places = append(places, o.root)
	}
	return places
}

// Fill sets input, output and metadata of the trace. own are the records of TraceEvents, read; row gives the row of one of Sources.
func (o *Outline) Fill(own []Record, row func(place int) *ObservationRow) {
	f := folds(own)[subject{TraceKind, o.id}]
	t := ownTrace(f, o.id)
	payloadsOf(t, &Family{steps: o.steps}, o.root, row)
	o.Trace.Input, o.Trace.Output, o.Trace.Metadata = t.Input, t.Output, t.Metadata
}
