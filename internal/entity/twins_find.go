package entity

import (
	"cmp"
	"slices"
	"strings"
)

// Calls are calls of one project among which twins are found. It is not safe for concurrent use.
type Calls struct {
	all   map[Ref]*Call
	lanes map[Key]*lanes
	found map[*Call]*findings // since the last Add; nil of a call that has nobody near
}

// findings are what was found of a call.
type findings struct {
	near []*Call
	// picks are the twins that it chose; nil: none of several. They are not known before picked.
	picks  map[slot]*Call
	picked bool
}

// slot is what reports a call at most once.
type slot struct {
	scope string
	role  StreamRole
}

func (c *Call) slot() slot { return slot{c.scope, c.role} }

// NewCalls has none.
func NewCalls() *Calls { return &Calls{all: map[Ref]*Call{}, lanes: map[Key]*lanes{}} }

// Add takes a call in, unless it is there. It returns the one that is there.
func (g *Calls) Add(c *Call) *Call {
	if known := g.all[c.Ref]; known != nil {
		return known
	}
	g.all[c.Ref] = c
	g.found = nil
	var keys [MostKeys]Key
	for _, key := range c.AppendHas(keys[:0]) {
		l := g.lanes[key]
		if l == nil {
			g.lanes[key] = &lanes{first: lane{scope: c.scope, calls: []*Call{c}}}
			continue
		}
		l.of(c.scope).add(c)
	}
	return c
}

// Get is the call of that name, or nil.
func (g *Calls) Get(r Ref) *Call { return g.all[r] }

// crowd is how many reports may be near one before they say nothing.
const crowd = 256

// Near are the calls that may be the same as c, which need not be among g; none when there is a crowd of them.
func (g *Calls) Near(c *Call) []*Call {
	if f := g.of(c); f != nil {
		return f.near
	}
	return nil
}

// of is what was found of c; nil when nobody is near.
func (g *Calls) of(c *Call) *findings {
	if f, known := g.found[c]; known {
		return f
	}
	var f *findings
	if near := g.look(c); len(near) > 0 {
		f = &findings{near: near}
	}
	if g.found == nil {
		g.found = make(map[*Call]*findings, len(g.all))
	}
	g.found[c] = f
	return f
}

func (g *Calls) look(c *Call) []*Call {
	var found []*Call
	first, last := c.Reach()
	take := func(o *Call) bool {
		if c.like(o) != unlike && !slices.Contains(found, o) {
			found = append(found, o)
		}
		return len(found) <= crowd
	}
	var keys [MostKeys]Key
	for _, key := range c.AppendWants(keys[:0]) {
		l := g.lanes[key]
		if l == nil {
			continue
		}
		own := key.rank.role != 0 // the halves of a stream are of one scope
		if own || l.first.scope != c.scope {
			l.first.within(first, last, take)
		}
		for scope, lane := range l.more {
			if own || scope != c.scope {
				lane.within(first, last, take)
			}
		}
		if len(found) > crowd {
			return nil
		}
	}
	slices.SortFunc(found, func(a, b *Call) int { return a.Ref.compare(b.Ref) })
	return found
}

// pick chooses, of the calls near c, its twin in each slot; nil where several may be it.
func (g *Calls) pick(c *Call) map[slot]*Call {
	f := g.of(c)
	switch {
	case f == nil:
		return nil
	case f.picked:
		return f.picks
	}
	chosen := map[slot]*Call{}
	for _, o := range f.near {
		s := o.slot()
		if best := chosen[s]; best == nil || c.nearer(o, best) {
			chosen[s] = o
		}
	}
	for _, o := range f.near { // by content it must be the only one
		if best := chosen[o.slot()]; best != nil && best != o && c.like(best) == byContent && c.family(best) == c.family(o) && c.like(o) == byContent {
			chosen[o.slot()] = nil
		}
	}
	f.picks, f.picked = chosen, true
	return chosen
}

// nearer says whether c has more to do with a than with b.
func (c *Call) nearer(a, b *Call) bool {
	if x, y := c.like(a), c.like(b); x != y {
		return x > y
	}
	if x, y := c.family(a), c.family(b); x != y {
		return x
	}
	return cmp.Or(cmp.Compare(c.apart(a), c.apart(b)), a.Ref.compare(b.Ref)) < 0
}

// twins are the calls that chose c and that c chose.
func (g *Calls) twins(c *Call) []*Call {
	var twins []*Call
	for _, o := range g.pick(c) {
		if o != nil && g.pick(o)[c.slot()] == c {
			twins = append(twins, o)
		}
	}
	return twins
}

// above is the best twin of c that is better than c; nil: c is the best.
func (g *Calls) above(c *Call) *Call {
	best := c
	for _, o := range g.twins(c) {
		if o.better(best) < 0 {
			best = o
		}
	}
	if best == c {
		return nil
	}
	return best
}

// steps is how many twins of twins are followed.
const steps = 3

// Depth is how many steps of Near there are at most from a call to those that Kept depends on.
const Depth = steps + 2

// Kept is the call that stands for c: a twin, or a twin's twin, or c itself.
func (g *Calls) Kept(c *Call) *Call {
	at := c
	for range steps {
		up := g.above(at)
		switch {
		case up == nil && (at == c || g.takes(at, c)):
			return at
		case up == nil:
			return c
		}
		at = up
	}
	return c
}

// takes says whether kept can stand for c, which need not be its own choice: a scope reports a
// call once.
func (g *Calls) takes(kept, c *Call) bool {
	if kept.slot() == c.slot() {
		return false
	}
	chosen, any := g.pick(kept)[c.slot()]
	return !any || chosen == c
}

// Twins is which observation is kept in the place of another, by that other.
type Twins map[Ref]Ref

// FindTwins finds all twins among the observations of a project.
func FindTwins(rows []*ObservationRow) Twins {
	twins := Twins{}
	if alone(rows) {
		return twins
	}
	g := NewCalls()
	for _, row := range rows {
		if c := row.Call(); c != nil {
			g.Add(c)
		}
	}
	for ref, c := range g.all {
		if kept := g.Kept(c); kept != c {
			twins[ref] = kept.Ref
		}
	}
	return twins
}

// alone says that rows have no twins for sure: their calls are whole and of one scope, which reports each once.
func alone(rows []*ObservationRow) bool {
	var one *ObservationRow
	for _, row := range rows {
		if row.Twin == "" {
			continue
		}
		if one == nil {
			one = row
		}
		_, rest, _ := strings.Cut(row.Twin, " ")
		if _, role, _ := strings.Cut(rest, " "); row.Scope != one.Scope || role == "" || StreamRole(role[0]) != WholeCall {
			return false
		}
	}
	return true
}
