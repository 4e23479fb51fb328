package handover

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func sleep(ctx context.Context, d time.Duration) error { return clock.Sleep(ctx, d) }

// question is one of what both are asked about a project.
type question struct {
	name string
	ask  func(ctx context.Context, s *Side, project string) (answer, error)
}

// questions are counts and sums of everything, by several columns and by the day, and lists from both of their ends.
func questions() []question {
	sums := []string{"count", "error_rate", "tokens", "cost", "cost_input", "cost_cached", "cost_output", "unpriced_count"}
	totals := []string{"count", "error_rate", "tokens", "cost", "unpriced_count"}
	all := []question{
		counted("observations", sums, 0), counted("observations", sums, 0, "model"), counted("observations", sums, 0, "user_id"), counted("observations", sums, 0, "environment", "level", "type"),
		counted("observations", totals, 24*time.Hour), counted("traces", totals, 0), counted("traces", totals, 0, "name"), counted("traces", totals, 24*time.Hour),
		counted("scores", []string{"count"}, 0, "name", "data_type"), counted("scores", []string{"count"}, 0, "name", "value_bucket"), counted("scores", []string{"count"}, 24*time.Hour),
		counted("events", []string{"count"}, 0, "event_type"), counted("events", []string{"count", "tokens", "cost"}, 24*time.Hour),
	}
	for _, asc := range []bool{false, true} {
		all = append(all,
			listed("traces", asc, query.ListTraces, func(r *wire.TraceSummary) string { return r.ID }),
			listed("observations", asc, query.ListObservations, func(r *wire.Observation) string { return r.TraceID + " " + r.ID }),
			listed("scores", asc, query.ListScores, func(r *wire.Score) string { return r.ID }),
			listed("sessions", asc, query.ListSessions, func(r *wire.SessionSummary) string { return r.ID }),
			listed("users", asc, query.ListUsers, func(r *wire.UserSummary) string { return r.ID }),
			listed("environments", asc, query.ListEnvironments, func(r *wire.EnvironmentSummary) string { return r.Name }),
		)
	}
	return all
}

func counted(of string, metrics []string, interval time.Duration, groups ...string) question {
	name := "statistics of " + of
	if len(groups) > 0 {
		name += " by " + strings.Join(groups, ", ")
	}
	if interval > 0 {
		name += " by day"
	}
	return question{name, func(ctx context.Context, s *Side, project string) (answer, error) {
		q := store.StatsQuery{Of: of, Metrics: metrics, GroupBy: groups, Interval: interval, Limit: mostRows}
		page, err := query.ListStats(ctx, s, project, q)
		return rowsOf(page, err, func(r *wire.StatRow) string { return keyOf(*r, metrics) })
	}}
}

// keyOf is the groups of a row.
func keyOf(row wire.StatRow, metrics []string) string {
	groups := wire.StatRow{}
	for name, value := range row {
		if !slices.Contains(metrics, name) {
			groups[name] = value
		}
	}
	raw, err := json.Marshal(groups)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func listed[R any](name string, asc bool, list func(context.Context, store.Warehouse, string, store.Query) (*wire.Page[R], error), key func(*R) string) question {
	end := "newest"
	if asc {
		end = "oldest"
	}
	return question{fmt.Sprintf("the %s %s", end, name), func(ctx context.Context, s *Side, project string) (answer, error) {
		q := store.Query{Order: store.Order{Limit: mostRows, Asc: asc}}
		page, err := list(ctx, s, project, q)
		return rowsOf(page, err, key)
	}}
}
