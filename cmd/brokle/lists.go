package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

func tracesCommand(std streams) *cli.Command {
	return list[brokle.TraceSummary]{
		name: "traces", usage: "list traces, newest first",
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.TraceSummary], error) {
			return q.client.Traces.Page(ctx, brokle.TraceQuery{Filter: q.filter, Order: q.at(cursor)})
		},
		columns: []string{"!START (UTC)", "!ID", "NAME", "USER", "SESSION", "ENV", ">LATENCY", ">OBS", ">ERR", ">TOKENS", ">COST", "SCORES"},
		cells: func(r brokle.TraceSummary) []string {
			return []string{when(r.StartTime), r.ID, shorten(r.Name, 32), shorten(r.UserID, 20), shorten(r.SessionID, 24), r.Environment, latency(r.LatencyMS),
				number(r.ObservationCount), number(r.ErrorCount), number(r.TotalTokens), cost(r.TotalCost), scoreMap(r.Scores)}
		},
	}.command(std)
}

func observationsCommand(std streams) *cli.Command {
	return list[brokle.Observation]{
		name: "observations", usage: "list observations",
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.Observation], error) {
			return q.client.Observations.Page(ctx, brokle.ObservationQuery{Filter: q.filter, Order: q.at(cursor)})
		},
		columns: []string{"!START (UTC)", "!ID", "TRACE", "TYPE", "NAME", "MODEL", "LEVEL", ">LATENCY", ">TOKENS", ">COST", "COST SOURCE", "OUTPUT"},
		cells: func(r brokle.Observation) []string {
			return []string{when(r.StartTime), r.ID, r.TraceID, r.Type, shorten(r.Name, 32), r.Model, r.Level, latency(r.LatencyMS),
				count(r.TotalTokens), cost(r.TotalCost), costSource(&r), shorten(r.OutputPreview, 48)}
		},
	}.command(std)
}

func scoresCommand(std streams) *cli.Command {
	return list[brokle.Score]{
		name: "scores", usage: "list scores",
		flags: append(listFlags("scores"),
			textFlag("observation-id", "scores of this observation"),
			textFlag("data-type", "NUMERIC, CATEGORICAL or BOOLEAN"),
			textFlag("source", "API, AUTO, HUMAN or EVAL")),
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.Score], error) {
			return q.client.Scores.Page(ctx, brokle.ScoreQuery{
				Filter: q.filter, Order: q.at(cursor), ObservationID: q.observationID, DataType: q.dataType, Source: q.source,
			})
		},
		columns: []string{"!TIME (UTC)", "!ID", "NAME", ">VALUE", "TYPE", "SOURCE", "TRACE", "OBSERVATION", "COMMENT"},
		cells: func(r brokle.Score) []string {
			return []string{when(r.Timestamp), r.ID, r.Name, scoreValue(r), r.DataType, r.Source, r.TraceID, r.ObservationID, shorten(r.Comment, 40)}
		},
	}.command(std)
}

func sessionsCommand(std streams) *cli.Command {
	return list[brokle.SessionSummary]{
		name: "sessions", usage: "list sessions, last seen first",
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.SessionSummary], error) {
			return q.client.Sessions.Page(ctx, brokle.SessionQuery{Filter: q.filter, Order: q.at(cursor)})
		},
		columns: seenColumns("!ID", "USERS", "ENV"),
		cells: func(r brokle.SessionSummary) []string {
			return seenCells(r.Totals, r.ID, shorten(strings.Join(r.UserIDs, ","), 32), strings.Join(r.Environments, ","))
		},
	}.command(std)
}

func usersCommand(std streams) *cli.Command {
	return list[brokle.UserSummary]{
		name: "users", usage: "list users, last seen first",
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.UserSummary], error) {
			return q.client.Users.Page(ctx, brokle.UserQuery{Filter: q.filter, Order: q.at(cursor)})
		},
		columns: seenColumns("!ID", ">SESSIONS"),
		cells: func(r brokle.UserSummary) []string {
			return seenCells(r.Totals, r.ID, number(r.SessionCount))
		},
	}.command(std)
}

func environmentsCommand(std streams) *cli.Command {
	return list[brokle.EnvironmentSummary]{
		name: "environments", usage: "list environments",
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.EnvironmentSummary], error) {
			return q.client.Environments.Page(ctx, brokle.EnvironmentQuery{From: q.filter.From, To: q.filter.To, Order: q.at(cursor)})
		},
		columns: seenColumns("!NAME"),
		cells:   func(r brokle.EnvironmentSummary) []string { return seenCells(r.Totals, r.Name) },
	}.command(std)
}

// seenColumns and seenCells are of what has Totals: names stand in the middle.
func seenColumns(names ...string) []string {
	return slices.Concat([]string{"!LAST SEEN (UTC)"}, names, []string{">TRACES", ">OBS", ">ERR", ">TOKENS", ">COST", "FIRST SEEN (UTC)"})
}

func seenCells(t brokle.Totals, names ...string) []string {
	return slices.Concat([]string{when(t.LastSeen)}, names, []string{number(t.TraceCount), number(t.ObservationCount),
		number(t.ErrorCount), number(t.TotalTokens), cost(t.TotalCost), when(t.FirstSeen)})
}

func eventsCommand(std streams) *cli.Command {
	return list[brokle.StoredEvent]{
		name: "events", usage: "list the events as they were accepted, oldest first",
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.StoredEvent], error) {
			return q.client.Events.Page(ctx, brokle.EventQuery{From: q.filter.From, To: q.filter.To, Environment: q.filter.Environment, KeyID: q.filter.KeyID,
				TraceID: q.filter.TraceID, Limit: q.order.Limit, Cursor: cursor})
		},
		columns: []string{"!TIME (UTC)", "!ID", "TYPE", "ENV", "RECEIVED (UTC)", "PAYLOAD"},
		cells: func(r brokle.StoredEvent) []string {
			return []string{when(r.Timestamp), r.EventID, string(r.EventType), r.Environment, when(r.ReceivedAt), preview(r.Payload)}
		},
	}.command(std)
}

func statsCommand(std streams) *cli.Command {
	return list[brokle.StatRow]{
		name: "stats", usage: "count and aggregate",
		flags: append(filterFlags("stats"), allFlag(),
			&cli.StringFlag{Name: "of", Sources: env("query", "of"), Value: "observations", Usage: "observations, traces, scores or events"},
			&cli.GenericFlag{Name: "metrics", Sources: env("query", "metrics"), Value: &texts{}, DefaultText: "count",
				Usage: "count, error_rate, latency_p50, latency_p95, latency_p99, tokens, cost, cost_input, cost_cached, cost_output, unpriced_count, score_avg:NAME, score_count:NAME; an odd name as a JSON string"},
			&cli.StringSliceFlag{Name: "group-by", Sources: env("query", "group-by"), Usage: "model, name, environment, user_id, type, event_type, …"},
			&cli.DurationFlag{Name: "interval", Sources: env("query", "interval"), Usage: "a row per stretch of time, 1m to 24h"},
			textFlag("tz", "time zone by whose clock intervals begin, such as Asia/Tokyo; UTC when empty"),
			&cli.IntFlag{Name: "limit", Sources: env("query", "limit"), Usage: "rows, 1 to 1000"},
			textFlag("cursor", "the next_cursor of the page before")),
		page: func(ctx context.Context, q *query, cursor string) (*brokle.Page[brokle.StatRow], error) {
			q.stats.Cursor = cursor
			return q.client.Stats(ctx, q.stats)
		},
		shape: statsTable,
	}.command(std)
}

// statsTable has a column for the time, for each group and for each metric, in the order asked for.
func statsTable(q *query) (columns []string, cells func(brokle.StatRow) []string) {
	names := statsNames(q)
	for _, name := range names {
		columns = append(columns, strings.ToUpper(name))
	}
	return columns, func(r brokle.StatRow) []string {
		cells := make([]string, len(names))
		for i, name := range names {
			cells[i] = statCell(r[name])
		}
		return cells
	}
}

// statsNames are the members of a row of stats, in the order asked for.
func statsNames(q *query) (names []string) {
	if q.stats.Interval > 0 {
		names = append(names, "time")
	}
	return append(append(names, q.stats.GroupBy...), q.stats.Metrics...)
}
