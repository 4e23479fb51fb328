package duckstore

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// WrongFold is an entity whose row is not the fold of its events.
type WrongFold struct {
	Project string
	Kind    entity.Kind
	ID      string
	What    string
}

// Leeway is in what rows and Log may differ, because something that changes both was under way. A nil
// func allows nothing.
type Leeway struct {
	// Passed says of an event that it need not be in any row.
	Passed func(Event) bool
	// Gone says of an event that a row was folded from that the Log need not have it. Of what has no row among the
	// events any more, At is math.MaxInt64.
	Gone func(Row) bool
}

// Folds folds every entity of every project anew, from the events that were added, and compares it with its
// row. It returns how many it compared, and the wrong ones, at most limit.
func (k *Checker) Folds(ctx context.Context, l Leeway, limit int) (compared int64, wrong []WrongFold, err error) {
	if err := k.flush(); err != nil {
		return 0, nil, fmt.Errorf("read warehouse: %w", err)
	}
	projects, err := k.column(ctx, "SELECT project FROM log.heard UNION SELECT project FROM traces UNION SELECT project FROM observations UNION SELECT project FROM scores ORDER BY 1")
	if err != nil {
		return 0, nil, fmt.Errorf("read warehouse: %w", err)
	}
	for _, p := range projects {
		f := &folder{Checker: k, Leeway: l, project: p, limit: limit}
		if err := f.run(ctx); err != nil {
			return compared, wrong, fmt.Errorf("fold events of project %q anew: %w", p, err)
		}
		compared += f.compared
		if wrong = append(wrong, f.wrong...); len(wrong) >= limit {
			return compared, wrong[:limit], nil
		}
	}
	return compared, wrong, nil
}

// column is the texts that a statement finds.
func (k *Checker) column(ctx context.Context, statement string, args ...any) ([]string, error) {
	rows, err := k.conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // only read
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// folder is Folds for one project.
type folder struct {
	*Checker
	Leeway
	project  string
	limit    int
	compared int64
	wrong    []WrongFold
	twins    entity.Twins
	dupes    map[entity.Ref][]entity.Ref // by which is kept in their place
}

// windowRows is about how many rows are compared at a time: they are in memory.
const windowRows = 25_000

func (f *folder) run(ctx context.Context) error {
	if err := f.findTwins(); err != nil {
		return err
	}
	for _, kind := range [...]entity.Kind{entity.ObservationKind, entity.ScoreKind, entity.TraceKind} {
		ids := fmt.Sprintf("SELECT entity_id AS id FROM log.heard WHERE project = $1 AND kind = %d UNION ALL SELECT id FROM %s WHERE project = $1", kind, tableOf(kind))
		each := f.observations
		switch kind {
		case entity.ScoreKind:
			each = f.scores
		case entity.TraceKind:
			each = f.traces
			ids += " UNION ALL SELECT trace_id FROM observations WHERE project = $1 AND trace_id IS NOT NULL"
		}
		if err := f.windows(ctx, ids, each); err != nil {
			return err
		}
	}
	return nil
}

// window is a range of ids: those from first and before end; without an end "" of all.
type window struct{ first, end string }

// of is the condition, whose parameters are $2 and $3.
func (in window) of(column string) string {
	if in.end == "" {
		return column + " >= $2 AND $3 = ''"
	}
	return column + " >= $2 AND " + column + " < $3"
}

// windows divides the ids that a statement finds into windows.
func (f *folder) windows(ctx context.Context, ids string, each func(context.Context, window) error) error {
	bounds, err := f.column(ctx, fmt.Sprintf("SELECT DISTINCT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM (%s)) WHERE n %% %d = 0 ORDER BY id", ids, windowRows), f.project)
	if err != nil {
		return err
	}
	first := ""
	for _, end := range append(bounds, "") {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(ctx, window{first, end}); err != nil || len(f.wrong) >= f.limit {
			return err
		}
		first = end
	}
	return nil
}

func (f *folder) observations(ctx context.Context, in window) error {
	folds, err := f.folds(entity.ObservationKind, in.of, in.first, in.end)
	if err != nil {
		return err
	}
	want := map[[2]string]*stored[observationRow]{}
	var rows []*observationRow
	for id, fold := range folds.of {
		made := fold.Observations(id)
		for i := range made {
			rows = append(rows, &made[i])
			want[[2]string{id, made[i].TraceID}] = storedOf(made[i].Seqs, &made[i])
		}
	}
	others, err := f.duplicatesOf(rows, folds)
	if err != nil {
		return err
	}
	f.twins.Mark(append(rows, others...))
	tariff := entity.Tariff{Prices: f.prices, Project: f.project}
	for _, row := range rows {
		if s := want[[2]string{row.ID, row.TraceID}]; f.ahead != nil {
			ahead := *row
			entity.Tariff{Prices: f.ahead, Project: f.project}.Price(&ahead)
			s.ahead = &ahead
		}
		tariff.Price(row)
	}
	return compare(ctx, f, entity.ObservationKind, observationTable, in, folds, want, func(o *observationRow) [2]string { return [2]string{o.ID, o.TraceID} },
		"counts_tokens", "counts_cost", "counted") // these are compared with the trace
}

func (f *folder) scores(ctx context.Context, in window) error {
	folds, err := f.folds(entity.ScoreKind, in.of, in.first, in.end)
	if err != nil {
		return err
	}
	want := map[[2]string]*stored[wire.Score]{}
	for id, fold := range folds.of {
		want[[2]string{id}] = storedOf(seqsOf(fold), fold.Score(id))
	}
	return compare(ctx, f, entity.ScoreKind, scoreTable, in, folds, want, func(s *wire.Score) [2]string { return [2]string{s.ID} })
}

func (f *folder) traces(ctx context.Context, in window) error {
	folds, err := f.folds(entity.TraceKind, in.of, in.first, in.end)
	if err != nil {
		return err
	}
	families, err := f.families(ctx, in)
	if err != nil {
		return err
	}
	want := map[[2]string]*stored[wire.Trace]{}
	for id, own := range folds.of {
		want[[2]string{id}] = f.rollUp(id, own, families[id])
		delete(families, id)
	}
	for id, rows := range families {
		want[[2]string{id}] = f.rollUp(id, nil, rows)
	}
	return compare(ctx, f, entity.TraceKind, traceTable, in, folds, want, func(t *wire.Trace) [2]string { return [2]string{t.ID} })
}

// families reads the observations of the traces in a window.
func (f *folder) families(ctx context.Context, in window) (map[string][]*stored[observationRow], error) {
	families := map[string][]*stored[observationRow]{}
	err := eachStored(ctx, f, observationTable, "trace_id IS NOT NULL AND "+in.of("trace_id"), []any{in.first, in.end}, func(row *stored[observationRow]) {
		families[row.row.TraceID] = append(families[row.row.TraceID], row)
	})
	return families, err
}

// rollUp makes the row of a trace of its own events, nil for none, and its observations, of which it
// says where they do not know whether they count.
func (f *folder) rollUp(id string, own *entity.Fold, family []*stored[observationRow]) *stored[wire.Trace] {
	type counts struct{ tokens, cost, any bool }
	countsOf := func(o *observationRow) counts { return counts{o.CountsTokens, o.CountsCost, o.Counted} }
	rows, before := make([]*observationRow, len(family)), make([]counts, len(family))
	made := storedOf(seqsOf(own), (*wire.Trace)(nil))
	if own != nil && made.seqs == nil { // a trace names all of its own
		made.seqs = slices.Compact([]int64{made.at.first, made.at.last})
	}
	for i, o := range family {
		rows[i], before[i] = o.row, countsOf(o.row)
		if i == 0 && own == nil {
			made.at = o.at
		}
		made.at.add(o.at)
	}
	made.row = entity.RollUp(own, rows, id)
	for i, o := range rows {
		if countsOf(o) != before[i] {
			f.say(entity.ObservationKind, o.ID, "counted is not what its trace says")
		}
	}
	return made
}

func (f *folder) say(kind entity.Kind, id, what string) {
	if len(f.wrong) < f.limit {
		f.wrong = append(f.wrong, WrongFold{f.project, kind, id, what})
	}
}

// differ is the first column in which two rows differ, or "".
func (t *entityTable[R]) differ(a, b *R, but []string) string {
	for i, m := range t.members {
		if name := t.columns[i].name; !slices.Contains(but, name) && plain(m.In(a)) != plain(m.In(b)) {
			return name
		}
	}
	return ""
}

// plain is what a field holds, as a table would.
func plain(field any) any {
	v := reflect.Indirect(reflect.ValueOf(field).Elem())
	if !v.IsValid() {
		return nil
	}
	switch held := v.Interface().(type) {
	case time.Time:
		return held.UnixMicro()
	case []string:
		return strings.Join(held, "\x00")
	case float64:
		if math.IsInf(held, 0) || math.IsNaN(held) {
			return nil
		}
	}
	return v.Interface()
}
