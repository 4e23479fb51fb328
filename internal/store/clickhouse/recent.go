package clickhouse

import (
	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// recent remembers the facts of the entities that this node settled last, so that what is updated soon after it was made is not read again. Nothing
// depends on its being right: before what it says is used, the tables say whether that is all they have.
//
// It has two generations: when the young one is full it becomes the old one, and what only that one had is forgotten. There is nothing in them that the garbage collector looks into.
type recent struct {
	most       int // bytes of a generation, about
	young, old generation
	names      []string // projects and environments
	nameAt     map[string]uint32
}

type generation struct {
	at     map[uint64]keptEntity
	facts  []keptFact
	pages  [][]byte
	weight int
}

// keptEntity is where the facts of an entity stand.
type keptEntity struct{ first, facts uint32 }

type keptFact struct {
	seq           entity.Seq
	at            int64
	hash          uint64
	page, from, n uint32 // its row
	project, env  uint32
}

const (
	recentBytes = 32 << 20
	// keptWeight is about what an entity and a fact take beside the row.
	keptWeight  = 120
	recentPage  = 256 << 10
	recentNames = 10_000
)

func newRecent(most int) *recent {
	r := &recent{most: most / 2}
	r.forget()
	return r
}

// forget empties it.
func (r *recent) forget() {
	r.young, r.old, r.names, r.nameAt = newGeneration(), generation{}, nil, map[string]uint32{}
}

func newGeneration() generation { return generation{at: map[uint64]keptEntity{}} }

func recentKey(project string, kind entity.Kind, id string) uint64 {
	return entityHash(kind, id) ^ xxhash.Sum64String(project)*0xff51afd7ed558ccd
}

// each calls f for what is remembered of an entity.
func (r *recent) each(project string, kind entity.Kind, id string, f func(plainFact)) {
	key := recentKey(project, kind, id)
	g := &r.young
	e, there := g.at[key]
	if !there {
		g = &r.old
		if e, there = g.at[key]; !there {
			return
		}
	}
	for i := e.first; i < e.first+e.facts; i++ {
		k := &g.facts[i]
		row := entity.Row(g.pages[k.page][k.from : k.from+k.n : k.from+k.n])
		if r.names[k.project] != project || row.Kind() != kind || alias(row.EntityID()) != id { // another one of the same key
			return
		}
		f(plainFact{seq: k.seq, at: k.at, hash: k.hash, env: r.names[k.env], row: row})
	}
}

// put remembers the facts of an entity, in the place of what it knew.
func (r *recent) put(x *plain, s *plainEntity) {
	if r.young.weight > r.most || len(r.names) > recentNames {
		if r.young.weight <= r.most {
			r.forget()
		}
		r.old, r.young = r.young, newGeneration()
	}
	g := &r.young
	e := keptEntity{first: uint32(len(g.facts))}
	for i := s.first; i >= 0; i = x.facts[i].next {
		f := &x.facts[i]
		page := g.room(len(f.row))
		from := len(*page)
		*page = append(*page, f.row...)
		g.facts = append(g.facts, keptFact{f.seq, f.at, f.hash, uint32(len(g.pages) - 1), uint32(from), uint32(len(f.row)), r.name(x.project), r.name(f.env)})
		g.weight += keptWeight + len(f.row)
		e.facts++
	}
	g.at[recentKey(x.project, s.kind, s.id)] = e
}

// room is the page with room for n bytes more.
func (g *generation) room(n int) *[]byte {
	if last := len(g.pages) - 1; last < 0 || cap(g.pages[last])-len(g.pages[last]) < n {
		g.pages = append(g.pages, make([]byte, 0, max(recentPage, n)))
	}
	return &g.pages[len(g.pages)-1]
}

// name is the place of a text in names.
func (r *recent) name(s string) uint32 {
	at, known := r.nameAt[s]
	if !known {
		at = uint32(len(r.names))
		s = string([]byte(s))
		r.names = append(r.names, s)
		r.nameAt[s] = at
	}
	return at
}
