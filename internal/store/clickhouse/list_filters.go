package clickhouse

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// traceFailed says that the trace has failed. What failed in it may have been mended.
const traceFailed = "(tr.status = '" + entity.StatusError + "')"

// traceColumns is the filter over tr. It needs o. A trace has a type or level when one of its observations has it.
var traceColumns = columns{
	row: "tr.",
	of: withObservations(map[string]string{
		"time": us("tr.start_time"), "tag": "has(tr.tags, %s)", "model": "has(tr.models, %s)",
		"trace_id": "tr.id",
	}),
	some:  someOfTraces(),
	flags: map[string][2]string{"has_error": {"NOT " + traceFailed, traceFailed}},
	id:    "tr.id", scores: "SELECT placed_in AS owner, name, value FROM sc",
	found: func(q *builder, seqs []entity.Seq) string {
		trace, observation := q.having("tr.seqs", seqs), q.having("seqs", seqs)
		if ids, ok := q.entitiesOf(seqs); ok {
			trace = "tr.id IN " + q.arg(ids[entity.TraceKind]) + " AND " + trace
			observation = "(trace_id, id) IN (" + q.observationsHaving(seqs, ids[entity.ObservationKind]) + ") AND " + observation
		}
		return "(" + trace + " OR tr.id IN (SELECT trace_id FROM o WHERE " + observation + "))"
	},
}

// withObservations adds what a trace is by its observations.
func withObservations(of map[string]string) map[string]string {
	for _, column := range store.OfObservations() {
		of[column] = "tr.id IN (SELECT trace_id FROM o WHERE " + column + " = %s)"
	}
	return of
}

// someOfTraces are what a trace has several of: of some, its observations say what they are.
func someOfTraces() map[string]sqltext.Some {
	some := map[string]sqltext.Some{"tag": someOf("tr.tags"), "model": someOf("tr.models")}
	for _, column := range store.OfObservations() {
		some[column] = sqltext.Some{Element: column, Around: "tr.id IN (SELECT trace_id FROM o WHERE %s)"}
	}
	return some
}

// someOf are the elements of a list.
func someOf(list string) sqltext.Some {
	return sqltext.Some{Element: "one", Around: "arrayExists(one -> %s, " + list + ")"}
}

// observationColumns is the filter over o; user_id, session_id and release are those of the trace (t) when the observation itself names none.
var observationColumns = columns{
	row: "o.",
	of: map[string]string{
		"time": us("o.start_time"), "user_id": ofTrace("user_id"), "session_id": ofTrace("session_id"), "release": ofTrace("release"), "tag": "has(o.tags, %s)",
	},
	some: map[string]sqltext.Some{"tag": someOf("o.tags")},
	flags: map[string][2]string{
		"has_error":    {"o.level != 'ERROR'", "o.level = 'ERROR'"},
		"is_duplicate": {"o.duplicate_of = ''", "o.duplicate_of != ''"},
	},
	id: "(o.id, o.trace_id)", scores: "SELECT (observation_id, placed_in) AS owner, name, value FROM sc",
	found: func(q *builder, seqs []entity.Seq) string {
		condition := q.having("o.seqs", seqs)
		if ids, ok := q.entitiesOf(seqs); ok {
			condition = "(o.trace_id, o.id) IN (" + q.observationsHaving(seqs, ids[entity.ObservationKind]) + ") AND " + condition
		}
		return condition
	},
}

func ofTrace(column string) string {
	return fmt.Sprintf("if(o.%[1]s != '', CAST(o.%[1]s, 'String'), CAST(t.%[1]s, 'String'))", column)
}

// scoreColumns is the filter over sc, with o the scored observation and t the trace of the score.
var scoreColumns = columns{row: "sc.", of: map[string]string{
	"time": us("sc.timestamp"), "trace_id": "sc.placed_in",
	"tag": "has(t.tags, %s)", "user_id": "t.user_id", "session_id": "t.session_id", "release": "t.release",
	"model": "o.model", "type": "o.type", "level": "o.level", "provider": "o.provider", "version": "o.version",
	store.GroupValue: bucketBound(""),
}, some: map[string]sqltext.Some{"tag": someOf("t.tags")}}

// filteredTraces returns the tables that define o and tr, and the conditions on tr. With scores they define s and sc too.
func (q *builder) filteredTraces(f *store.Where) (tables, conditions []string) {
	tables = []string{ofTraces, ofObservations}
	if f.Scored() {
		tables = append(tables, ofScores, ofPlacedScores)
	}
	return tables, q.conditions(f, &traceColumns)
}

// observationsWithTrace defines o, t when it is needed and scores when they are, and the FROM clause.
func observationsWithTrace(trace, scores bool) (tables []string, from string) {
	tables, from = []string{ofObservations}, "FROM o"
	if trace {
		tables, from = append(tables, ofParents), "FROM o LEFT JOIN t ON o.trace_id = t.id"
	}
	if scores {
		tables = append(tables, ofScores, ofPlacedScores)
	}
	return tables, from
}

// scoresWith defines sc and, as the question needs them, o and t beside it.
func scoresWith(w *store.Where, groups ...string) (tables []string, from string) {
	observation, place, trace := scoreColumns.need("o.", w, groups...), scoreColumns.need("sc.placed_in", w, groups...), scoreColumns.need("t.", w, groups...)
	if !observation && !place && !trace {
		return []string{ofScores}, "FROM s AS sc"
	}
	tables, from = []string{ofObservations, ofScores, ofPlacedScores}, "FROM sc"
	if observation {
		from += " LEFT JOIN o ON sc.observation_id = o.id AND sc.placed_in = o.trace_id"
	}
	if trace {
		tables = append(tables, ofParents)
		from += " LEFT JOIN t ON sc.placed_in = t.id"
	}
	return tables, from
}
