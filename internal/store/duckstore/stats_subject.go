package duckstore

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// subject is what statistics can be of: its groups, metrics and filters as SQL.
type subject struct {
	columns columns
	time    string // the column of its time
	groups  map[string]string
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
		return &subject{columns: traceColumns, time: "tr.start_time",
			groups: map[string]string{
				"name": "tr.name", "environment": "tr.environment", "user_id": "tr.user_id", "session_id": "tr.session_id",
				"version": "tr.version", "release": "tr.release",
			},
			metrics: metricsOf("tr.error_count > 0", "tr.latency_ms", map[string]string{
				"tokens": saturate("sum(tr.total_tokens)"), "cost": exactSum("tr.total_cost")}),
		}
	case "scores":
		return &subject{columns: scoreColumns, time: "sc.timestamp",
			groups: map[string]string{
				"name": "sc.name", "environment": "sc.environment", "data_type": "sc.data_type", "source": "sc.source",
				"evaluator_name": "sc.evaluator_name", "evaluator_version": "sc.evaluator_version", "string_value": "sc.string_value",
				"trace_id": "sc.placed_in", "user_id": "t.user_id", "session_id": "t.session_id", "release": "t.release",
				"model": "o.model", "type": "o.type", "level": "o.level", "provider": "o.provider", "version": "o.version",
				store.GroupValue: bucketBound(""),
			},
			metrics: metricsOf("", "", nil),
		}
	case "events":
		return &subject{
			time: "ts",
			columns: columns{
				of: map[string]string{
					"time": "ts", "name": "name", "user_id": "user_id", "session_id": "session_id", "environment": eventEnvironment,
					"tag": "list_contains(tags, %s)", "model": "model", "type": "type", "level": "level", "trace_id": "trace_id",
					"latency_ms": "latency_ms", "total_cost": "total_cost", "has_error": "(coalesce(level, '') = 'ERROR')",
				},
				found: func(q *builder, seqs []entity.Seq) string { return "seq IN (" + q.seqs(seqs) + ")" },
			},
			groups: map[string]string{
				"event_type": "event_type", "name": "name", "environment": eventEnvironment, "user_id": "user_id",
				"session_id": "session_id", "model": "model", "type": "type", "level": "level", "provider": "provider",
				"version": "version", "release": "release", "trace_id": "trace_id",
			},
			metrics: metricsOf("level = 'ERROR'", "", map[string]string{
				"tokens": saturate("sum(total_tokens)"), "cost": exactSum("total_cost")}),
		}
	}
	return &subject{columns: observationColumns, time: "o.start_time",
		groups: map[string]string{
			"model": "o.model", "name": "o.name", "environment": "o.environment", "type": "o.type", "level": "o.level",
			"provider": "o.provider", "version": "o.version", "trace_id": "o.trace_id",
			"user_id": observationColumns.of["user_id"], "session_id": observationColumns.of["session_id"], "release": "coalesce(o.release, t.release)",
		},
		metrics: metricsOf("o.level = 'ERROR'", "o.latency_ms", map[string]string{
			"tokens": saturate("sum(" + countedTokens + ")"), "cost": exactSum(countedCost)}),
	}
}
