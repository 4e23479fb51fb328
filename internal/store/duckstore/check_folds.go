package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
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

// Folds folds every entity of every project anew and compares it with its row. It
// returns how many it compared, and the wrong ones, at most limit.
func (k *Checker) Folds(ctx context.Context, limit int) (compared int64, wrong []WrongFold, err error) {
	native, err := connectWith(k.path, map[string]string{"access_mode": "READ_ONLY"})
	if err != nil {
		return 0, nil, fmt.Errorf("read warehouse: %w", err)
	}
	defer native.close()
	projects, err := k.column(ctx, "SELECT project FROM events UNION SELECT project FROM traces UNION SELECT project FROM observations UNION SELECT project FROM scores ORDER BY 1")
	if err != nil {
		return 0, nil, fmt.Errorf("read warehouse: %w", err)
	}
	for _, p := range projects {
		f := &folder{Checker: k, native: native, project: p, limit: limit}
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
	native   *conn
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
	for _, kind := range [...]entity.Kind{entity.ObservationKind, entity.ScoreKind} {
		ids := fmt.Sprintf("SELECT entity_id AS id FROM events WHERE project = $1 AND kind = %d UNION ALL SELECT id FROM %s WHERE project = $1", kind, tableOf(kind))
		err := f.windows(ctx, ids, func(in window) error {
			if kind == entity.ScoreKind {
				return f.scores(ctx, in)
			}
			return f.observations(ctx, in)
		})
		if err != nil {
			return err
		}
	}
	ids := fmt.Sprintf("SELECT entity_id AS id FROM events WHERE project = $1 AND kind = %d UNION ALL SELECT id FROM traces WHERE project = $1 UNION ALL SELECT trace_id FROM observations WHERE project = $1 AND trace_id IS NOT NULL", entity.TraceKind)
	return f.windows(ctx, ids, func(in window) error { return f.traces(ctx, in) })
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
func (f *folder) windows(ctx context.Context, ids string, each func(window) error) error {
	bounds, err := f.column(ctx, fmt.Sprintf("SELECT DISTINCT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM (%s)) WHERE n %% %d = 0 ORDER BY id", ids, windowRows), f.project)
	if err != nil {
		return err
	}
	first := ""
	for _, end := range append(bounds, "") {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(window{first, end}); err != nil || len(f.wrong) >= f.limit {
			return err
		}
		first = end
	}
	return nil
}

// folds collects the events of the entities of a kind in a window.
func (f *folder) folds(kind entity.Kind, in window) (map[string]*bundle, error) {
	all := map[string]*bundle{}
	statement := fmt.Sprintf("SELECT %s FROM events WHERE project = $1 AND kind = %d AND %s", f.layout.list(), kind, in.of("entity_id"))
	err := f.native.scan(statement, []any{f.project, in.first, in.end}, func(b block) {
		f.layout.records(b, func(rec *entity.Record) {
			id := rec.Fields.EntityID
			if all[id] == nil {
				all[id] = &bundle{}
			}
			all[id].add(rec)
		})
	})
	return all, err
}

func (f *folder) observations(ctx context.Context, in window) error {
	folds, err := f.folds(entity.ObservationKind, in)
	if err != nil {
		return err
	}
	want := map[[2]string]*stored[observationRow]{}
	var rows []*observationRow
	for id, b := range folds {
		made := b.fold.Observations(id)
		for i := range made {
			rows = append(rows, &made[i])
			want[[2]string{id, made[i].TraceID}] = &stored[observationRow]{b.at, &made[i]}
		}
	}
	others, err := f.duplicatesOf(rows, folds)
	if err != nil {
		return err
	}
	f.twins.Mark(append(rows, others...))
	return compare(ctx, f, entity.ObservationKind, observationTable, in, want, func(o *observationRow) [2]string { return [2]string{o.ID, o.TraceID} },
		"counts_tokens", "counts_cost", "counted") // these are compared with the trace
}

func (f *folder) scores(ctx context.Context, in window) error {
	folds, err := f.folds(entity.ScoreKind, in)
	if err != nil {
		return err
	}
	want := map[[2]string]*stored[wire.Score]{}
	for id, b := range folds {
		want[[2]string{id}] = &stored[wire.Score]{b.at, b.fold.Score(id)}
	}
	return compare(ctx, f, entity.ScoreKind, scoreTable, in, want, func(s *wire.Score) [2]string { return [2]string{s.ID} })
}

func (f *folder) traces(ctx context.Context, in window) error {
	own, err := f.folds(entity.TraceKind, in)
	if err != nil {
		return err
	}
	families := map[string]*family{}
	for id := range own {
		families[id] = &family{members: map[string]relative{}}
	}
	err = f.native.scan("SELECT trace_id, id, "+relativeColumns+" FROM observations WHERE project = $1 AND trace_id IS NOT NULL AND "+in.of("trace_id"),
		[]any{f.project, in.first, in.end}, func(b block) {
			relatives(b, 2, func(row int, m relative) {
				id := b.text(0, row)
				if families[id] == nil {
					families[id] = &family{members: map[string]relative{}}
				}
				families[id].members[b.text(1, row)] = m
			})
		})
	if err != nil {
		return err
	}
	want := map[[2]string]*stored[wire.Trace]{}
	for _, id := range slices.Sorted(maps.Keys(families)) {
		b := own[id]
		if b == nil {
			b = &bundle{}
		}
		t, at, changed := rollUp(b, families[id], id)
		want[[2]string{id}] = &stored[wire.Trace]{at, t}
		for _, row := range changed {
			f.say(entity.ObservationKind, row.ID, "counted is not what its trace says")
		}
	}
	return compare(ctx, f, entity.TraceKind, traceTable, in, want, func(t *wire.Trace) [2]string { return [2]string{t.ID} })
}

func (f *folder) say(kind entity.Kind, id, what string) {
	if len(f.wrong) < f.limit {
		f.wrong = append(f.wrong, WrongFold{f.project, kind, id, what})
	}
}

// stored is a row as its table should have it.
type stored[R any] struct {
	at  span
	row *R
}

// compare finds the rows of a window that differ from want, are too many, or are missing.
func compare[R any](ctx context.Context, f *folder, kind entity.Kind, t *entityTable[R], in window, want map[[2]string]*stored[R], of func(*R) [2]string, but ...string) error {
	rows, err := f.conn.QueryContext(ctx, "SELECT first_seq, last_seq, "+t.list()+" FROM "+t.name+" WHERE project = $1 AND "+in.of("id"), f.project, in.first, in.end)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		row, err := scanStored(rows, t)
		if err != nil {
			return err
		}
		f.compared++
		key := of(row.row)
		fresh := want[key]
		delete(want, key)
		switch {
		case fresh == nil:
			f.say(kind, key[0], "has a row and no event")
		case fresh.at != row.at:
			f.say(kind, key[0], "first_seq or last_seq is not that of its events")
		default:
			if column := t.differ(row.row, fresh.row, but); column != "" {
				f.say(kind, key[0], column+" is not the fold of its events")
			}
		}
	}
	for key := range want {
		f.compared++
		f.say(kind, key[0], "has no row")
	}
	return rows.Err()
}

func scanStored[R any](rows *sql.Rows, t *entityTable[R]) (*stored[R], error) {
	s := &stored[R]{row: new(R)}
	return s, rows.Scan(append([]any{&s.at.first, &s.at.last}, t.targets(s.row)...)...)
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
