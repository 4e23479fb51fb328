package duckstore

import (
	"fmt"
	"math"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/twinning"
)

// twins are the part of a refold that finds which observations report one call of a
// provider: among those that it folds, and those that are in the table already.
type twins struct {
	*twinning.Search
	r     *refold
	taken int // of r.observations
	left  int // of r.gone
}

// placedCall is a call as a row has it, and which observation is kept in its place.
type placedCall struct {
	call *entity.Call
	kept entity.Ref
}

// resolveTwins marks the duplicates among the rows of the refold, of which it may make more.
func (r *refold) resolveTwins(traces map[entityKey]bool) error {
	t := &twins{r: r}
	t.Search = twinning.New(t)
	for {
		t.take()
		refs, err := t.Find(false)
		if err != nil {
			return err
		}
		if len(refs) == 0 {
			t.mark()
			return nil
		}
		keys := make([]entityKey, len(refs))
		for i, ref := range refs {
			keys[i] = entityKey{ref.Project, entity.ObservationKind, ref.TraceID, ref.ID}
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

// take takes in the rows that were folded since, and those whose place they take.
func (t *twins) take() {
	for ; t.left < len(t.r.gone); t.left++ {
		g := &t.r.gone[t.left]
		t.Was(g.project, twinning.Placed{Call: g.call, Kept: g.kept})
	}
	for ; t.taken < len(t.r.observations); t.taken++ {
		row := &t.r.observations[t.taken]
		if c := row.row.Call(); c != nil {
			t.Is(row.key.project, c)
		}
	}
}

// Folded implements twinning.Source.
func (t *twins) Folded(project string, ref entity.Ref) bool {
	return t.r.bundles[t.r.place(entityKey{project, entity.ObservationKind, ref.TraceID, ref.ID})] != nil
}

// Enter implements twinning.Source.
func (t *twins) Enter(project string, key entity.Key) {
	seen := t.r.w.seen
	seen.add(seen.callKey(project, key))
}

// MayHave implements twinning.Source.
func (t *twins) MayHave(project string, key entity.Key) bool {
	seen := t.r.w.seen
	return seen.has(seen.callKey(project, key))
}

// callKeyColumns are the columns in which keys of calls stand.
var callKeyColumns = map[entity.KeyKind]string{
	entity.ByResponseID: "response_id", entity.ByPromptKey: "prompt_key", entity.ByCounts: "split_part(twin, ' ', 1)",
}

// Read implements twinning.Source.
func (t *twins) Read(project string, kind entity.KeyKind, keys []twinning.Wanted, found func(twinning.Placed)) error {
	projects, values := make([]string, len(keys)), make([]string, len(keys))
	firsts, lasts := make([]int64, len(keys)), make([]int64, len(keys))
	all := span{math.MaxInt64, math.MinInt64}
	for i, at := range keys {
		projects[i], values[i], firsts[i], lasts[i] = project, at.Value, at.First, at.Last
		all.add(span{at.First, at.Last})
	}
	// The numbers stand in the text, so that DuckDB passes over row groups of other times.
	statement := fmt.Sprintf(`SELECT id, %s FROM observations JOIN
		(SELECT unnest($1::VARCHAR[]) AS of, unnest($2::VARCHAR[]) AS value, unnest($3::BIGINT[]) AS first, unnest($4::BIGINT[]) AS last) AS wanted
		ON project = of AND %s = value AND start_time <= last AND end_time >= first
		WHERE twin IS NOT NULL AND start_time <= %d AND end_time >= %d`, callColumns, callKeyColumns[kind], all.last, all.first)
	return t.r.w.write.scan(statement, []any{projects, values, firsts, lasts}, func(b block) {
		for i := range b.rows {
			if c := callAt(b, i, b.text(0, i), 1); c.call != nil {
				found(twinning.Placed{Call: c.call, Kept: c.kept})
			}
		}
	})
}

// mark tells the rows what was found, and then what they cost.
func (t *twins) mark() {
	rows := map[string][]*observationRow{}
	found := map[string]entity.Twins{}
	for i := range t.r.observations {
		o := &t.r.observations[i]
		c := o.row.Call()
		if c == nil {
			continue
		}
		project := o.key.project
		rows[project] = append(rows[project], &o.row)
		kept := t.Kept(project, c)
		if kept != c.Ref {
			if found[project] == nil {
				found[project] = entity.Twins{}
			}
			found[project][c.Ref] = kept
		}
		b := t.r.bundles[o.key]
		b.call = &placedCall{c, kept}
	}
	for project, of := range found {
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
