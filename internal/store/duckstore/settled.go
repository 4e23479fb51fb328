package duckstore

import (
	"fmt"
	"math"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Settled rows are the folds of entities, kept so that a question need not fold
// all events again. They cover the events up to a Seq, the frontier. An entity
// with an event behind it, or with one that came late or was erased, is dirty:
// its settled row does not count, and it is folded from its events. Each row has
// the first and last Seq of its events, so that whatever else is asked of them
// reads only that stretch of the events table, which is in the order of Seq.
//
// The columns are what people filter, sort and sum by, after project.

type settledTable struct {
	name    string
	columns []column
}

var settledTables = map[store.Kind]settledTable{
	store.TraceKind: {"settled_traces", []column{
		{"id", "VARCHAR"}, {"first_seq", "BIGINT"}, {"last_seq", "BIGINT"},
		{"own_start", "BIGINT"}, // start_inferred of t; NULL without an event of its own
		{"environment", "VARCHAR"}, {"tags", "VARCHAR[]"}, {"start_time", "BIGINT"}, {"end_time", "BIGINT"}, {"latency_ms", "DOUBLE"},
		{"name", "VARCHAR"}, {"user_id", "VARCHAR"}, {"session_id", "VARCHAR"}, {"version", "VARCHAR"}, {"release", "VARCHAR"},
		{"observation_count", "BIGINT"}, {"error_count", "BIGINT"}, {"total_tokens", "BIGINT"}, {"total_cost", "DOUBLE"},
		{"models", "VARCHAR[]"},
	}},
	store.ObservationKind: {"settled_observations", []column{
		{"id", "VARCHAR"}, {"first_seq", "BIGINT"}, {"last_seq", "BIGINT"},
		{"trace_id", "VARCHAR"}, {"environment", "VARCHAR"}, {"tags", "VARCHAR[]"}, {"start_time", "BIGINT"}, {"end_time", "BIGINT"},
		{"latency_ms", "DOUBLE"}, {"name", "VARCHAR"}, {"type", "VARCHAR"}, {"level", "VARCHAR"}, {"user_id", "VARCHAR"},
		{"session_id", "VARCHAR"}, {"version", "VARCHAR"}, {"release", "VARCHAR"}, {"model", "VARCHAR"}, {"provider", "VARCHAR"},
		{"prompt_tokens", "BIGINT"}, {"completion_tokens", "BIGINT"}, {"total_tokens", "BIGINT"},
		{"input_cost", "DOUBLE"}, {"output_cost", "DOUBLE"}, {"total_cost", "DOUBLE"}, {"quality_score", "DOUBLE"},
	}},
	store.ScoreKind: {"settled_scores", []column{
		{"id", "VARCHAR"}, {"first_seq", "BIGINT"}, {"last_seq", "BIGINT"},
		{"trace_id", "VARCHAR"}, {"observation_id", "VARCHAR"}, {"environment", "VARCHAR"}, {"tags", "VARCHAR[]"}, {"timestamp", "BIGINT"},
		{"name", "VARCHAR"}, {"value", "DOUBLE"}, {"string_value", "VARCHAR"}, {"data_type", "VARCHAR"}, {"source", "VARCHAR"},
		{"evaluator_name", "VARCHAR"}, {"evaluator_version", "VARCHAR"},
	}},
}

// settledKinds are the kinds with settled rows, in the order in which they settle.
var settledKinds = [...]store.Kind{store.ObservationKind, store.ScoreKind, store.TraceKind}

func (t settledTable) ddl() string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + t.name + " (project VARCHAR")
	for _, c := range t.columns {
		b.WriteString(", " + c.name + " " + c.typ)
	}
	return b.String() + ")"
}

// list is the columns, for a SELECT.
func (t settledTable) list() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// frontier is how far the settled rows of one project can be used.
type frontier struct {
	settled int64 // the Seq up to which events were folded into them
	upto    int64 // the Seq up to which events count as later
	kinds   [store.GenericKind + 1]dirtyKind
	// tracesFrom is a Seq before which no observation of a dirty trace begins.
	// It and tracesSettled are known when the dirty entities were folded.
	tracesFrom    int64
	tracesSettled bool // some dirty trace has a settled row
	// tracesLast is a Seq behind which no observation of a dirty trace begins that
	// its settled row needs; known with tracesFrom.
	tracesLast int64
}

type dirtyKind struct {
	any     bool  // there are dirty entities
	from    int64 // no dirty entity has an event before this Seq
	last    int64 // no settled row of a dirty entity needs an event behind this Seq
	settled bool  // some dirty entity has a settled row
}

// tracesDirty says whether the settled rows of some traces do not count.
func (f *frontier) tracesDirty() bool {
	return f.kinds[store.TraceKind].any || f.kinds[store.ObservationKind].any
}

// numbers runs a query over the project $1, which returns rows of two BIGINTs.
type numbers func(query string, each func(a, b int64)) error

// find fills f in. It asks in steps, because only a constant makes DuckDB pass
// over the row groups that are out of range.
func (f *frontier) find(ask numbers) error {
	if err := ask("SELECT settled, 0::BIGINT FROM meta WHERE $1 IS NOT NULL", func(s, _ int64) { f.settled = s }); err != nil {
		return err
	}
	err := ask(fmt.Sprintf(`SELECT kind::BIGINT, min(seq) FROM (
		SELECT kind, seq FROM events WHERE project = $1 AND seq > %d AND seq <= %d UNION ALL SELECT kind, seq FROM late WHERE project = $1) GROUP BY kind`, f.settled, f.upto),
		func(kind, seq int64) { f.kinds[kind] = dirtyKind{any: true, from: seq, last: math.MaxInt64} })
	if err != nil {
		return err
	}
	// When nothing new settles, what settled before bounds what is to be read.
	within := f.settled == f.upto
	if within {
		err := ask("SELECT kind::BIGINT, max(seq) FROM late WHERE project = $1 GROUP BY kind", func(kind, seq int64) { f.kinds[kind].last = seq })
		if err != nil {
			return err
		}
	}
	for kind, table := range settledTables {
		d := &f.kinds[kind]
		if !d.any {
			continue
		}
		err := ask(fmt.Sprintf("SELECT min(first_seq), max(last_seq) FROM %s WHERE project = $1 AND id IN (%s) HAVING count(*) > 0", table.name, f.dirtyIDs(kind)),
			func(first, last int64) { d.settled, d.from, d.last = true, min(d.from, first), max(d.last, last) })
		if err != nil {
			return err
		}
	}
	return nil
}

// dirtyIDs is a subquery of the ids of the dirty entities, some of them twice.
func (f *frontier) dirtyIDs(kind store.Kind) string {
	return fmt.Sprintf(`SELECT entity_id FROM events WHERE project = $1 AND kind = %[1]d AND seq > %[2]d AND seq <= %[3]d
		UNION ALL SELECT entity_id FROM late WHERE project = $1 AND kind = %[1]d`, kind, f.settled, f.upto)
}

// settled is the settled rows of a kind that count, as a SELECT of columns;
// without are the ids of those that do not, "" when all do.
func settled(kind store.Kind, columns, without, condition string) string {
	from := settledTables[kind].name
	if without != "" {
		from += " ANTI JOIN (" + without + ") AS dirty(dirty_id) ON id = dirty_id"
	}
	return "SELECT " + columns + " FROM " + from + " WHERE project = $1" + condition
}

// merged is the settled rows of the kind and the live fold of its dirty entities.
func (q *query) merged(kind store.Kind, columns, condition, live string) string {
	if !q.frontier.kinds[kind].any {
		return settled(kind, columns, "", condition)
	}
	return settled(kind, columns, q.frontier.dirtyIDs(kind), condition) + " UNION ALL " + live
}

// The folds of the dirty entities, and the ids of the dirty traces, are temporary
// tables of the connection, made once for all statements of a transaction. A kind
// without a dirty entity has none.
const (
	newScores       = "new_scores"
	newObservations = "new_observations"
	newTraces       = "new_traces"
	dirtyTraces     = "dirty_traces"
)

// foldDirty makes these tables. Traces come last, because theirs add up those of
// their observations.
func (q *query) foldDirty(exec func(statement string) error, ask numbers) error {
	f := q.frontier
	if f.kinds[store.ScoreKind].any {
		if err := exec(temporary(newScores, q.listed(store.ScoreKind, q.foldScores()))); err != nil {
			return err
		}
	}
	if f.kinds[store.ObservationKind].any {
		if err := exec(temporary(newObservations, q.listed(store.ObservationKind, q.foldObservations()))); err != nil {
			return err
		}
	}
	if !f.tracesDirty() {
		return nil
	}
	if err := exec(temporary(dirtyTraces, q.dirtyTraceIDs())); err != nil {
		return err
	}
	f.tracesFrom, f.tracesLast = math.MaxInt64, 0
	for _, kind := range [...]store.Kind{store.TraceKind, store.ObservationKind} {
		if d := f.kinds[kind]; d.any {
			f.tracesFrom, f.tracesLast = min(f.tracesFrom, d.from), max(f.tracesLast, d.last)
		}
	}
	err := ask("SELECT min(first_seq), max(last_seq) FROM settled_traces WHERE project = $1 AND id IN (SELECT id FROM "+dirtyTraces+") HAVING count(*) > 0",
		func(first, last int64) {
			f.tracesSettled, f.tracesFrom, f.tracesLast = true, min(f.tracesFrom, first), max(f.tracesLast, last)
		})
	if err != nil {
		return err
	}
	return exec(temporary(newTraces, q.foldTraces()))
}

func temporary(name, as string) string { return "CREATE OR REPLACE TEMP TABLE " + name + " AS " + as }

// listed is a fold in the columns of the settled rows.
func (q *query) listed(kind store.Kind, fold string) string {
	return "SELECT " + settledTables[kind].list() + " FROM (" + fold + ")"
}

// dirtyTraceIDs is the ids of the traces whose settled rows do not count: those
// with a dirty event of their own, and those that a dirty observation is in, or
// was when it settled.
func (q *query) dirtyTraceIDs() string {
	parts := []string{"SELECT entity_id AS id FROM (" + q.frontier.dirtyIDs(store.TraceKind) + ")"}
	if d := q.frontier.kinds[store.ObservationKind]; d.any {
		parts = append(parts, "SELECT trace_id FROM "+newObservations+" WHERE trace_id <> ''")
		if d.settled {
			parts = append(parts, fmt.Sprintf("SELECT trace_id FROM settled_observations WHERE project = $1 AND first_seq >= %d AND first_seq <= %d AND trace_id <> '' AND id IN (%s)",
				d.from, d.last, q.frontier.dirtyIDs(store.ObservationKind)))
		}
	}
	return strings.Join(parts, " UNION ")
}

// foldTraces is the dirty traces folded anew, in the columns of the settled ones.
func (q *query) foldTraces() string {
	among := fmt.Sprintf("SEMI JOIN %s AS dt ON %%s = dt.id WHERE first_seq >= %d AND first_seq <= %d", dirtyTraces, q.frontier.tracesFrom, q.frontier.tracesLast)
	t := "(SELECT * FROM own " + fmt.Sprintf(among, "own.id") + ") AS t"
	ot := "(" + sums("(SELECT * FROM o "+fmt.Sprintf(among, "o.trace_id")+") AS o") + ") AS ot"
	return with([]string{q.ownTraces(), q.observations()}, q.listed(store.TraceKind, wholeTraces(t, ot)))
}
