package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// environments groups what is in each: a trace counts in the one that it is in, and so
// does an observation.
func (q *builder) environments(p *store.Plan) (tables, conditions []string) {
	tables, traces := q.filteredTraces(&p.Where)
	observations := q.conditions(&p.Where, columns{of: map[string]string{"time": "start_time"}})
	scores := q.conditions(&p.Where, columns{of: map[string]string{"time": "timestamp"}})
	parts := []string{
		`SELECT environment AS id, count(*) AS traces, 0 AS observations, 0 AS errors, 0::HUGEINT AS tokens, NULL::DOUBLE AS cost, 0 AS unpriced,
			min(start_time) AS first, max(greatest(start_time, end_time)) AS last FROM tr` + sqltext.Where(traces...) + " GROUP BY environment",
		`SELECT environment, 0, count(*), count(*) FILTER (level = 'ERROR'), coalesce(sum(` + countedTokens + `), 0), ` + exactSum(countedCost) + `, count(*) FILTER (` + unpriced + `),
			min(start_time), max(greatest(start_time, end_time)) FROM o` + sqltext.Where(observations...) + " GROUP BY environment",
		"SELECT environment, 0, 0, 0, 0, NULL, 0, min(timestamp), max(timestamp) FROM s" + sqltext.Where(scores...) + " GROUP BY environment",
	}
	grouped := `SELECT id, sum(traces)::BIGINT AS trace_count, sum(observations)::BIGINT AS observation_count, sum(errors)::BIGINT AS error_count,
		` + saturate("sum(tokens)") + ` AS total_tokens, sum(cost) AS total_cost, sum(unpriced)::BIGINT AS unpriced_count, min(first) AS first_seen, max(last) AS last_seen
		FROM (` + strings.Join(parts, " UNION ALL ") + ") GROUP BY id"
	return append(tables, ofScores, table("grouped", grouped)), nil
}
