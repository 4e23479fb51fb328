package duckstore

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// subject is what statistics can be of: its columns and metrics as SQL.
type subject struct {
	columns columns
	metrics map[string]string
}

const eventEnvironment = "coalesce(environment, nullif(batch_environment, 'default'), 'default')"

func metricsOf(failed, latency string, more map[string]string) map[string]string {
	m := map[string]string{"count": "count(*)"}
	if failed != "" {
		m["error_rate"] = "count(*) FILTER (" + failed + ")::DOUBLE / nullif(count(*), 0)"
	}
	if latency != "" {
		for name, q := range map[string]string{"latency_p50": "0.5", "latency_p95": "0.95", "latency_p99": "0.99"} {
			m[name] = "quantile_cont(" + latency + ", " + q + ")"
		}
	}
	for name, expression := range more {
		m[name] = expression
	}
	return m
}

func subjectOf(of string) *subject {
	switch of {
	case "traces":
		return &subject{columns: traceColumns,
			metrics: metricsOf(traceFailed, "latency_ms", map[string]string{
				"tokens": saturate("sum(total_tokens)"), "cost": exactSum("total_cost"), "unpriced_count": saturate("coalesce(sum(unpriced_count), 0)")}),
		}
	case "scores":
		return &subject{columns: scoreColumns,
			metrics: metricsOf("", "", nil),
		}
	case "events":
		return &subject{
			columns: columns{
				of: map[string]string{
					"time": "ts", "environment": eventEnvironment, "tag": "list_contains(tags, %s)",
				},
				some:  map[string]sqltext.Some{"tag": someOf("tags")},
				flags: map[string][2]string{"has_error": {"coalesce(level, '') <> 'ERROR'", "level = 'ERROR'"}},
				found: func(q *builder, seqs []entity.Seq) string { return "seq IN (" + q.seqs(seqs) + ")" },
			},
			metrics: metricsOf("level = 'ERROR'", "", map[string]string{
				"tokens": saturate("sum(total_tokens)"), "cost": exactSum("total_cost")}),
		}
	}
	return &subject{columns: observationColumns,
		metrics: metricsOf("o.level = 'ERROR'", "o.latency_ms", map[string]string{
			"tokens": saturate("sum(" + countedTokens + ")"), "cost": exactSum(countedCost), "cost_input": exactSum(countedPart("input_cost")),
			"cost_cached": exactSum(countedPart("cache_read_cost")), "cost_output": exactSum(countedPart("output_cost")),
			"unpriced_count": "count(*) FILTER (" + unpriced + ")"}),
	}
}
