package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Observations with one id are a leader, the first that came, and its mates. What floats is among the events of the leader.

// inTrace is the place of the observation in the trace that an event names; leader is that of the first with its id.
func (x *index) inTrace(i, leader int32, row entity.Row) int32 {
	trace := row.Get(entity.TraceID)
	s, at := &x.entities[leader], leader
	if len(trace) == 0 {
		s.floating = true
	} else {
		of := x.at(i, entity.TraceKind, trace, true)
		if s = &x.entities[at]; s.trace >= 0 && s.trace != of {
			at = x.mate(i, leader, of)
			s = &x.entities[at]
		}
		if s.trace < 0 {
			s.trace, s.next = of, x.entities[of].kin
			x.entities[of].kin = at
			x.entities[of].kins++
		}
		s.newness = entity.Newness(s.newness, x.h.events[i].ts, row.Rank())
	}
	s.twins = s.twins || row.Get(entity.Twin) != nil || row.Get(entity.ResponseID) != nil
	return at
}

// mate is the place of the observation with the leader's id that is in another trace, which is made when there is none.
func (x *index) mate(i, leader, trace int32) int32 {
	for key := mix(uint64(leader), uint64(trace)); ; key++ {
		at, there := x.places[key]
		if !there {
			at = int32(len(x.entities))
			first := &x.entities[leader]
			made := hotEntity{key: key, event: i, first: -1, last: -1, trace: -1, kin: -1, next: -1, leader: leader, mate: first.mate, newness: entity.Unnamed, kind: entity.ObservationKind}
			x.places[key], first.mate = at, at
			x.entities = append(x.entities, made)
			return at
		}
		if s := &x.entities[at]; s.leader == leader && s.trace == trace {
			return at
		}
	}
}

// lead is the first with the id of an observation; of anything else it is that.
func (x *index) lead(s *hotEntity) *hotEntity {
	if s.leader >= 0 {
		return &x.entities[s.leader]
	}
	return s
}

// share sends observations the long way of whose id something floats, which may move, for there are others, here or in the
// table. It returns the heads of the ids that are known.
func (x *index) share(w knowing) (map[entityKey]head, error) {
	var known []entityKey
	var leaders []int32
	for i := range x.entities {
		switch s := &x.entities[i]; {
		case s.kind != entity.ObservationKind || s.leader >= 0:
		case s.floating:
			if s.mate >= 0 || !s.fresh {
				x.together(int32(i))
			}
		case !s.fresh && x.anySimple(int32(i)):
			known, leaders = append(known, x.entity(s)), append(leaders, int32(i))
		}
	}
	if len(known) == 0 {
		return nil, nil
	}
	heads, err := w.headsOf(known)
	for i, id := range known {
		if h := heads[id]; h.floating {
			x.together(leaders[i])
		}
	}
	return heads, err
}

// anySimple says whether one with the leader's id may be simple.
func (x *index) anySimple(leader int32) bool {
	for i := leader; i >= 0; i = x.entities[i].mate {
		if s := &x.entities[i]; !s.long && !x.entities[s.trace].long {
			return true
		}
	}
	return false
}

// together sends all with the leader's id the long way.
func (x *index) together(leader int32) {
	for i := leader; i >= 0; i = x.entities[i].mate {
		x.entities[i].long = true
	}
}

// rank finds which of the simple observations are the newest with their ids.
func (x *index) rank(heads map[entityKey]head) {
	x.heads, x.down = map[entityKey]head{}, flagged{}
	for i := range x.entities {
		s := &x.entities[i]
		switch {
		case s.kind != entity.ObservationKind || s.leader >= 0:
		case s.fresh && s.mate < 0:
			s.newest = true
		default:
			x.rankAll(int32(i), heads)
		}
	}
}

// rankAll is rank of the observations with one id.
func (x *index) rankAll(leader int32, heads map[entityKey]head) {
	id := x.entity(&x.entities[leader])
	was, now, n := heads[id], span{x.written, x.written}, 0
	h := was
	var top *hotEntity
	for i := leader; i >= 0; i = x.entities[i].mate {
		s := &x.entities[i]
		if s.long {
			continue
		}
		n++
		if _, trace := x.name(&x.entities[s.trace]); h.yields(trace, s.newness) {
			h.trace, h.newness, h.at, top = trace, s.newness, x.written, s
		}
		if h.none() {
			h.written = now
		}
	}
	if n == 0 {
		return
	}
	if top != nil {
		top.newest, h.trace = true, strings.Clone(h.trace)
		if !was.none() {
			x.down.add(id.in(was.trace), was.at)
		}
	}
	h.written.add(now)
	h.alone = was.none() && n == 1
	x.heads[id] = h
	x.entities[leader].fresh = false // for its mates that go the long way
}
