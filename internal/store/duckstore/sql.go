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
	tied [store.GenericKind + 1]bool
	// restrict, by kind, is a subquery of the entity ids to fold; "" folds all.
	restrict [store.GenericKind + 1]string
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

// events is the rows of a kind, each with k, its place in the order of its
// entity. Where a timestamp and rank stand twice in an entity, its events are
// numbered instead.
func (q *query) events(kind store.Kind) string {
	from := fmt.Sprintf("FROM events%%s WHERE project = $1 AND kind = %d", kind)
	if r := q.restrict[kind]; r != "" {
		from += " AND entity_id IN (" + r + ")"
	}
	plain := "SELECT *, " + ordSQL + " AS k "
	if !q.tied[kind] {
		return plain + fmt.Sprintf(from, "")
	}
	ties := fmt.Sprintf("(SELECT DISTINCT entity_id FROM events WHERE project = $1 AND kind = %d AND tie) AS ties", kind)
	return plain + fmt.Sprintf(from, " ANTI JOIN "+ties+" USING (entity_id)") +
		" UNION ALL SELECT *, row_number() OVER (PARTITION BY entity_id ORDER BY ts, rank, event_id) AS k " +
		fmt.Sprintf(from, " SEMI JOIN "+ties+" USING (entity_id)")
}

// last is the last present value of a column.
func last(columns ...string) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, `, arg_max("%s", k) AS "%s"`, c, c)
	}
	return b.String()
}

// What every fold has: the entity's id, environment, tags and first time.
const foldCommon = `SELECT entity_id AS id,
	coalesce(arg_max(environment, k), arg_max(nullif(batch_environment, 'default'), k), 'default') AS environment,
	coalesce(list_sort(list_distinct(flatten(list(tags) FILTER (tags IS NOT NULL)))), []) AS tags,
	coalesce(min(ts) FILTER (rank = 0), min(ts)) AS start_inferred`

// traces is t: the traces that have an event of their own.
func (q *query) traces() string {
	return table("t", foldCommon+last("name", "user_id", "session_id", "version", "release", "parent_trace_id")+
		" FROM ("+q.events(store.TraceKind)+") GROUP BY entity_id")
}

// observations is o: one row per observation.
func (q *query) observations() string {
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
	return table("o", `SELECT *,
	CASE WHEN end_time IS NULL THEN latency_sent ELSE greatest(0, end_time - start_time) / 1000 END AS latency_ms,
	CASE WHEN tokens_sent IS NOT NULL THEN tokens_sent
		WHEN prompt_tokens IS NULL AND completion_tokens IS NULL THEN NULL
		ELSE `+saturate("coalesce(prompt_tokens, 0)::HUGEINT + coalesce(completion_tokens, 0)")+` END AS total_tokens,
	CASE WHEN cost_sent IS NOT NULL THEN cost_sent
		WHEN input_cost IS NULL AND output_cost IS NULL THEN NULL
		ELSE `+finite("coalesce(input_cost, 0) + coalesce(output_cost, 0)")+` END AS total_cost
	FROM (`+fold+")")
}

// scores is s: one row per score.
func (q *query) scores() string {
	fold := foldCommon + last("trace_id", "observation_id", "name", "value", "string_value", "data_type", "source",
		"evaluator_name", "evaluator_version", "comment", "author_user_id") +
		", min(ts) AS timestamp FROM (" + q.events(store.ScoreKind) + ") GROUP BY entity_id"
	return table("s", `SELECT * REPLACE (
		CASE WHEN data_type = 'CATEGORICAL' THEN NULL ELSE value END AS value,
		CASE WHEN data_type = 'CATEGORICAL' THEN coalesce(string_value, '') END AS string_value)
	FROM (`+fold+")")
}

// placedScores is sc: s, where a score that names only an observation belongs
// to that observation's trace, placed_in. It needs o and s.
func placedScores() string {
	return table("sc", `SELECT s.*, coalesce(nullif(s.trace_id, ''), o.trace_id) AS placed_in
	FROM s LEFT JOIN o ON s.observation_id = o.id`)
}

// traceSums is ot: what the observations of each trace add up to. marks are
// further aggregates over o. It needs o.
func traceSums(marks ...string) string {
	return table("ot", `SELECT trace_id AS id, min(start_time) AS start_time, max(end_time) AS end_time,
	arg_min(environment, {'start': start_time, 'id': id}) AS environment,
	count(*) AS observation_count, count(*) FILTER (level = 'ERROR') AS error_count,
	`+saturate("sum(total_tokens)")+` AS total_tokens, `+exactSum("total_cost")+` AS total_cost,
	list_sort(list(DISTINCT model) FILTER (model <> '')) AS models`+strings.Join(append([]string{""}, marks...), ", ")+`
	FROM o WHERE trace_id <> '' GROUP BY trace_id`)
}

// allTraces is tr: one row per trace that has an event of its own or an
// observation that names it. It needs t and ot.
func allTraces() string {
	return table("tr", `SELECT *, CASE WHEN end_time IS NOT NULL THEN greatest(0, end_time - start_time) / 1000 END AS latency_ms
	FROM (SELECT coalesce(t.id, ot.id) AS id, coalesce(t.environment, ot.environment) AS environment, coalesce(t.tags, []) AS tags,
		least(t.start_inferred, ot.start_time) AS start_time,
		t.name, t.user_id, t.session_id, t.version, t.release,
		coalesce(ot.observation_count, 0) AS observation_count, coalesce(ot.error_count, 0) AS error_count,
		coalesce(ot.total_tokens, 0) AS total_tokens, coalesce(ot.total_cost, 0) AS total_cost,
		coalesce(ot.models, []) AS models, ot.* EXCLUDE (id, start_time, environment, observation_count, error_count, total_tokens, total_cost, models)
	FROM t FULL JOIN ot ON t.id = ot.id)`)
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
