package entity

import (
	"slices"
	"strings"
)

// Family is the observations of one trace, as far as the trace's roll-up reads them. It costs about 200 bytes an observation, so that who
// rolls up again keeps it. The zero value is empty. It is not safe for concurrent use.
type Family struct {
	steps  []step
	places map[string]int // by id, while there are many
	texts  int            // bytes, about
}

const noPlace = -1

// Len is how many observations there are.
func (f *Family) Len() int { return len(f.steps) }

// Weight is about how many bytes of memory it takes.
func (f *Family) Weight() int { return 100 + 190*len(f.steps) + f.texts }

// Span is from where to where the events of the observations are in the Log; 0 of none.
func (f *Family) Span() (first, last Seq) {
	for i := range f.steps {
		s := &f.steps[i]
		if i == 0 || s.first < first {
			first = s.first
		}
		last = max(last, s.last)
	}
	return first, last
}

// Counts is what a roll-up noted of an observation: whether its amounts count.
type Counts struct {
	ID           string
	Tokens, Cost bool
	// Counted is false when an amount that it carries does not count.
	Counted bool
}

func (s *step) counts() Counts { return Counts{s.id, s.countsTokens, s.countsCost, s.counted()} }

// Counts are those of the observation of that id; false when there is none.
func (f *Family) Counts(id string) (Counts, bool) {
	if i := f.place(id); i != noPlace {
		return f.steps[i].counts(), true
	}
	return Counts{}, false
}

// Put takes in what a row says, with texts of its own, in the place of what was known of the observation. first and last
// are the first and the last of the events with its id.
func (f *Family) Put(row *ObservationRow, first, last Seq) {
	s := stepOf(row)
	s.first, s.last = first, last
	s.said = f.share(row)
	s.id = f.own(s.id)
	switch n := len(f.steps); {
	case n > 0 && f.steps[n-1].parent == s.parent:
		s.parent = f.steps[n-1].parent
	case n > 0 && f.steps[n-1].id == s.parent:
		s.parent = f.steps[n-1].id
	default:
		s.parent = f.own(s.parent)
	}
	f.put(s)
}

func (f *Family) put(s step) {
	if i := f.place(s.id); i != noPlace {
		f.steps[i] = s
		return
	}
	if f.steps == nil {
		f.steps = make([]step, 0, 4)
	}
	f.steps = append(f.steps, s)
	if f.places != nil {
		f.places[s.id] = len(f.steps) - 1
	}
}

// familyOf is rows, each of which is there once, with their own texts and in their order.
func familyOf(rows []*ObservationRow) *Family {
	f := &Family{steps: make([]step, len(rows))}
	for i, row := range rows {
		f.steps[i] = stepOf(row)
		f.steps[i].said = saidBy(row)
	}
	return f
}

// Drop forgets the observation of that id.
func (f *Family) Drop(id string) {
	i := f.place(id)
	if i == noPlace {
		return
	}
	last := len(f.steps) - 1
	f.steps[i] = f.steps[last]
	f.steps[last] = step{}
	f.steps = f.steps[:last]
	f.places = nil
	for i := range f.steps {
		f.steps[i].up = noPlace
	}
}

// fewSteps is up to how many observations are looked through one by one.
const fewSteps = 8

// place is where the observation of that id stands, or noPlace.
func (f *Family) place(id string) int {
	if len(f.steps) <= fewSteps {
		for i := range f.steps {
			if f.steps[i].id == id {
				return i
			}
		}
		return noPlace
	}
	if f.places == nil {
		f.places = make(map[string]int, 2*len(f.steps))
		for i := range f.steps {
			f.places[f.steps[i].id] = i
		}
	}
	if i, known := f.places[id]; known {
		return i
	}
	return noPlace
}

// own is a copy of a text.
func (f *Family) own(s string) string {
	f.texts += len(s)
	return strings.Clone(s)
}

// lately is among how many observations share looks for one that says the same.
const lately = 4

// share is what a row says, with texts of its own, or what one of those before it says when that is the same.
func (f *Family) share(row *ObservationRow) *said {
	for i := len(f.steps) - 1; i >= max(0, len(f.steps)-lately); i-- {
		if s := f.steps[i].said; (i == len(f.steps)-1 || s != f.steps[i+1].said) && s.by(row) {
			return s
		}
	}
	s := saidBy(row)
	for _, p := range [...]*string{&s.model, &s.environment, &s.status, &s.level, &s.name, &s.traceName, &s.userID, &s.sessionID, &s.release, &s.door, &s.key} {
		*p = f.own(*p)
	}
	s.tags = slices.Clone(s.tags)
	for i := range s.tags {
		s.tags[i] = f.own(s.tags[i])
	}
	f.texts += 200 + 16*len(s.tags)
	return s
}
