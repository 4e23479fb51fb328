package clickhouse

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// subject is what statistics can be of: its columns and metrics as SQL.
type subject struct {
	columns *columns
	metrics map[string]metricExpression
}

// metricExpression is a metric as SQL, and the form of its values.
type metricExpression struct {
	sql string
	as  store.Number
}

const eventEnvironment = "multiIf(e.environment != '', CAST(e.environment, 'String'), e.batch_environment != '', CAST(e.batch_environment, 'String'), 'default')"

var eventColumnsOf = columns{
	row:   "e.",
	of:    map[string]string{"time": us("e.ts"), "environment": eventEnvironment, "tag": "has(e.tags, %s)"},
	some:  map[string]sqltext.Some{"tag": someOf("e.tags")},
	flags: map[string][2]string{"has_error": {"e.level != 'ERROR'", "e.level = 'ERROR'"}},
	found: func(q *builder, seqs []entity.Seq) string { return "e.seq IN " + q.arg(uints(seqs)) },
}

func metricsOf(failed, latency string, more map[string]metricExpression) map[string]metricExpression {
	m := map[string]metricExpression{"count": {"count()", store.Integer}}
	if failed != "" {
		m["error_rate"] = metricExpression{"if(count() = 0, NULL, countIf(" + failed + ") / count())", store.Float}
	}
	if latency != "" {
		for name, level := range map[string]string{"latency_p50": "0.5", "latency_p95": "0.95", "latency_p99": "0.99"} {
			m[name] = metricExpression{"quantileExactInclusiveOrNull(" + level + ")(" + latency + ")", store.Float}
		}
	}
	for name, e := range more {
		m[name] = e
	}
	return m
}

func subjectOf(of string) *subject {
	integer, money := func(sql string) metricExpression { return metricExpression{sql, store.Integer} }, func(column string) metricExpression { return metricExpression{exactSum(column), store.Float} }
	switch of {
	case "traces":
		return &subject{&traceColumns, metricsOf(traceFailed, "tr.latency_ms", map[string]metricExpression{
			"tokens": integer(exactTokens("tr.total_tokens")), "cost": money("tr.total_cost"), "unpriced_count": integer("sum(tr.unpriced_count)")})}
	case "scores":
		return &subject{&scoreColumns, metricsOf("", "", nil)}
	case "events":
		return &subject{&eventColumnsOf, metricsOf("e.level = 'ERROR'", "", map[string]metricExpression{
			"tokens": integer(exactTokens("e.total_tokens")), "cost": money("e.total_cost")})}
	}
	return &subject{&observationColumns, metricsOf("o.level = 'ERROR'", "o.latency_ms", map[string]metricExpression{
		"tokens": integer(exactTokens(countedTokens)), "cost": money(countedPart("total_cost")), "cost_input": money(countedPart("input_cost")),
		"cost_cached": money(countedPart("cache_read_cost")), "cost_output": money(countedPart("output_cost")), "unpriced_count": integer("countIf(" + unpriced + ")")})}
}
