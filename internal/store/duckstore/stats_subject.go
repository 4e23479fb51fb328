package duckstore

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// subject is what statistics can be of: its groups, metrics and filters as SQL.
type subject struct {
	columns columns
	groups  map[string]string
	metrics map[string]string
	// scored says that score_avg and score_count can be asked.
	scored bool
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

func subjectOf(of string) (*subject, error) {
	switch of {
	case "", "observations":
		return &subject{columns: observationColumns, scored: true,
			groups: map[string]string{
				"model": "o.model", "name": "o.name", "environment": "o.environment", "type": "o.type", "level": "o.level",
				"provider": "o.provider", "version": "o.version", "trace_id": "o.trace_id",
				"user_id": observationColumns.userID, "session_id": observationColumns.sessionID, "release": "coalesce(o.release, t.release)",
			},
			metrics: metricsOf("o.level = 'ERROR'", "o.latency_ms", map[string]string{
				"tokens": saturate("sum(" + countedTokens + ")"), "cost": exactSum(countedCost)}),
		}, nil
	case "traces":
		return &subject{scored: true,
			groups: map[string]string{
				"name": "tr.name", "environment": "tr.environment", "user_id": "tr.user_id", "session_id": "tr.session_id",
				"version": "tr.version", "release": "tr.release",
			},
			metrics: metricsOf("tr.error_count > 0", "tr.latency_ms", map[string]string{
				"tokens": saturate("sum(tr.total_tokens)"), "cost": exactSum("tr.total_cost")}),
		}, nil
	case "scores":
		return &subject{columns: scoreColumns, scored: true,
			groups: map[string]string{
				"name": "sc.name", "environment": "sc.environment", "data_type": "sc.data_type", "source": "sc.source",
				"evaluator_name": "sc.evaluator_name", "evaluator_version": "sc.evaluator_version", "string_value": "sc.string_value",
				"trace_id": "sc.placed_in", "user_id": "t.user_id", "session_id": "t.session_id", "release": "t.release",
				"model": "o.model", "type": "o.type", "level": "o.level", "provider": "o.provider", "version": "o.version",
				valueBucket: bucketBound(""),
			},
			metrics: metricsOf("", "", nil),
		}, nil
	case "events":
		return &subject{
			columns: columns{time: "ts", id: "event_id", name: "name", userID: "user_id", sessionID: "session_id",
				environment: eventEnvironment, tags: "tags", model: "model", typ: "type", level: "level", traceID: "trace_id",
				latency: "latency_ms", cost: "total_cost", failed: "coalesce(level, '') = 'ERROR'",
				found: func(q *query, seqs []entity.Seq) string { return "seq IN (" + q.seqs(seqs) + ")" }},
			groups: map[string]string{
				"event_type": "event_type", "name": "name", "environment": eventEnvironment, "user_id": "user_id",
				"session_id": "session_id", "model": "model", "type": "type", "level": "level", "provider": "provider",
				"version": "version", "release": "release", "trace_id": "trace_id",
			},
			metrics: metricsOf("level = 'ERROR'", "", map[string]string{
				"tokens": saturate("sum(total_tokens)"), "cost": exactSum("total_cost")}),
		}, nil
	}
	return nil, &store.QueryError{Param: "of", Message: "must be observations, traces, scores or events"}
}
