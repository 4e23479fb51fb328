package duckstore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// query builds one statement over the events of one project, which is its
// first parameter. Whatever a caller gave goes in through arg, never into the text.
type query struct {
	args []any
	// tied are the kinds that have entities with two events at the same
	// timestamp and rank. Only these need the event id to tell the order.
	tied kindSet
	// frontier says which entities must be folded.
	frontier *frontier
	// only, by kind, says which entities to fold instead of the dirty ones.
	only [store.GenericKind + 1]*selection
}

// selection is some entities of a kind, and where their events are.
type selection struct {
	ids   string // a subquery
	spans []span
}

// arg adds a parameter and returns its place holder.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// with joins common table expressions and the statement that uses them. They
// are never materialized: then only the columns that the statement asks for
// are read and folded.
func with(tables []string, statement string) string {
	return "WITH " + strings.Join(tables, ",\n") + "\n" + statement
}

func table(name, body string) string {
	return name + " AS NOT MATERIALIZED (" + body + ")"
}

// source is the rows of the entities of a kind that are to be folded: the dirty
// ones, or those of only. Each span is read by itself, so that the row groups
// between them are passed over.
func (q *query) source(kind store.Kind) string {
	of := q.only[kind]
	if of == nil {
		of = &selection{q.frontier.dirtyIDs(kind), []span{{q.frontier.kinds[kind].from, q.frontier.kinds[kind].last}}}
	}
	parts := make([]string, len(of.spans))
	for i, s := range of.spans {
		parts[i] = fmt.Sprintf("SELECT * FROM events WHERE project = $1 AND kind = %d AND %s AND entity_id IN (%s)",
			kind, s.holds("seq"), of.ids)
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ")"
}

// events is the source of a kind, each row with k, its place in the order of its
// entity. Where a timestamp and rank stand twice in an entity, its events are
// numbered instead.
func (q *query) events(kind store.Kind) string {
	source := q.source(kind) + " AS events"
	plain := "SELECT *, " + ordSQL + " AS k FROM " + source
	if !q.tied.has(kind) {
		return plain
	}
	ties := "(SELECT DISTINCT entity_id FROM " + source + " WHERE tie) AS ties"
	return plain + " ANTI JOIN " + ties + " USING (entity_id)" +
		" UNION ALL SELECT *, row_number() OVER (PARTITION BY entity_id ORDER BY ts, rank, event_id) AS k FROM " +
		source + " SEMI JOIN " + ties + " USING (entity_id)"
}

// last is the last present value of a column.
func last(columns ...string) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, `, arg_max("%s", k) AS "%s"`, c, c)
	}
	return b.String()
}

// What every fold has: the entity's id, where its events are, environment, tags
// and first time.
const foldCommon = `SELECT entity_id AS id, min(seq) AS first_seq, max(seq) AS last_seq,
	coalesce(arg_max(environment, k), arg_max(nullif(batch_environment, 'default'), k), 'default') AS environment,
	coalesce(list_sort(list_distinct(flatten(list(tags) FILTER (tags IS NOT NULL)))), []) AS tags,
	coalesce(min(ts) FILTER (rank = 0), min(ts)) AS start_inferred`

// The columns of t; %s stands before its start, which a settled row calls own_start.
const traceColumns = "id, first_seq, last_seq, environment, tags, %sstart_inferred, name, user_id, session_id, version, release"

// traces is t: the traces that have an event of their own.
func (q *query) traces() string {
	return table("t", "SELECT "+fmt.Sprintf(traceColumns, "own_start AS ")+" FROM ("+q.traceRows()+") WHERE own_start IS NOT NULL")
}

// ownTraces is own: what the traces say of themselves, with the columns of t.
func (q *query) ownTraces() string {
	fold := foldCommon + last("name", "user_id", "session_id", "version", "release") +
		" FROM (" + q.events(store.TraceKind) + ") GROUP BY entity_id"
	return table("own", q.merged(store.TraceKind, fmt.Sprintf(traceColumns, "own_start AS "), " AND own_start IS NOT NULL",
		"SELECT "+fmt.Sprintf(traceColumns, "")+" FROM ("+fold+")"))
}

// observations is o: one row per observation, with the columns of the settled ones.
func (q *query) observations() string {
	list := settledTables[store.ObservationKind].list()
	return table("o", q.merged(store.ObservationKind, list, "", "SELECT "+list+" FROM "+newObservations))
}

// foldObservations folds observations from their events, with all columns.
func (q *query) foldObservations() string {
	fold := foldCommon + `,
	arg_max(start_time, k) AS start_sent,
	coalesce(start_sent, start_inferred) AS start_time` + last("trace_id", "parent_observation_id", "name", "user_id", "session_id", "status_message",
		"version", "release", "model", "provider", "prompt_tokens", "completion_tokens", "input_cost", "output_cost",
		"quality_score", "input_preview", "output_preview") + `,
	coalesce(arg_max(type, k), 'span') AS type,
	coalesce(arg_max(level, k), 'DEFAULT') AS level,
	coalesce(arg_max(end_time, k), max(ts) FILTER (rank = 2)) AS end_time,
	arg_max(latency_ms, k) AS latency_sent,
	arg_max(total_tokens, k) AS tokens_sent,
	arg_max(total_cost, k) AS cost_sent
	FROM (` + q.events(store.ObservationKind) + ") GROUP BY entity_id"
	return `SELECT *,
	CASE WHEN end_time IS NULL THEN latency_sent ELSE greatest(0, end_time - start_time) / 1000 END AS latency_ms,
	CASE WHEN tokens_sent IS NOT NULL THEN tokens_sent
		WHEN prompt_tokens IS NULL AND completion_tokens IS NULL THEN NULL
		ELSE ` + saturate("coalesce(prompt_tokens, 0)::HUGEINT + coalesce(completion_tokens, 0)") + ` END AS total_tokens,
	CASE WHEN cost_sent IS NOT NULL THEN cost_sent
		WHEN input_cost IS NULL AND output_cost IS NULL THEN NULL
		ELSE ` + finite("coalesce(input_cost, 0) + coalesce(output_cost, 0)") + ` END AS total_cost
	FROM (` + fold + ")"
}

// scores is s: one row per score, with the columns of the settled ones.
func (q *query) scores() string {
	list := settledTables[store.ScoreKind].list()
	return table("s", q.merged(store.ScoreKind, list, "", "SELECT "+list+" FROM "+newScores))
}

// foldScores folds scores from their events, with all columns.
func (q *query) foldScores() string {
	fold := foldCommon + last("trace_id", "observation_id", "name", "value", "string_value", "data_type", "source",
		"evaluator_name", "evaluator_version", "comment", "author_user_id") +
		", min(ts) AS timestamp FROM (" + q.events(store.ScoreKind) + ") GROUP BY entity_id"
	return `SELECT * REPLACE (
		CASE WHEN data_type = 'CATEGORICAL' THEN NULL ELSE value END AS value,
		CASE WHEN data_type = 'CATEGORICAL' THEN coalesce(string_value, '') END AS string_value)
	FROM (` + fold + ")"
}

// placedScores is sc: s, where a score that names only an observation belongs
// to that observation's trace, placed_in. It needs o and s.
func placedScores() string {
	return table("sc", `SELECT s.*, coalesce(nullif(s.trace_id, ''), o.trace_id) AS placed_in
	FROM s LEFT JOIN o ON s.observation_id = o.id`)
}

// sums is what the observations of each trace add up to; from is o or some of it.
func sums(from string) string {
	return `SELECT trace_id AS id, min(first_seq) AS first_seq, max(last_seq) AS last_seq,
	min(start_time) AS start_time, max(end_time) AS end_time,
	arg_min(environment, {'start': start_time, 'id': o.id}) AS environment,
	count(*) AS observation_count, count(*) FILTER (level = 'ERROR') AS error_count,
	` + saturate("sum(total_tokens)") + ` AS total_tokens, ` + exactSum("total_cost") + ` AS total_cost,
	list_sort(list(DISTINCT model) FILTER (model <> '')) AS models
	FROM ` + from + ` WHERE trace_id <> '' GROUP BY trace_id`
}

// wholeTraces joins what traces say of themselves and what their observations add
// up to. own and sums are relations named t and ot.
func wholeTraces(own, sums string) string {
	return `SELECT *, CASE WHEN end_time IS NOT NULL THEN greatest(0, end_time - start_time) / 1000 END AS latency_ms
	FROM (SELECT coalesce(t.id, ot.id) AS id, least(t.first_seq, ot.first_seq) AS first_seq, greatest(t.last_seq, ot.last_seq) AS last_seq,
		t.start_inferred AS own_start, coalesce(t.environment, ot.environment) AS environment, coalesce(t.tags, []) AS tags,
		least(t.start_inferred, ot.start_time) AS start_time, ot.end_time,
		t.name, t.user_id, t.session_id, t.version, t.release,
		coalesce(ot.observation_count, 0) AS observation_count, coalesce(ot.error_count, 0) AS error_count,
		coalesce(ot.total_tokens, 0) AS total_tokens, coalesce(ot.total_cost, 0) AS total_cost, coalesce(ot.models, []) AS models
	FROM ` + own + " FULL JOIN " + sums + " ON t.id = ot.id)"
}

// traceRows is one row per trace that has an event of its own or an observation
// that names it.
func (q *query) traceRows() string {
	list := settledTables[store.TraceKind].list()
	if !q.frontier.tracesDirty() {
		return settled(store.TraceKind, list, "", "")
	}
	return settled(store.TraceKind, list, "SELECT id FROM "+dirtyTraces, "") + " UNION ALL SELECT " + list + " FROM " + newTraces
}

// allTraces returns the tables that define tr, which is traceRows, and t and o.
func (q *query) allTraces() []string {
	return []string{table("tr", q.traceRows()), q.traces(), q.observations()}
}

// saturate keeps an integer sum within a BIGINT, so that no input makes a query
// fail. (least and greatest pass over NULL.)
func saturate(sum string) string {
	return "CASE WHEN " + sum + " IS NOT NULL THEN greatest(least(" + sum + ", 9223372036854775807), -9223372036854775808)::BIGINT END"
}

// finite turns an infinite or undefined number, which JSON cannot say, into NULL.
func finite(number string) string {
	return "CASE WHEN isfinite(" + number + ") THEN " + number + " END"
}

// exactSum adds money in units of 1e-12, so that the sum does not depend on
// the order of the rows: a page cursor compares it with a later run. One amount
// counts for at most 1e15, so that no sum overflows.
func exactSum(column string) string {
	return strings.ReplaceAll("sum((CASE WHEN amount > 1e15 THEN 1e15 WHEN amount < -1e15 THEN -1e15 ELSE amount END * 1e12)::HUGEINT)::DOUBLE / 1e12", "amount", column)
}
