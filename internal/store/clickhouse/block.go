package clickhouse

import (
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Nearly all events are of entities of which the tables have nothing yet, or only what this node has put there lately: they are plain. All that
// they are made of is in memory, which the tables confirm in one statement for a block (confirm.go). They are folded one trace after the other,
// straight into the columns that are sent. Everything else goes the long way, as a settling.

// plain is the entities of one project that a block is about.
type plain struct {
	project  string
	entities []plainEntity
	facts    []plainFact
	places   map[uint64]int32 // of entities, by kind and id
	calls    []plainCall
	recent   *recent
}

// plainEntity is an entity of a block, or a trace that only its observations name. It has no memory of its own.
type plainEntity struct {
	id          string
	first, last int32 // its facts, which plainFact.next chains; -1: it has none of its own
	facts       int32
	trace       int32 // of an observation: its trace; -1: it names none
	kin, next   int32 // of a trace: its last observation; of an observation: the one before it; -1: none
	kins        int32
	sum, square uint64 // of the Seqs of its facts
	kind        entity.Kind
	known       bool // some of its facts came before this block
	floating    bool // of an observation: an event names no trace
	calls       bool // of an observation: an event says something of twins
	long        bool // it goes the long way
}

// plainFact is an event, of the block or remembered.
type plainFact struct {
	seq  entity.Seq // shared
	at   int64
	hash uint64 // of what makes it a fact of its own
	env  string
	row  entity.Row
	next int32
}

// wide is how many observations of a block a plain trace has at most: they are in memory together.
const wide = 500

func newPlain(r *recent) *plain { return &plain{places: map[uint64]int32{}, recent: r} }

// reset makes it empty, for a project.
func (x *plain) reset(project string) {
	x.project = project
	clear(x.entities)
	clear(x.facts)
	clear(x.calls)
	x.entities, x.facts, x.calls = x.entities[:0], x.facts[:0], x.calls[:0]
	clear(x.places)
}

// take takes in an event of the node's Log.
func (x *plain) take(node uint16, r *entity.Record) {
	kind := r.Row.Kind()
	if kind == entity.GenericKind {
		return
	}
	at := x.at(kind, alias(r.Row.EntityID()))
	x.add(at, plainFact{seq: Shared(node, r.Seq), at: r.Event.Timestamp.UnixMicro(), hash: factHash(r), env: r.Environment, row: r.Row})
}

// factHash tells the facts of an entity apart, but for chance: what has the same goes the long way.
func factHash(r *entity.Record) uint64 {
	return xxhash.Sum64String(r.Event.ID) ^ r.Row.Content()*0x9e3779b97f4a7c15
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func entityHash(kind entity.Kind, id string) uint64 {
	return xxhash.Sum64String(id) ^ uint64(kind)*0x9e3779b97f4a7c15
}

// at is the place of an entity, which is made when there is none, of what is remembered of it.
func (x *plain) at(kind entity.Kind, id string) int32 {
	for key := entityHash(kind, id); ; key++ {
		at, there := x.places[key]
		if !there {
			at = int32(len(x.entities))
			x.entities = append(x.entities, plainEntity{id: id, first: -1, last: -1, trace: -1, kin: -1, next: -1, kind: kind})
			x.places[key] = at
			x.recent.each(x.project, kind, id, func(f plainFact) {
				x.add(at, f)
				x.entities[at].known = true
			})
			return at
		}
		if s := &x.entities[at]; s.kind == kind && s.id == id {
			return at
		}
	}
}

// find is the place of an entity, or -1.
func (x *plain) find(kind entity.Kind, id string) int32 {
	for key := entityHash(kind, id); ; key++ {
		at, there := x.places[key]
		if !there {
			return -1
		}
		if s := &x.entities[at]; s.kind == kind && s.id == id {
			return at
		}
	}
}

// fewFacts is how many facts of an entity are compared with each other: an entity of more goes the long way.
const fewFacts = 64

// add gives an entity a fact.
func (x *plain) add(at int32, f plainFact) {
	s := &x.entities[at]
	if s.facts >= fewFacts {
		s.long = true
	} else {
		for i := s.first; i >= 0; i = x.facts[i].next {
			s.long = s.long || x.facts[i].hash == f.hash
		}
	}
	f.next = -1
	n := int32(len(x.facts))
	x.facts = append(x.facts, f)
	if s.first < 0 {
		s.first = n
	} else {
		x.facts[s.last].next = n
	}
	s.last = n
	s.facts++
	s.sum += uint64(f.seq)
	s.square += uint64(f.seq) * uint64(f.seq)
	if s.kind == entity.ObservationKind {
		s.calls = s.calls || f.row.Get(entity.Twin) != nil || f.row.Get(entity.ResponseID) != nil
		x.inTrace(at, f.row.Get(entity.TraceID))
	}
}

// inTrace puts an observation into the trace that an event of it names.
func (x *plain) inTrace(at int32, trace []byte) {
	if len(trace) == 0 {
		x.entities[at].floating = true
		return
	}
	of := x.at(entity.TraceKind, alias(trace))
	s, t := &x.entities[at], &x.entities[of]
	switch {
	case s.trace == of:
	case s.trace >= 0: // there are several of its id
		s.long, t.long = true, true
	default:
		s.trace, s.next = of, t.kin
		t.kin = at
		t.kins++
	}
}

// part sends the long way what cannot be plain: observations whose place may change, calls of before, and what is in one trace with these. It finds the calls that may have twins.
func (x *plain) part(f *entity.Folder) error {
	for i := range x.entities {
		s := &x.entities[i]
		s.long = s.long || s.kins > wide || s.known && (s.floating || s.calls)
		if s.calls && !s.long {
			if err := x.fold(f, s); err != nil {
				return err
			}
			x.callOf(int32(i), &f.Observations(s.id)[0])
		}
	}
	x.spread()
	return nil
}

// spread sends a trace the long way with any of its observations, and all of these with it.
func (x *plain) spread() {
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
}

// fold gives the facts of an entity to f.
func (x *plain) fold(f *entity.Folder, s *plainEntity) error {
	f.Reset()
	for i := s.first; i >= 0; i = x.facts[i].next {
		e := &x.facts[i]
		if err := f.AddFact(entity.Fact{Seq: e.seq, At: e.at, Environment: e.env, Row: e.row}); err != nil {
			return err
		}
	}
	return nil
}

// seqs appends the Seqs of an entity's facts, in their order.
func (x *plain) seqs(s *plainEntity, to []uint64) []uint64 {
	for i := s.first; i >= 0; i = x.facts[i].next {
		to = append(to, uint64(x.facts[i].seq))
	}
	return to
}
