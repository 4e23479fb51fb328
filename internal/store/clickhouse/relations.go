package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// The relations of the project: tr its traces, t the same as what an observation or a score is part of, o its observations, s its scores, and
// e its events. FINAL leaves of several rows of one entity the one in force, and of several of one fact that with the lowest Seq.
// sc is s, where a score that names only an observation is placed_in the trace of the newest with that id.
var (
	ofTraces       = table("tr", "SELECT * FROM traces FINAL WHERE project = {p1:String}")
	ofParents      = table("t", "SELECT * FROM traces FINAL WHERE project = {p1:String}")
	ofObservations = table("o", "SELECT * FROM observations FINAL WHERE project = {p1:String}")
	ofScores       = table("s", "SELECT * FROM scores FINAL WHERE project = {p1:String}")
	ofEvents       = table("e", "SELECT * FROM events FINAL WHERE project = {p1:String}")
	ofPlacedScores = table("sc", `SELECT s.*, if(s.trace_id != '', s.trace_id, own.own_trace) AS placed_in FROM s LEFT JOIN (`+ownTraces+`) AS own ON s.observation_id = own.own_id`)
)

// ownTraces says of the observations that scores name without a trace which trace has the newest.
const ownTraces = `SELECT id AS own_id, argMax(trace_id, (newness, trace_id)) AS own_trace FROM o WHERE id IN (SELECT observation_id FROM s WHERE trace_id = '') GROUP BY id`

// placed says where scores are that name only an observation, by their ids: in the trace of the newest.
func (v *view) placed(ctx context.Context, scores []string) (map[string]string, error) {
	if len(scores) == 0 {
		return nil, nil
	}
	var id, trace proto.ColStr
	q := v.query()
	tables := []string{
		table("s", "SELECT * FROM scores FINAL WHERE project = {p1:String} AND id IN "+q.arg(scores)),
		table("o", "SELECT * FROM observations FINAL WHERE project = {p1:String} AND (trace_id, id) IN (SELECT trace_id, id FROM observations WHERE project = {p1:String} AND id IN (SELECT observation_id FROM s))"),
		ofPlacedScores,
	}
	in := make(map[string]string, len(scores))
	err := v.rows(ctx, q, with(tables, "SELECT id, placed_in FROM sc"), proto.Results{{Name: "id", Data: &id}, {Name: "placed_in", Data: &trace}}, func(i int) { in[id.Row(i)] = trace.Row(i) })
	return in, err
}

// us is a time as microseconds since 1970.
func us(column string) string { return "toUnixTimestamp64Micro(" + column + ")" }

// columns is what filters, groups and sorts ask of a relation.
type columns struct {
	row string // its alias, with a point
	// of has the columns that are not row's of the same name: an expression, or the whole
	// condition of a filter, with %s for the value.
	of map[string]string
	// some are the columns with several values, of which the conditions of a filter in our grammar mean one.
	some map[string]sqltext.Some
	// flags are the conditions that a column is false, and true.
	flags  map[string][2]string
	id     string                              // tells rows apart
	scores string                              // relation of the scores that count: columns owner, name, value
	found  func(*builder, []entity.Seq) string // a condition: has one of the events
}

// expression is a column as SQL: a number, or a text that is ” where there is none.
func (c *columns) expression(column string) string {
	if e := c.of[column]; e != "" {
		return e
	}
	if times[column] {
		return us(c.row + column)
	}
	return c.row + column
}

// times are the columns that are times, in all relations.
var times = timesOf()

func timesOf() map[string]bool {
	all := map[string]bool{}
	for _, kind := range []entity.Kind{entity.TraceKind, entity.ObservationKind, entity.ScoreKind} {
		for _, c := range entity.Columns(kind) {
			if c.Type == entity.Time {
				all[c.Name] = true
			}
		}
	}
	return all
}

// need says whether a condition or group uses what has this alias.
func (c *columns) need(alias string, w *store.Where, groups ...string) bool {
	for _, g := range groups {
		if strings.Contains(c.expression(g), alias) {
			return true
		}
	}
	for _, part := range w.Conditions {
		if strings.Contains(c.expression(part.Column), alias) {
			return true
		}
	}
	return false
}

// compared is a condition as SQL, of an expression and a value.
func compared(op store.Op) string {
	return [...]string{store.Equal: "%s = %s", store.In: "%s IN %s", store.AtLeast: "%s >= %s", store.AtMost: "%s <= %s", store.Below: "%s < %s"}[op]
}

// conditions are the parts of w as SQL conditions that must all hold.
func (q *builder) conditions(w *store.Where, c *columns) []string {
	var all []string
	for i := range w.Conditions {
		part := &w.Conditions[i]
		condition := q.condition(part, c)
		if part.Not {
			condition = fmt.Sprintf(dialect.Not, condition)
		}
		all = append(all, condition)
	}
	if w.Seqs != nil {
		all = append(all, c.found(q, w.Seqs))
	}
	for _, f := range w.Found {
		switch {
		case f.Seqs == nil: // its Match is asked
		case f.Not:
			all = append(all, fmt.Sprintf(dialect.Not, c.found(q, f.Seqs)))
		default:
			all = append(all, c.found(q, f.Seqs))
		}
	}
	if len(w.Scores) > 0 {
		all = append(all, q.scoreRanges(w.Scores, c))
	}
	return all
}

// dialect is ClickHouse's, whose lower changes the letters of ASCII alone.
var dialect = sqltext.Dialect{
	OneText: "has(%[2]s, CAST(%[1]s, 'String'))", OneNumber: "has(%[2]s, toFloat64(%[1]s))", Like: "like(lower(CAST(%[1]s, 'String')), %[2]s)",
	Known: "isNotNull(%s)", Number: "%s", Not: "NOT ifNull(%s, 0)",
}

// condition is one part as SQL, as if it had no Not.
func (q *builder) condition(part *store.Condition, c *columns) string {
	switch v := part.Value.(type) {
	case bool:
		if v {
			return c.flags[part.Column][1]
		}
		return c.flags[part.Column][0]
	case store.ScoreRange:
		return q.scoreRanges([]store.ScoreRange{v}, c)
	}
	if some, ok := c.some[part.Column]; ok && sqltext.Compares(part.Op) {
		return dialect.Around(some, part, q.arg)
	}
	expression := c.expression(part.Column)
	switch {
	case part.Op == store.HasScore && part.Value == "":
		return fmt.Sprintf("%s IN (SELECT owner FROM (%s) WHERE name != '')", c.id, c.scores)
	case part.Op == store.HasScore:
		return fmt.Sprintf("%s IN (SELECT owner FROM (%s) WHERE name = %s)", c.id, c.scores, q.arg(part.Value))
	case sqltext.Compares(part.Op):
		return dialect.Condition(part.Op, part.Value, expression, q.arg)
	}
	if strings.Contains(expression, "%s") {
		return fmt.Sprintf(expression, q.arg(part.Value))
	}
	return fmt.Sprintf(compared(part.Op), expression, q.arg(part.Value))
}

// scoreRanges is the condition that all of them hold.
func (q *builder) scoreRanges(all []store.ScoreRange, c *columns) string {
	var parts []string
	for _, r := range all {
		part := fmt.Sprintf("name = %s AND mean >= %s AND mean <= %s", q.arg(r.Name), q.arg(r.Least), q.arg(r.Most))
		if len(r.Not) > 0 {
			part += " AND mean NOT IN " + q.arg(r.Not)
		}
		parts = append(parts, "("+part+")")
	}
	return fmt.Sprintf("%s IN (SELECT owner FROM (SELECT owner, name, sumKahan(value) / count() AS mean FROM (%s) WHERE value IS NOT NULL GROUP BY owner, name) WHERE %s GROUP BY owner HAVING count() = %d)",
		c.id, c.scores, strings.Join(parts, " OR "), len(all))
}

// having is the condition that a list of Seqs has one of the events.
func (q *builder) having(list string, seqs []entity.Seq) string {
	if len(seqs) == 0 {
		return "0"
	}
	return anyOf(list, q.arg(uints(seqs)))
}

// anyOf is the condition that a list has one of others, which become a set: hasAny compares each with each, and took 6 s of 100 000 rows for 20 000.
func anyOf(list, others string) string {
	return "arrayExists(one -> one IN " + others + ", " + list + ")"
}

// entitiesOf are the ids, by kind, of the entities that the events are of; ok is false when that is not known of all.
func (q *builder) entitiesOf(seqs []entity.Seq) (ids map[entity.Kind][]string, ok bool) {
	at, _, unknown := q.whereabouts.find(seqs)
	if len(unknown) > 0 {
		return nil, false
	}
	ids = map[entity.Kind][]string{}
	for key := range at {
		ids[key.kind] = append(ids[key.kind], key.id)
	}
	return ids, true
}

// observationsHaving selects the places of the observations that may have one of the events, which are of the observations with these ids: from the rows as they lie, old ones among them.
func (q *builder) observationsHaving(seqs []entity.Seq, ids []string) string {
	return "SELECT trace_id, id FROM observations WHERE project = {p1:String} AND id IN " + q.arg(ids) + " AND " + q.having("seqs", seqs)
}

// The amounts of an observation that are part of a sum: see entity.Count.
const countedTokens = "if(o.counts_tokens, o.total_tokens, NULL)"

// countedPart is a part of a cost, where the cost is part of a sum.
func countedPart(column string) string { return "if(o.counts_cost, o." + column + ", NULL)" }

// unpriced is the condition of a call whose cost is not known: as entity.Roller counts them.
const unpriced = "lower(o.type) IN ('generation', 'llm', 'embedding') AND o.duplicate_of = '' AND o.total_cost IS NULL" +
	" AND (o.status != 'error' OR o.total_tokens IS NOT NULL)"

// exactTokens adds integers beyond 64 bits, and keeps the sum within them, so that none wraps. NULL of nothing: least and greatest
// pass over it.
func exactTokens(column string) string {
	sum := "sumOrNull(toInt128(" + column + "))"
	return "if(isNull(" + sum + "), NULL, toInt64(greatest(least(" + sum + ", toInt128(9223372036854775807)), toInt128(-9223372036854775808))))"
}

// exactSum adds money in units of 1e-12, as entity.Money does, so that the sum does not depend on the order of the rows:
// a page cursor compares it with a later run. One amount counts for at most 1e15, so that no sum overflows.
func exactSum(column string) string {
	amount := "if(isNull(" + column + "), NULL, toInt128(round(greatest(least(" + column + ", 1e15), -1e15) * 1e12)))"
	return "toFloat64(sumOrNull(" + amount + ")) / 1e12"
}

// text is an expression that is NULL where there is no text.
func text(expression string) string { return "nullIf(CAST(" + expression + ", 'String'), '')" }

// number is an expression in the form in which a column of numbers is read.
func number(expression string, as store.Number) string {
	if as == store.Float {
		return "CAST(" + expression + ", 'Nullable(Float64)')"
	}
	return "CAST(" + expression + ", 'Nullable(Int64)')"
}
