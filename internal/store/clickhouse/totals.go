package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// latest is the later of a start and an end that may be missing, as microseconds.
func latest(start, end string) string {
	return fmt.Sprintf("max(greatest(%s, ifNull(%s, %[1]s)))", us(start), us(end))
}

// Totals answers with a page of sessions, users or environments.
func (w *Warehouse) Totals(ctx context.Context, project string, by store.Totaled, plan *store.Plan) (page []store.Total, next *store.Place, err error) {
	err = w.question(ctx, project, "query "+string(by), func(ctx context.Context, v *view) error {
		q := v.query()
		tables, conditions := q.totals(by, plan)
		keys, totals, err := v.readTotals(ctx, q, plan, tables, conditions)
		if err != nil {
			return err
		}
		keys, next = cut(keys, plan.Limit)
		page = totals[:len(keys)]
		return nil
	})
	return page, next, err
}

// totals defines grouped, which has the columns of store.Total, and conditions on it.
func (q *builder) totals(by store.Totaled, p *store.Plan) (tables, conditions []string) {
	switch by {
	case store.Environments:
		return q.environments(p), nil
	case store.Users:
		return q.tracesBy("user_id", "uniqExactIf(tr.session_id, tr.session_id != '')", "CAST([], 'Array(String)')", "CAST([], 'Array(String)')", p)
	}
	return q.tracesBy("session_id", "0", "arraySort(groupUniqArrayIf(tr.user_id, tr.user_id != ''))", "arraySort(groupUniqArray(CAST(tr.environment, 'String')))", p)
}

// tracesBy groups traces by one of their columns; empty ids are no groups. has_error is asked of the group, all else of the
// traces in it.
func (q *builder) tracesBy(column, sessions, users, environments string, p *store.Plan) (tables, conditions []string) {
	traces := p.Where
	traces.Conditions = nil
	for _, c := range p.Conditions {
		if failed, ok := c.Value.(bool); ok && c.Column == "has_error" {
			condition := "NOT failed"
			if failed {
				condition = "failed"
			}
			conditions = append(conditions, condition)
			continue
		}
		traces.Conditions = append(traces.Conditions, c)
	}
	tables, inner := q.filteredTraces(&traces)
	inner = append(inner, "tr."+column+" != ''")
	grouped := fmt.Sprintf(`SELECT tr.%s AS id, %s AS session_count, %s AS user_ids, %s AS environments, toInt64(count()) AS trace_count,
		toInt64(sum(tr.observation_count)) AS observation_count, toInt64(sum(tr.error_count)) AS error_count, max(`+traceFailed+`) AS failed, %s AS total_tokens, %s AS total_cost,
		toInt64(sum(tr.unpriced_count)) AS unpriced_count, min(%s) AS first_seen, %s AS last_seen FROM tr%s GROUP BY tr.%[1]s`,
		column, sessions, users, environments, exactTokens("tr.total_tokens"), exactSum("tr.total_cost"), us("tr.start_time"), latest("tr.start_time", "tr.end_time"), sqltext.Where(inner...))
	return append(tables, table("grouped", grouped)), conditions
}

// environments groups what is in each: a trace counts in the one that it is in, and so does an observation.
func (q *builder) environments(p *store.Plan) (tables []string) {
	tables, traces := q.filteredTraces(&p.Where)
	observations := q.conditions(&p.Where, &columns{of: map[string]string{"time": us("o.start_time")}})
	scores := q.conditions(&p.Where, &columns{of: map[string]string{"time": us("s.timestamp")}})
	parts := []string{
		`SELECT CAST(tr.environment, 'String') AS id, count() AS traces, 0 AS observations, 0 AS errors, NULL AS tokens, NULL AS cost, 0 AS unpriced, min(` + us("tr.start_time") + `) AS first, ` +
			latest("tr.start_time", "tr.end_time") + " AS last FROM tr" + sqltext.Where(traces...) + " GROUP BY id",
		`SELECT CAST(o.environment, 'String') AS id, 0 AS traces, count() AS observations, countIf(o.level = 'ERROR') AS errors, ` + exactTokens(countedTokens) + ` AS tokens, ` +
			exactSum(countedPart("total_cost")) + " AS cost, countIf(" + unpriced + ") AS unpriced, min(" + us("o.start_time") + ") AS first, " + latest("o.start_time", "o.end_time") + " AS last FROM o" + sqltext.Where(observations...) + " GROUP BY id",
		`SELECT CAST(s.environment, 'String') AS id, 0 AS traces, 0 AS observations, 0 AS errors, NULL AS tokens, NULL AS cost, 0 AS unpriced, min(` + us("s.timestamp") + ") AS first, max(" + us("s.timestamp") +
			") AS last FROM s" + sqltext.Where(scores...) + " GROUP BY id",
	}
	grouped := `SELECT id, 0 AS session_count, CAST([], 'Array(String)') AS user_ids, CAST([], 'Array(String)') AS environments, toInt64(sum(traces)) AS trace_count,
		toInt64(sum(observations)) AS observation_count, toInt64(sum(errors)) AS error_count, ifNull(sum(tokens), 0) AS total_tokens, sum(cost) AS total_cost, toInt64(sum(unpriced)) AS unpriced_count, min(first) AS first_seen, max(last) AS last_seen
		FROM (` + strings.Join(parts, " UNION ALL ") + ") GROUP BY id"
	if !p.Scored() {
		tables = append(tables, ofScores)
	}
	return append(tables, table("grouped", grouped))
}

// readTotals reads a page of grouped, and one row more.
func (v *view) readTotals(ctx context.Context, q *builder, p *store.Plan, tables, conditions []string) (keys []key, totals []store.Total, err error) {
	var id proto.ColStr
	value := newNumbers(p.Number)
	users, environments := new(proto.ColStr).Array(), new(proto.ColStr).Array()
	var sessions, traces, observations, failures, tokens, unknown, first, last proto.ColInt64
	cost := new(proto.ColFloat64).Nullable()
	result := proto.Results{
		{Name: "id", Data: &id}, {Name: "value", Data: value.data()}, {Name: "user_ids", Data: users}, {Name: "environments", Data: environments},
		{Name: "read_1", Data: &sessions}, {Name: "read_2", Data: &traces}, {Name: "read_3", Data: &observations}, {Name: "read_4", Data: &failures}, {Name: "read_5", Data: &tokens}, {Name: "read_6", Data: cost},
		{Name: "read_7", Data: &unknown}, {Name: "read_8", Data: &first}, {Name: "read_9", Data: &last},
	}
	relation := "SELECT *, '' AS tie, " + number(p.By, p.Number) + " AS value FROM grouped" + sqltext.Where(conditions...)
	// The columns are called as no table is: to the server s.trace_id is of what is called s here, also in the text of a table below.
	text := with(tables, `SELECT id, value, user_ids, environments, toInt64(session_count) AS read_1, trace_count AS read_2, observation_count AS read_3, error_count AS read_4,
		assumeNotNull(toInt64(ifNull(total_tokens, 0))) AS read_5, CAST(total_cost, 'Nullable(Float64)') AS read_6, unpriced_count AS read_7, first_seen AS read_8, last_seen AS read_9 FROM (`+relation+")"+sqltext.Where(behind(q, p))+order(p))
	err = v.rows(ctx, q, text, result, func(i int) {
		t := store.Total{ID: id.Row(i), UserIDs: slices.Clone(users.Row(i)), Environments: slices.Clone(environments.Row(i)), SessionCount: sessions.Row(i)}
		if t.UserIDs == nil {
			t.UserIDs = []string{}
		}
		t.TraceCount, t.ObservationCount, t.ErrorCount = traces.Row(i), observations.Row(i), failures.Row(i)
		t.TotalTokens, t.TotalCost, t.UnpricedCount, t.FirstSeen, t.LastSeen = tokens.Row(i), pointed(cost.Row(i)), unknown.Row(i), microTime(first.Row(i)), microTime(last.Row(i))
		keys, totals = append(keys, key{id: t.ID, value: value.row(i)}), append(totals, t)
	})
	return keys, totals, err
}
