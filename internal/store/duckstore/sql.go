package duckstore

import (
	"strconv"
	"strings"
)

// builder builds one statement over the rows of one project, which is its
// first parameter. Whatever a caller gave goes in through arg, never into the text.
type builder struct {
	args []any
}

// arg adds a parameter and returns its place holder.
func (q *builder) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// with joins common table expressions and the statement that uses them. They
// are never materialized: then only the columns that the statement asks for
// are read.
func with(tables []string, statement string) string {
	return "WITH " + strings.Join(tables, ",\n") + "\n" + statement
}

func table(name, body string) string {
	return name + " AS NOT MATERIALIZED (" + body + ")"
}

// The relations of the project, each row with its place in the table as the column row: tr its traces, t the same as
// what an observation or a score is part of, o its observations, and s its scores.
// sc is s, where a score that names only an observation is placed_in the trace of the
// newest with that id.
var (
	ofTraces       = table("tr", "SELECT *, rowid AS row FROM traces WHERE project = $1")
	ofParents      = table("t", "SELECT * FROM traces WHERE project = $1")
	ofObservations = table("o", "SELECT *, rowid AS row FROM observations WHERE project = $1")
	ofScores       = table("s", "SELECT *, rowid AS row FROM scores WHERE project = $1")
	ofPlacedScores = table("sc", `SELECT *, trace_id AS placed_in FROM s WHERE trace_id IS NOT NULL
	UNION ALL SELECT s.*, own.own_trace FROM s LEFT JOIN (SELECT id AS own_id, trace_id AS own_trace FROM o WHERE newest) AS own
	ON s.observation_id = own.own_id WHERE s.trace_id IS NULL`)
)

// about is the condition that the score s is about the observation o: in the trace that it
// names, else the newest with its id.
const about = "s.observation_id = o.id AND (s.trace_id = o.trace_id OR s.trace_id IS NULL AND o.newest)"

// The amounts of an observation that are part of a sum: see store.Count.
const (
	countedTokens = "(CASE WHEN o.counts_tokens THEN o.total_tokens END)"
	countedCost   = "(CASE WHEN o.counts_cost THEN o.total_cost END)"
)

// countedPart is a part of a cost, where the cost is part of a sum.
func countedPart(column string) string { return "(CASE WHEN o.counts_cost THEN o." + column + " END)" }

// unpriced is the condition of a call whose cost is not known: as entity.Roller counts them.
const unpriced = "lower(o.type) IN ('generation', 'llm', 'embedding') AND o.duplicate_of IS NULL AND o.total_cost IS NULL" +
	" AND (o.status <> 'error' OR o.total_tokens IS NOT NULL)"

// saturate keeps an integer sum within a BIGINT, so that no input makes a query
// fail. (least and greatest pass over NULL.)
func saturate(sum string) string {
	return "CASE WHEN " + sum + " IS NOT NULL THEN greatest(least(" + sum + ", 9223372036854775807), -9223372036854775808)::BIGINT END"
}

// finite turns an infinite or undefined number, which JSON cannot say, into NULL.
func finite(number string) string {
	return "CASE WHEN isfinite(" + number + ") THEN " + number + " END"
}

// exactSum adds money in units of 1e-12, as store.Money does, so that the sum does not depend on
// the order of the rows: a page cursor compares it with a later run. One amount
// counts for at most 1e15, so that no sum overflows.
func exactSum(column string) string {
	return strings.ReplaceAll("sum((CASE WHEN amount > 1e15 THEN 1e15 WHEN amount < -1e15 THEN -1e15 ELSE amount END * 1e12)::HUGEINT)::DOUBLE / 1e12", "amount", column)
}
