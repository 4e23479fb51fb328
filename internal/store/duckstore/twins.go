package duckstore

import (
	"fmt"
	"math"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// twinning is the part of a refold that finds which observations report one call of a
// provider: among those that it folds, and those that are in the table already. Whatever changes by that is
// folded anew too. A look into the table is made only for keys that some row is known to have, and then
// only at rows of about the same time.
type twinning struct {
	r        *refold
	projects map[string]*callsOf
	taken    int // of r.observations
	left     int // of r.gone
	looked   map[lookup]span
}

// callsOf is what is known of the calls of a project.
type callsOf struct {
	*entity.Calls
	seeds []*entity.Call // those that were folded, and what they were before
	// stored is which observation the table has in the place of those in it; itself of one that is kept.
	stored map[entity.Ref]entity.Ref
}

// placedCall is a call as a row has it, and which observation is kept in its place.
type placedCall struct {
	call *entity.Call
	kept entity.Ref
}

// lookup is what rows are looked for by.
type lookup struct {
	project string
	kind    entity.KeyKind
	value   string
}

// aroundUS is how far around a call rows are looked for, so that those that its twins want are found with them.
const aroundUS = 60_000_000

// resolveTwins marks the duplicates among the rows of the refold, of which it may make more.
func (r *refold) resolveTwins(traces map[entityKey]bool) error {
	t := &twinning{r: r, projects: map[string]*callsOf{}, looked: map[lookup]span{}}
	for {
		t.take()
		keys, err := t.find()
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			t.mark()
			return nil
		}
		made, err := r.touch(keys)
		if err != nil {
			return err
		}
		for _, k := range made {
			if err := r.foldBundle(k, r.bundles[k], traces); err != nil {
				return err
			}
		}
	}
}

func (t *twinning) of(project string) *callsOf {
	p := t.projects[project]
	if p == nil {
		p = &callsOf{entity.NewCalls(), nil, map[entity.Ref]entity.Ref{}}
		t.projects[project] = p
	}
	return p
}

// take takes in the rows that were folded since, and those whose place they take.
func (t *twinning) take() {
	for ; t.left < len(t.r.gone); t.left++ {
		g := &t.r.gone[t.left]
		p := t.of(g.project)
		p.seeds, p.stored[g.call.Ref] = append(p.seeds, g.call), g.kept
	}
	for ; t.taken < len(t.r.observations); t.taken++ {
		row := &t.r.observations[t.taken]
		if c := row.row.Call(); c != nil {
			p := t.of(row.key.project)
			p.seeds = append(p.seeds, p.Add(c))
		}
	}
}

// find returns the observations in the table that must be folded anew because of what was taken.
func (t *twinning) find() (keys []entityKey, err error) {
	for name, p := range t.projects {
		near, err := t.around(name, p)
		if err != nil {
			return nil, err
		}
		wanted := map[entity.Ref]bool{}
		members := map[entity.Ref][]entity.Ref{}
		for _, c := range near {
			kept := p.Kept(c).Ref
			was, isStored := p.stored[c.Ref]
			if kept != c.Ref {
				members[kept] = append(members[kept], c.Ref)
			}
			switch {
			case t.folded(name, c.Ref):
				wanted[kept] = true
			case isStored && was != kept:
				wanted[c.Ref], wanted[was], wanted[kept] = true, true, true
			}
		}
		for _, c := range p.seeds { // what it stood for, or what stood for it
			if was, isStored := p.stored[c.Ref]; isStored {
				wanted[was] = true
			}
		}
		for kept, of := range members {
			if wanted[kept] || t.folded(name, kept) { // it has from all of them
				for _, ref := range of {
					wanted[ref] = true
				}
			}
		}
		for ref := range wanted {
			if !t.folded(name, ref) {
				keys = append(keys, entityKey{name, entity.ObservationKind, ref.TraceID, ref.ID})
			}
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys, nil
}

func (t *twinning) folded(project string, ref entity.Ref) bool {
	return t.r.bundles[t.r.place(entityKey{project, entity.ObservationKind, ref.TraceID, ref.ID})] != nil
}

// around returns the calls for which something may have changed by the seeds, and knows all on which that depends.
func (t *twinning) around(project string, p *callsOf) ([]*entity.Call, error) {
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
		if err := t.look(project, p, outermost); err != nil {
			return nil, err
		}
		if step == 0 {
			t.enter(project, p)
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
func (t *twinning) enter(project string, p *callsOf) {
	seen := t.r.w.seen
	for _, c := range p.seeds {
		for _, key := range c.Has() {
			seen.add(seen.callKey(project, key))
		}
	}
}

// look reads the rows that calls may be twins of, unless it did.
func (t *twinning) look(project string, p *callsOf, calls []*entity.Call) error {
	wanted := map[lookup]span{}
	seen := t.r.w.seen
	for _, c := range calls {
		first, last := c.Reach()
		for _, key := range c.Wants() {
			at := lookup{project, key.Kind, key.Value}
			before, looked := t.looked[at]
			if looked && before.first <= first && before.last >= last || !seen.has(seen.callKey(project, key)) {
				continue
			}
			reach := span{first - aroundUS, last + aroundUS}
			if looked {
				reach.add(before)
			}
			if other, again := wanted[at]; again {
				reach.add(other)
			}
			wanted[at] = reach
		}
	}
	byKind := map[entity.KeyKind][]lookup{}
	for at := range wanted {
		byKind[at.kind] = append(byKind[at.kind], at)
	}
	for kind, list := range byKind {
		if err := t.read(p, kind, list, wanted); err != nil {
			return err
		}
	}
	for at, reach := range wanted {
		t.looked[at] = reach
	}
	return nil
}

// callKeyColumns are the columns in which keys of calls stand.
var callKeyColumns = map[entity.KeyKind]string{
	entity.ByResponseID: "response_id", entity.ByPromptKey: "prompt_key", entity.ByCounts: "split_part(twin, ' ', 1)",
}

// read reads the rows that have one of the keys, each within its time.
func (t *twinning) read(p *callsOf, kind entity.KeyKind, list []lookup, within map[lookup]span) error {
	projects, values := make([]string, len(list)), make([]string, len(list))
	firsts, lasts := make([]int64, len(list)), make([]int64, len(list))
	all := span{math.MaxInt64, math.MinInt64}
	for i, at := range list {
		projects[i], values[i], firsts[i], lasts[i] = at.project, at.value, within[at].first, within[at].last
		all.add(within[at])
	}
	// The numbers stand in the text, so that DuckDB passes over row groups of other times.
	statement := fmt.Sprintf(`SELECT id, %s FROM observations JOIN
		(SELECT unnest($1::VARCHAR[]) AS of, unnest($2::VARCHAR[]) AS value, unnest($3::BIGINT[]) AS first, unnest($4::BIGINT[]) AS last) AS wanted
		ON project = of AND %s = value AND start_time <= last AND end_time >= first
		WHERE twin IS NOT NULL AND start_time <= %d AND end_time >= %d`, callColumns, callKeyColumns[kind], all.last, all.first)
	project := list[0].project
	return t.r.w.write.scan(statement, []any{projects, values, firsts, lasts}, func(b block) {
		for i := range b.rows {
			if c := callAt(b, i, b.text(0, i), 1); c.call != nil && !t.folded(project, c.call.Ref) {
				p.Add(c.call)
				p.stored[c.call.Ref] = c.kept
			}
		}
	})
}

// mark tells the rows what was found, and then what they cost.
func (t *twinning) mark() {
	rows := map[string][]*observationRow{}
	twins := map[string]entity.Twins{}
	for i := range t.r.observations {
		o := &t.r.observations[i]
		c := o.row.Call()
		if c == nil {
			continue
		}
		project := o.key.project
		rows[project] = append(rows[project], &o.row)
		p := t.of(project)
		kept := p.Kept(p.Get(c.Ref)).Ref
		if kept != c.Ref {
			if twins[project] == nil {
				twins[project] = entity.Twins{}
			}
			twins[project][c.Ref] = kept
		}
		b := t.r.bundles[o.key]
		b.call = &placedCall{c, kept}
	}
	for project, of := range twins {
		of.Mark(rows[project])
	}
	for i := range t.r.observations {
		o := &t.r.observations[i]
		entity.Tariff{Prices: t.r.prices, Project: o.key.project}.Price(&o.row)
	}
}

// callColumns are what a call is made of, and which observation is kept in its place.
const callColumns = "trace_id, parent_observation_id, scope, type, start_time, end_time, prompt_key, twin, duplicate_of, duplicate_of_trace"

// callAt is the call of a row of a block, in which callColumns begin at the column from; none where it is nil.
func callAt(b block, row int, id string, from int) placedCall {
	text := func(column int) string {
		if !b.valid(from + column).has(row) {
			return ""
		}
		return b.text(from+column, row)
	}
	var o observationRow
	if o.Twin = text(7); o.Twin == "" {
		return placedCall{}
	}
	o.ID, o.TraceID, o.ParentObservationID, o.Scope, o.Type, o.PromptKey = id, text(0), text(1), text(2), text(3), text(6)
	o.StartTime = microTime(b.number(from+4, row))
	if b.valid(from + 5).has(row) {
		end := microTime(b.number(from+5, row))
		o.EndTime = &end
	}
	c := placedCall{call: o.Call(), kept: entity.Ref{TraceID: o.TraceID, ID: o.ID}}
	if of := text(8); of != "" {
		c.kept = entity.Ref{TraceID: text(9), ID: of}
	}
	return c
}
