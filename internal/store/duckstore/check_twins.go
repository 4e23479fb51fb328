package duckstore

import (
	"fmt"
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// findTwins finds all twins of the project. It reads no more calls than those that another scope may
// report too.
func (f *folder) findTwins() error {
	calls := entity.NewCalls()
	const several = "SELECT %[1]s FROM observations WHERE project = $1 AND twin IS NOT NULL AND %[1]s IS NOT NULL GROUP BY ALL HAVING %[2]s"
	having := map[entity.KeyKind]string{
		entity.ByResponseID: "count(DISTINCT coalesce(scope, '')) > 1",
		entity.ByPromptKey:  "count(DISTINCT scope) > 1 OR count(DISTINCT split_part(twin, ' ', 3)) > 1", // halves of a stream
		entity.ByCounts:     "count(DISTINCT scope) > 1 AND bool_or(prompt_key IS NULL)",
	}
	statement := fmt.Sprintf("SELECT id, %s FROM observations WHERE project = $1 AND twin IS NOT NULL AND (", callColumns)
	or := ""
	for kind, column := range callKeyColumns {
		statement += or + fmt.Sprintf("%[1]s IN ("+several+")", column, having[kind])
		or = " OR "
	}
	var all []*entity.Call
	err := f.native.scan(statement+")", []any{f.project}, func(b block) {
		for i := range b.rows {
			if c := callAt(b, i, b.text(0, i), 1); c.call != nil {
				all = append(all, calls.Add(c.call))
			}
		}
	})
	if err != nil {
		return err
	}
	f.twins, f.dupes = entity.Twins{}, map[entity.Ref][]entity.Ref{}
	for _, c := range all {
		if kept := calls.Kept(c); kept != c {
			f.twins[c.Ref] = kept.Ref
			f.dupes[kept.Ref] = append(f.dupes[kept.Ref], c.Ref)
		}
	}
	return nil
}

// duplicatesOf folds the duplicates of the rows, which are those of folds, as far as they are not among them.
func (f *folder) duplicatesOf(rows []*observationRow, folds *folds) ([]*observationRow, error) {
	wanted := map[string]bool{}
	for _, row := range rows {
		for _, twin := range f.dupes[entity.Ref{TraceID: row.TraceID, ID: row.ID}] {
			if folds.of[twin.ID] == nil {
				wanted[twin.ID] = true
			}
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	others, err := f.folds(entity.ObservationKind, func(column string) string { return column + " IN (SELECT unnest($2::VARCHAR[]))" }, slices.Collect(maps.Keys(wanted)))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		for _, twin := range f.dupes[entity.Ref{TraceID: row.TraceID, ID: row.ID}] {
			if others.skip[twin.ID] {
				folds.skip[row.ID] = true
			}
		}
	}
	var made []*observationRow
	for id, fold := range others.of {
		parts := fold.Observations(id)
		for i := range parts {
			made = append(made, &parts[i])
		}
	}
	return made, nil
}
