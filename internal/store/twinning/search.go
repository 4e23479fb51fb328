// Package twinning finds which observations report one call of a provider (see entity.Twins) among those that a Warehouse folds anew and
// those that are in its tables already: whatever changes by that is to be folded anew too. It knows no engine.
package twinning

import (
	"cmp"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Source is the tables in which a Search looks.
type Source interface {
	// Folded says whether the observation is among those that are folded anew.
	Folded(project string, ref entity.Ref) bool
	// Enter notes that what is folded anew has the key, so that those that come later find it.
	Enter(project string, key entity.Key)
	// MayHave is false when no row has the key, so that a look at the table is spared.
	MayHave(project string, key entity.Key) bool
	// Read calls found for the rows that have one of the keys of a kind, each within its time.
	Read(project string, kind entity.KeyKind, keys []Wanted, found func(Placed)) error
}

// Placed is a call as a row has it, and which observation is kept in its place; itself when it is kept.
type Placed struct {
	Call *entity.Call
	Kept entity.Ref
}

// Wanted is a key that rows are looked for by: they begin not after Last and end not before First, in Unix µs.
type Wanted struct {
	Value       string
	First, Last int64
}

// Search is at work while observations are folded anew. A look into the table is made only for keys that some row may have, and then
// only at rows of about the same time.
type Search struct {
	source   Source
	projects map[string]*calls
	looked   map[lookup]Wanted
}

// calls is what is known of the calls of a project.
type calls struct {
	*entity.Calls
	seeds []*entity.Call // those that were folded, and what they were before
	// stored is which observation the table has in the place of those in it; itself of one that is kept.
	stored map[entity.Ref]entity.Ref
}

// lookup is what rows are looked for by.
type lookup struct {
	project string
	kind    entity.KeyKind
	value   string
}

// Ref names an observation of a project.
type Ref struct {
	Project string
	entity.Ref
}

// aroundUS is how far around a call rows are looked for, so that those that its twins want are found with them.
const aroundUS = 60_000_000

// New begins a search.
func New(source Source) *Search {
	return &Search{source: source, projects: map[string]*calls{}, looked: map[lookup]Wanted{}}
}

func (s *Search) of(project string) *calls {
	p := s.projects[project]
	if p == nil {
		p = &calls{entity.NewCalls(), nil, map[entity.Ref]entity.Ref{}}
		s.projects[project] = p
	}
	return p
}

// Was takes in a call as a row had it whose place is taken, or that goes.
func (s *Search) Was(project string, c Placed) {
	p := s.of(project)
	p.seeds, p.stored[c.Call.Ref] = append(p.seeds, c.Call), c.Kept
}

// Is takes in a call that was folded.
func (s *Search) Is(project string, c *entity.Call) {
	p := s.of(project)
	p.seeds = append(p.seeds, p.Add(c))
}

// Kept is which observation is kept in the place of a call that Is took in; its own when it is kept.
func (s *Search) Kept(project string, c *entity.Call) entity.Ref {
	p := s.of(project)
	return p.Calls.Kept(p.Get(c.Ref)).Ref
}

// Find returns the observations in the table that must be folded anew because of what was taken in, in order; with all,
// also those for which nothing seems to have changed.
func (s *Search) Find(all bool) (refs []Ref, err error) {
	for project, p := range s.projects {
		near, err := s.around(project, p)
		if err != nil {
			return nil, err
		}
		for ref := range s.wanted(project, p, near, all) {
			if !s.source.Folded(project, ref) {
				refs = append(refs, Ref{project, ref})
			}
		}
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.ID, b.ID), strings.Compare(a.TraceID, b.TraceID))
	})
	return refs, nil
}

// wanted are the observations of which what is kept for them may have changed, those in whose place they stand, and all that these have from.
func (s *Search) wanted(project string, p *calls, near []*entity.Call, all bool) map[entity.Ref]bool {
	wanted := map[entity.Ref]bool{}
	members := map[entity.Ref][]entity.Ref{}
	for _, c := range near {
		kept := p.Calls.Kept(c).Ref
		was, isStored := p.stored[c.Ref]
		if kept != c.Ref {
			members[kept] = append(members[kept], c.Ref)
		}
		switch {
		case s.source.Folded(project, c.Ref):
			wanted[kept] = true
		case isStored && (all || was != kept):
			wanted[c.Ref], wanted[was], wanted[kept] = true, true, true
		}
	}
	for _, c := range p.seeds { // what it stood for, or what stood for it
		if was, isStored := p.stored[c.Ref]; isStored {
			wanted[was] = true
		}
	}
	for kept, of := range members {
		if wanted[kept] || s.source.Folded(project, kept) { // it has from all of them
			for _, ref := range of {
				wanted[ref] = true
			}
		}
	}
	return wanted
}

// around returns the calls for which something may have changed by the seeds, and knows all on which that depends.
func (s *Search) around(project string, p *calls) ([]*entity.Call, error) {
	met := make(map[*entity.Call]bool, len(p.seeds))
	near := make([]*entity.Call, 0, len(p.seeds))
	for _, c := range p.seeds {
		if !met[c] && p.Get(c.Ref) == c {
			near = append(near, c)
		}
		met[c] = true
	}
	outermost := p.seeds
	for step := 0; step < 2*entity.Depth && len(outermost) > 0; step++ {
		if err := s.look(project, p, outermost); err != nil {
			return nil, err
		}
		if step == 0 {
			s.enter(project, p)
		}
		var next []*entity.Call
		for _, c := range outermost {
			for _, o := range p.Near(c) {
				if !met[o] {
					met[o] = true
					next = append(next, o)
				}
			}
		}
		if step < entity.Depth {
			near = append(near, next...)
		}
		outermost = next
	}
	return near, nil
}

// enter makes what was folded findable for those that come later.
func (s *Search) enter(project string, p *calls) {
	for _, c := range p.seeds {
		for _, key := range c.Has() {
			s.source.Enter(project, key)
		}
	}
}

// look reads the rows that calls may be twins of, unless it did.
func (s *Search) look(project string, p *calls, of []*entity.Call) error {
	wanted := map[lookup]Wanted{}
	for _, c := range of {
		first, last := c.Reach()
		for _, key := range c.Wants() {
			at := lookup{project, key.Kind, key.Value}
			before, looked := s.looked[at]
			if looked && before.First <= first && before.Last >= last || !s.source.MayHave(project, key) {
				continue
			}
			reach := Wanted{key.Value, first - aroundUS, last + aroundUS}
			if looked {
				reach.add(before)
			}
			if other, again := wanted[at]; again {
				reach.add(other)
			}
			wanted[at] = reach
		}
	}
	byKind := map[entity.KeyKind][]Wanted{}
	for at, reach := range wanted {
		byKind[at.kind] = append(byKind[at.kind], reach)
	}
	for kind, keys := range byKind {
		err := s.source.Read(project, kind, keys, func(c Placed) {
			if !s.source.Folded(project, c.Call.Ref) {
				p.Add(c.Call)
				p.stored[c.Call.Ref] = c.Kept
			}
		})
		if err != nil {
			return err
		}
	}
	for at, reach := range wanted {
		s.looked[at] = reach
	}
	return nil
}

// add makes w reach as far as o too.
func (w *Wanted) add(o Wanted) { w.First, w.Last = min(w.First, o.First), max(w.Last, o.Last) }
