package duckstore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Environments answers with a page of environments. A trace counts in the one
// that it is in, and so does an observation.
func (w *Warehouse) Environments(ctx context.Context, project string, eq store.EnvironmentQuery) (*store.EnvironmentPage, error) {
	f := store.Filter{From: eq.From, To: eq.To}
	p, err := newPager(project, "environments", f, eq.Order, "last_seen", totalSorts)
	if err != nil {
		return nil, err
	}
	page := &store.EnvironmentPage{}
	err = w.ask(ctx, project, "query environments", func(ctx context.Context, v *view) error {
		q := v.query()
		text, err := q.environments(&f, p)
		if err != nil {
			return err
		}
		page.Data = []wire.EnvironmentSummary{}
		page.NextCursor, err = v.page(ctx, p, q, text, func(r *sql.Rows) (k key, err error) {
			var e wire.EnvironmentSummary
			var t totals
			if err := r.Scan(append([]any{&e.Name, &k.value}, t.targets()...)...); err != nil {
				return k, err
			}
			k.id, e.Totals = e.Name, t.done()
			page.Data = append(page.Data, e)
			return k, nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (q *query) environments(f *store.Filter, p *pager) (string, error) {
	tables, traces, err := q.filteredTraces(f)
	if err != nil {
		return "", err
	}
	observations, err := q.conditions(f, columns{time: "start_time"})
	if err != nil {
		return "", err
	}
	scores, err := q.conditions(f, columns{time: "timestamp"})
	if err != nil {
		return "", err
	}
	beyond, err := p.where(q)
	if err != nil {
		return "", err
	}
	parts := []string{
		`SELECT environment AS id, count(*) AS traces, 0 AS observations, 0 AS errors, 0::HUGEINT AS tokens, 0::DOUBLE AS cost,
			min(start_time) AS first, max(greatest(start_time, end_time)) AS last FROM tr` + where(traces...) + " GROUP BY environment",
		`SELECT environment, 0, count(*), count(*) FILTER (level = 'ERROR'), coalesce(sum(` + countedTokens + `), 0), coalesce(` + exactSum(countedCost) + `, 0),
			min(start_time), max(greatest(start_time, end_time)) FROM o` + where(observations...) + " GROUP BY environment",
		"SELECT environment, 0, 0, 0, 0, 0, min(timestamp), max(timestamp) FROM s" + where(scores...) + " GROUP BY environment",
	}
	grouped := `SELECT id, sum(traces)::BIGINT AS trace_count, sum(observations)::BIGINT AS observation_count, sum(errors)::BIGINT AS error_count,
		` + saturate("sum(tokens)") + ` AS total_tokens, sum(cost) AS total_cost, min(first) AS first_seen, max(last) AS last_seen
		FROM (` + strings.Join(parts, " UNION ALL ") + ") GROUP BY id"
	return with(append(tables, ofScores, table("grouped", grouped)),
		"SELECT id, "+p.column+", "+totalColumns+" FROM grouped"+where(beyond)+p.order()), nil
}
