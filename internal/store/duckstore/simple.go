package duckstore

import (
	"hash/maphash"
	"slices"
	"strings"
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Nearly all events are of entities that nothing was known of before, in traces that nothing was known of, and of calls that
// nobody else reported: they are simple. They are folded one trace after the other, straight into the tables' chunks, with
// nothing to look up, to compare or to delete. Everything else goes the long way, as a refold.

// hotEntity is an entity of what is hot, or a trace that only its observations name. It holds no pointers.
type hotEntity struct {
	key         uint64 // in entities
	event       int32  // one that names it, as its entity or, of byTrace, as its trace
	first, last int32  // its events, which index.next chains; -1: it has none of its own
	trace       int32  // of an observation: its trace; -1: it names none
	kin, next   int32  // of a trace: its last observation; of an observation: the one before it; -1: none
	kins        int32
	// Of an observation: the first with its id, or -1: it is that; of that one, the last of the others, and of these each the one before it; or -1.
	leader, mate int32
	newness      int64 // of an observation
	kind         entity.Kind
	byTrace      bool
	long         bool // it goes the long way
	fresh        bool // nothing was known of it, of an observation of any with its id; until a refold was told, or another was written
	twins        bool // an event says something of twins
	floating     bool // of the first with its id: events name no trace
	newest       bool // of an observation that is simple
}

// index is the entities of what is hot. Its memory is used again.
type index struct {
	h        *hot
	seed     maphash.Seed
	entities []hotEntity
	places   map[uint64]int32
	next     []int32            // of events: the next of the same hotEntity
	of       []int32            // of events: their hotEntity; -1 of those that are about none
	written  int64              // of the rows to be
	heads    map[entityKey]head // of the ids that several have, with what is simple
	down     flagged            // rows in the table that are not the newest any more
	folder   entity.Folder
}

// wide is how many observations a simple trace has at most: they are in memory together.
const wide = 500

func newIndex() *index { return &index{seed: maphash.MakeSeed(), places: map[uint64]int32{}} }

// knowing is what an index must know of what is not hot.
type knowing interface {
	// knows says whether there may be something of the entity, of observations any with the id, and remembers it from now on.
	knows(project, id string, kind entity.Kind) bool
	// met says whether calls of a project that may be twins of c were there before, or makes it one that was.
	met(project string, c *entity.Call) bool
	// headsOf finds the heads of ids, whose keys are those of all.
	headsOf(ids []entityKey) (map[entityKey]head, error)
}

// build finds the entities of these events. Those that are known, or have to do with what is known, go the long way.
func (x *index) build(h *hot, events []int32, written int64, w knowing) error {
	x.h, x.entities, x.written = h, x.entities[:0], written
	clear(x.places)
	x.next = slices.Grow(x.next[:0], len(h.events))[:len(h.events)]
	x.of = slices.Grow(x.of[:0], len(h.events))[:len(h.events)]
	for _, i := range events {
		x.take(i)
	}
	for i := range x.entities {
		s := &x.entities[i]
		if s.leader >= 0 {
			continue
		}
		project, id := x.name(s)
		s.fresh = !w.knows(project, id, s.kind)
		s.long = s.long || !s.fresh && s.kind != entity.ObservationKind || s.kins > wide
	}
	heads, err := x.share(w)
	if err != nil {
		return err
	}
	if err := x.partTwins(w); err != nil {
		return err
	}
	// What goes the long way takes its trace with it, and the trace all its observations.
	for i := range x.entities {
		if s := &x.entities[i]; s.long && s.trace >= 0 {
			x.entities[s.trace].long = true
		}
	}
	for i := range x.entities {
		if s := &x.entities[i]; s.trace >= 0 && x.entities[s.trace].long {
			s.long = true
		}
	}
	x.rank(heads)
	return nil
}

// take takes in an event.
func (x *index) take(i int32) {
	row := x.h.row(int(i))
	kind := row.Kind()
	if x.of[i] = -1; kind == entity.GenericKind {
		return
	}
	at := x.at(i, kind, row.EntityID(), false)
	if kind == entity.ObservationKind {
		at = x.inTrace(i, at, row)
	}
	s := &x.entities[at]
	x.next[i], x.of[i] = -1, at
	if s.first < 0 {
		s.first = i
	} else {
		x.next[s.last] = i
	}
	s.last = i
}

// at is the place of one, which is made when there is none.
func (x *index) at(event int32, kind entity.Kind, id []byte, byTrace bool) int32 {
	key := maphash.Bytes(x.seed, id) ^ uint64(kind)*0x9e3779b97f4a7c15 ^ uint64(x.h.events[event].project)*0xff51afd7ed558ccd
	for ; ; key++ {
		at, there := x.places[key]
		if !there {
			at = int32(len(x.entities))
			x.entities = append(x.entities, hotEntity{key: key, event: event, first: -1, last: -1, trace: -1, kin: -1, next: -1, leader: -1, mate: -1, newness: entity.Unnamed, kind: kind, byTrace: byTrace})
			x.places[key] = at
			return at
		}
		s := &x.entities[at]
		if _, name := x.name(s); s.kind == kind && s.leader < 0 && name == unsafe.String(unsafe.SliceData(id), len(id)) &&
			x.h.events[s.event].project == x.h.events[event].project {
			return at
		}
	}
}

// name is what a hotEntity is called, in the page's memory.
func (x *index) name(s *hotEntity) (project, id string) {
	row := x.h.row(int(s.event))
	b := row.EntityID()
	if s.byTrace {
		b = row.Get(entity.TraceID)
	}
	return x.h.project(int(s.event)), unsafe.String(unsafe.SliceData(b), len(b))
}

// entity names a hotEntity, in memory of its own; observations by their id alone.
func (x *index) entity(s *hotEntity) entityKey {
	project, id := x.name(s)
	return entityKey{project, s.kind, "", strings.Clone(id)}
}

// long appends the events that go the long way to dst, in their order.
func (x *index) long(dst []int32) []int32 {
	for i := range x.entities {
		if s := &x.entities[i]; s.long {
			for e := s.first; e >= 0; e = x.next[e] {
				dst = append(dst, e)
			}
		}
	}
	slices.Sort(dst)
	return dst
}

// fold gives the events of a hotEntity to f, whose memory they share, and appends their Seqs to seqs.
func (x *index) fold(f *entity.Folder, s *hotEntity, seqs []int64) ([]int64, error) {
	f.Reset()
	for i := s.first; i >= 0; i = x.next[i] {
		e := &x.h.events[i]
		if err := f.AddFact(entity.Fact{Seq: entity.Seq(e.seq), At: e.ts, Environment: x.h.names[e.environment], Row: x.h.row(int(i))}); err != nil {
			return nil, err
		}
		seqs = append(seqs, e.seq)
	}
	slices.Sort(seqs)
	return seqs, nil
}

// bundle is the events of a hotEntity, for the cache.
func (x *index) bundle(s *hotEntity, written int64) *bundle {
	b := &bundle{written: written}
	for i := s.first; i >= 0; i = x.next[i] {
		e := &x.h.events[i]
		b.add(e.seq, e.ts, x.h.names[e.environment], x.h.row(int(i)))
	}
	return b
}
