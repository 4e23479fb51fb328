package entity

import (
	"encoding/json"
	"slices"
	"unsafe"
)

// shape is where the values of a kind's events go in R, its rows.
type shape[R any] struct {
	spots [NumFields]spot
	// joined are the members of which a row has more than the last value, or has it in another form.
	joined []Member[R]
	blank  R // the row of an entity whose events say nothing
}

// spot is where a value goes.
type spot struct {
	as as
	at uintptr // in the row; of a moment, its place in state.said
}

// as is how a value goes into a row.
type as uint8

const (
	nowhere as = iota
	asText
	asFirst // a text that stays
	asInteger
	asFloat
	asMoment // a time: a row's is more than what events say of it
	asJoined
)

var (
	traceShape       = shapeOf(TraceKind, TraceMembers)
	observationShape = shapeOf(ObservationKind, ObservationMembers)
	scoreShape       = shapeOf(ScoreKind, ScoreMembers)
)

// shapeOf finds the places of what events of the kind say among the members of its rows.
func shapeOf[R any](kind Kind, members []Member[R]) *shape[R] {
	sh := &shape[R]{}
	for i := range members {
		m := &members[i]
		if !table[m.Field].said.has(kind) || m.Field == Clear {
			continue
		}
		to := &sh.spots[m.Field]
		to.at = m.at
		switch p := m.In(&sh.blank).(type) {
		case *string:
			to.as, *p = asText, table[m.Field].absent
			if table[m.Field].rule == First {
				to.as = asFirst
			}
		case **int64:
			to.as = asInteger
		case **float64:
			to.as = asFloat
		case *[]string:
			to.as, *p = asJoined, []string{}
			sh.joined = append(sh.joined, *m)
		case *json.RawMessage:
			to.as = asJoined
			sh.joined = append(sh.joined, *m)
		}
	}
	if kind == ObservationKind {
		for at, f := range [numMoments]Field{startSaid: StartTime, endSaid: EndTime, firstTokenSaid: FirstTokenAt} {
			sh.spots[f] = spot{asMoment, uintptr(at)}
		}
	}
	return sh
}

// join sets the members of row that were collected to what their fields' rules make of all values.
func (sh *shape[R]) join(s *state, row *R) {
	for i := range sh.joined {
		m := &sh.joined[i]
		at := unsafe.Add(unsafe.Pointer(row), m.at)
		if m.Field.Type() == List {
			*(*[]string)(at) = s.list(m.Field)
		} else {
			*(*json.RawMessage)(at) = s.json(m.Field)
		}
	}
}

// list is never nil.
func (s *state) list(f Field) []string {
	list := []string{}
	for _, v := range s.collected {
		if v.Field == f {
			list = append(list, v.List...)
		}
	}
	if table[f].rule == Unite && len(list) > 1 {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

func (s *state) json(f Field) json.RawMessage {
	var one [4]string
	values := one[:0]
	for _, v := range s.collected {
		if v.Field == f {
			values = append(values, v.Text)
		}
	}
	switch {
	case len(values) == 0:
		return nil
	case table[f].rule == Merge:
		return FoldMetadata(values)
	case table[f].rule == Append:
		return appendLists(values)
	}
	return json.RawMessage(values[len(values)-1])
}
