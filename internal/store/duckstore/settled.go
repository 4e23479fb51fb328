package duckstore

import (
	"fmt"
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
	// traces is where the events of the dirty traces and of their observations are,
	// and tracesSettled where the dirty traces' settled rows begin. They are known
	// when the dirty entities were folded.
	traces, tracesSettled []span
}

// dirtyKind is where the dirty entities of a kind are: mostly behind the frontier,
// and in a few places long before it. Only these are read.
type dirtyKind struct {
	events  []span // their events; nil when no entity is dirty
	settled []span // the first Seqs of their settled rows; nil when they have none
}

func (d *dirtyKind) any() bool { return len(d.events) > 0 }

// tracesDirty says whether the settled rows of some traces do not count.
func (f *frontier) tracesDirty() bool {
	return f.kinds[store.TraceKind].any() || f.kinds[store.ObservationKind].any()
}

// numbers runs a query over the project $1, which returns rows of two BIGINTs.
type numbers func(query string, each func(a, b int64)) error

// find fills f in. It asks in steps, because only a constant makes DuckDB pass
// over the row groups that are out of range, and it puts the dirty ids into
// temporary tables: of these DuckDB knows how few they are, and compares their least
// and greatest with what it passes over.
func (f *frontier) find(exec func(statement string) error, ask numbers) error {
	if err := ask("SELECT settled, 0::BIGINT FROM meta WHERE $1 IS NOT NULL", func(s, _ int64) { f.settled = s }); err != nil {
		return err
	}
	for _, kind := range settledKinds {
		d := &f.kinds[kind]
		behind := fmt.Sprintf("FROM events WHERE project = $1 AND kind = %d AND seq > %d AND seq <= %d", kind, f.settled, f.upto)
		late := fmt.Sprintf("FROM late WHERE project = $1 AND kind = %d", kind)
		err := ask(fmt.Sprintf("SELECT min(seq), max(seq) %s HAVING count(*) > 0 UNION ALL SELECT min(seq), max(seq) %s GROUP BY seq // %d", behind, late, nearby),
			func(first, last int64) { d.events = append(d.events, span{first, last}) })
		if err != nil {
			return err
		}
		if !d.any() {
			continue
		}
		if err := exec(temporary(dirtyTable(kind), "SELECT entity_id AS id "+behind+" UNION SELECT entity_id "+late)); err != nil {
			return err
		}
		var events []span
		if events, d.settled, err = settledSpans(ask, kind, dirtyIDs(kind)); err != nil {
			return err
		}
		d.events = joinSpans(append(d.events, events...), fewSpans)
	}
	return nil
}

// settledSpans finds the settled rows with one of the ids: where their events are,
// and where they begin.
func settledSpans(ask numbers, kind store.Kind, ids string) (events, begin []span, err error) {
	err = ask(fmt.Sprintf("SELECT min(first_seq), max(last_seq) FROM %s WHERE project = $1 AND id IN (%s) GROUP BY first_seq // %d",
		settledTables[kind].name, ids, nearby), func(first, last int64) {
		events = append(events, span{first, last})
		begin = append(begin, span{first, first - first%nearby + nearby - 1})
	})
	if len(begin) > 0 {
		begin = joinSpans(begin, fewSpans)
	}
	return events, begin, err
}

// dirtyTable is the temporary table of the ids of a kind's dirty entities. A kind
// without any has none.
func dirtyTable(kind store.Kind) string { return fmt.Sprintf("dirty_%d", kind) }

// dirtyIDs is a subquery of these.
func dirtyIDs(kind store.Kind) string { return "SELECT id FROM " + dirtyTable(kind) }

// settled is the settled rows of a kind that count, as a SELECT of columns:
// without those whose ids are in without and that begin in one of the spans.
// Elsewhere no row needs to be compared with the ids.
func settled(kind store.Kind, columns, without string, begin []span, condition string) string {
	from := "SELECT " + columns + " FROM " + settledTables[kind].name
	if len(begin) == 0 {
		return from + " WHERE project = $1" + condition
	}
	among := within("first_seq", begin)
	return from + " WHERE project = $1 AND NOT " + among + condition + " UNION ALL " +
		from + " ANTI JOIN (" + without + ") AS dirty(dirty_id) ON id = dirty_id WHERE project = $1 AND " + among + condition
}

// merged is the settled rows of the kind and the live fold of its dirty entities.
func (q *query) merged(kind store.Kind, columns, condition, live string) string {
	d := &q.frontier.kinds[kind]
	if !d.any() {
		return settled(kind, columns, "", nil, condition)
	}
	return settled(kind, columns, dirtyIDs(kind), d.settled, condition) + " UNION ALL " + live
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
	if f.kinds[store.ScoreKind].any() {
		if err := exec(temporary(newScores, q.listed(store.ScoreKind, q.foldScores()))); err != nil {
			return err
		}
	}
	if f.kinds[store.ObservationKind].any() {
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
	events, begin, err := settledSpans(ask, store.TraceKind, "SELECT id FROM "+dirtyTraces)
	if err != nil {
		return err
	}
	events = append(events, f.kinds[store.TraceKind].events...)
	f.traces, f.tracesSettled = joinSpans(append(events, f.kinds[store.ObservationKind].events...), fewSpans), begin
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
	var parts []string
	if q.frontier.kinds[store.TraceKind].any() {
		parts = append(parts, dirtyIDs(store.TraceKind))
	}
	if d := &q.frontier.kinds[store.ObservationKind]; d.any() {
		parts = append(parts, "SELECT trace_id AS id FROM "+newObservations+" WHERE trace_id <> ''")
		if len(d.settled) > 0 {
			parts = append(parts, fmt.Sprintf("SELECT trace_id FROM settled_observations WHERE project = $1 AND %s AND trace_id <> '' AND id IN (%s)",
				within("first_seq", d.settled), dirtyIDs(store.ObservationKind)))
		}
	}
	return strings.Join(parts, " UNION ")
}

// foldTraces is the dirty traces folded anew, in the columns of the settled ones.
func (q *query) foldTraces() string {
	among := "SEMI JOIN " + dirtyTraces + " AS dt ON %s = dt.id WHERE " + within("first_seq", q.frontier.traces)
	t := "(SELECT * FROM own " + fmt.Sprintf(among, "own.id") + ") AS t"
	ot := "(" + sums("(SELECT * FROM o "+fmt.Sprintf(among, "o.trace_id")+") AS o") + ") AS ot"
	return with([]string{q.ownTraces(), q.observations()}, q.listed(store.TraceKind, wholeTraces(t, ot)))
}
