package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

func queryCommand(std streams) *cli.Command {
	list := func(name, usage string, flags []cli.Flag, action func(context.Context, *cli.Command, *query) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage,
			Flags: append(append(clientFlags(), jsonFlag("query")), flags...),
			Action: func(ctx context.Context, c *cli.Command) error {
				q, err := newQuery(c, std)
				if err != nil {
					return err
				}
				return explain(action(ctx, c, q), c)
			},
		}
	}
	lists := func(name string) []cli.Flag { return append(filterFlags(name), orderFlags(name)...) }
	scoreFlags := append(lists("scores"),
		textFlag("observation-id", "scores of this observation"),
		textFlag("data-type", "NUMERIC, CATEGORICAL or BOOLEAN"),
		textFlag("source", "API, AUTO, HUMAN or EVAL"))
	statsFlags := append(filterFlags("stats"), allFlag(),
		&cli.StringFlag{Name: "of", Sources: env("query", "of"), Value: "observations", Usage: "observations, traces, scores or events"},
		&cli.GenericFlag{Name: "metrics", Sources: env("query", "metrics"), Value: &texts{}, DefaultText: "count",
			Usage: "count, error_rate, latency_p50, latency_p95, latency_p99, tokens, cost, score_avg:NAME, score_count:NAME; an odd name as a JSON string"},
		&cli.StringSliceFlag{Name: "group-by", Sources: env("query", "group-by"), Usage: "model, name, environment, user_id, type, event_type, …"},
		&cli.DurationFlag{Name: "interval", Sources: env("query", "interval"), Usage: "a row per stretch of time, 1m to 24h"},
		&cli.IntFlag{Name: "limit", Sources: env("query", "limit"), Usage: "rows, 1 to 1000"},
		textFlag("cursor", "the next_cursor of the page before"))
	return &cli.Command{
		Name:  "query",
		Usage: "read back what a server kept",
		Commands: []*cli.Command{
			list("traces", "list traces, newest first", lists("traces"), queryTraces),
			traceCommand(std),
			sessionCommand(std),
			list("observations", "list observations", lists("observations"), queryObservations),
			list("scores", "list scores", scoreFlags, queryScores),
			list("sessions", "list sessions, last seen first", lists("sessions"), querySessions),
			list("users", "list users, last seen first", lists("users"), queryUsers),
			list("environments", "list environments", lists("environments"), queryEnvironments),
			list("events", "list the events as they were accepted, oldest first", lists("events"), queryEvents),
			list("stats", "count and aggregate", statsFlags, queryStats),
		},
	}
}

func textFlag(name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Sources: env("query", name), Usage: usage}
}

// filterFlags are the filters that a list takes, named as in the API.
func filterFlags(list string) []cli.Flag {
	number := func(name, usage string) cli.Flag {
		return &cli.FloatFlag{Name: name, Sources: env("query", name), Usage: usage, HideDefault: true}
	}
	flags := []cli.Flag{whereFlag()}
	for _, f := range []struct {
		field string // of possible
		flag  cli.Flag
	}{
		{"start_time", textFlag("from", "start at this time or later: RFC 3339, Unix seconds, or how long ago (24h)")},
		{"start_time", textFlag("to", "start before this time")},
		{"name", textFlag("name", "of the trace, observation or score")},
		{"user_id", textFlag("user-id", "traces of this user")},
		{"session_id", textFlag("session-id", "traces of this session")},
		{"environment", textFlag("environment", "of the batch or trace")},
		{"tag", textFlag("tag", "carries this tag")},
		{"model", textFlag("model", "uses this model")},
		{"type", textFlag("type", "observation type: generation, span, tool, …")},
		{"level", textFlag("level", "DEBUG, INFO, WARN, ERROR or DEFAULT")},
		{"trace_id", textFlag("trace-id", "belongs to this trace")},
		{"latency_ms", number("min-latency-ms", "took at least this long")},
		{"latency_ms", number("max-latency-ms", "took at most this long")},
		{"cost", number("min-cost", "cost at least this much")},
		{"has_error", &cli.BoolFlag{Name: "has-error", Sources: env("query", "has-error"), Usage: "with an error; --has-error=false: without"}},
		{"score:NAME", &cli.StringSliceFlag{Name: "score", Sources: env("query", "score"), Usage: "condition on a score, such as 'quality>=0.8'; may be repeated"}},
		{"text", textFlag("q", "words in input, output or name, a phrase in double quotes")},
	} {
		if slices.Contains(possible[list], f.field) {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

func orderFlags(list string) []cli.Flag {
	flags := []cli.Flag{
		&cli.IntFlag{Name: "limit", Sources: env("query", "limit"), Value: 20, Usage: "rows, 1 to 1000"},
		textFlag("cursor", "the next_cursor of the page before"),
		allFlag(),
	}
	if list == "events" { // they come in the order of acceptance
		return flags
	}
	return append(flags, textFlag("sort", "a time or a numeric column, such as start_time or total_cost; -column for largest first"))
}

func allFlag() cli.Flag {
	return &cli.BoolFlag{Name: "all", Sources: env("query", "all"), Usage: "all pages, not only the first"}
}

// query is one command's request and where its answer goes.
type query struct {
	client *brokle.Client
	json   bool
	out    io.Writer
	all    bool
	filter brokle.Filter
	order  brokle.Order
	// of scores only
	observationID, dataType, source string
}

func newQuery(c *cli.Command, std streams) (*query, error) {
	q := &query{json: c.Bool("json"), all: c.Bool("all"), out: std.out}
	from, err := parseWhen(c, "from")
	if err != nil {
		return nil, err
	}
	to, err := parseWhen(c, "to")
	if err != nil {
		return nil, err
	}
	q.filter = brokle.Filter{
		From: from, To: to, Name: c.String("name"), UserID: c.String("user-id"), SessionID: c.String("session-id"),
		Environment: c.String("environment"), Tag: c.String("tag"), Model: c.String("model"), Type: c.String("type"),
		Level: c.String("level"), TraceID: c.String("trace-id"), Scores: c.StringSlice("score"), Text: c.String("q"),
		MinLatencyMS: number(c, "min-latency-ms"), MaxLatencyMS: number(c, "max-latency-ms"), MinCost: number(c, "min-cost"),
	}
	if c.IsSet("has-error") {
		v := c.Bool("has-error")
		q.filter.HasError = &v
	}
	q.observationID, q.dataType, q.source = c.String("observation-id"), c.String("data-type"), c.String("source")
	for _, text := range conditions(c) {
		if err := q.where(c.Name, text); err != nil {
			return nil, &usageError{c.FullName(), err}
		}
	}
	q.order = brokle.Order{Sort: c.String("sort"), Limit: c.Int("limit"), Cursor: c.String("cursor")}
	if c.Bool("all") && !c.IsSet("limit") {
		q.order.Limit = exportPage // the fewest requests
	}
	q.client, err = newClient(c)
	return q, err
}

func number(c *cli.Command, name string) *float64 {
	if !c.IsSet(name) {
		return nil
	}
	v := c.Float(name)
	return &v
}

// parseWhen reads a flag that is a time, or a duration before now.
func parseWhen(c *cli.Command, flag string) (time.Time, error) {
	t, err := timeOf(c.String(flag), time.Now())
	if err != nil {
		return t, &usageError{c.FullName(), fmt.Errorf("--%s: %w", flag, err)}
	}
	return t, nil
}

// timeOf reads a time, or a duration before now. Nothing is the zero time.
func timeOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return time.Time{}, err
	}
	var t brokle.Timestamp
	if err := t.UnmarshalJSON(quoted); err != nil {
		return time.Time{}, fmt.Errorf("%q must be RFC 3339 (2026-03-14T15:00:00Z), Unix seconds, or how long ago (90m, 24h, 7d)", text)
	}
	return t.Time, nil
}

// pages reads one page, or with --all every one as if they were one.
func pages[T any](q *query, page func(cursor string) (*brokle.Page[T], error)) (*brokle.Page[T], error) {
	p, err := page(q.order.Cursor)
	for err == nil && q.all && p.NextCursor != nil {
		var next *brokle.Page[T]
		if next, err = page(*p.NextCursor); err == nil {
			p.Data, p.NextCursor = append(p.Data, next.Data...), next.NextCursor
		}
	}
	return p, err
}

// answer reads what was asked for and prints it as JSON or as table does.
func answer[T any](c *cli.Command, q *query, page func(cursor string) (*brokle.Page[T], error), table func(io.Writer, *brokle.Page[T]) error) error {
	if err := noArgs(c); err != nil {
		return err
	}
	p, err := pages(q, page)
	if err != nil {
		return err
	}
	if q.json {
		return printJSON(q.out, p)
	}
	return table(q.out, p)
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// at is the query's order from a cursor on.
func (q *query) at(cursor string) brokle.Order {
	o := q.order
	o.Cursor = cursor
	return o
}

func queryTraces(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.TraceSummary], error) {
		return q.client.Traces.Page(ctx, brokle.TraceQuery{Filter: q.filter, Order: q.at(cursor)})
	}, printTraces)
}

func queryObservations(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.Observation], error) {
		return q.client.Observations.Page(ctx, brokle.ObservationQuery{Filter: q.filter, Order: q.at(cursor)})
	}, printObservations)
}

func queryScores(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.Score], error) {
		return q.client.Scores.Page(ctx, brokle.ScoreQuery{
			Filter: q.filter, Order: q.at(cursor), ObservationID: q.observationID, DataType: q.dataType, Source: q.source,
		})
	}, printScores)
}

func querySessions(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.SessionSummary], error) {
		return q.client.Sessions.Page(ctx, brokle.SessionQuery{Filter: q.filter, Order: q.at(cursor)})
	}, printSessions)
}

func queryUsers(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.UserSummary], error) {
		return q.client.Users.Page(ctx, brokle.UserQuery{Filter: q.filter, Order: q.at(cursor)})
	}, printUsers)
}

func queryEnvironments(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.EnvironmentSummary], error) {
		return q.client.Environments.Page(ctx, brokle.EnvironmentQuery{From: q.filter.From, To: q.filter.To, Order: q.at(cursor)})
	}, printEnvironments)
}

func queryEvents(ctx context.Context, c *cli.Command, q *query) error {
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.StoredEvent], error) {
		return q.client.Events.Page(ctx, brokle.EventQuery{From: q.filter.From, To: q.filter.To, Environment: q.filter.Environment,
			TraceID: q.filter.TraceID, Limit: q.order.Limit, Cursor: cursor})
	}, printEvents)
}

func queryStats(ctx context.Context, c *cli.Command, q *query) error {
	sq := brokle.StatsQuery{
		Filter: q.filter, Of: c.String("of"), Metrics: metricsOf(c), GroupBy: c.StringSlice("group-by"),
		Interval: c.Duration("interval"), Limit: q.order.Limit,
	}
	return answer(c, q, func(cursor string) (*brokle.Page[brokle.StatRow], error) {
		sq.Cursor = cursor
		return q.client.Stats(ctx, sq)
	}, func(out io.Writer, page *brokle.Page[brokle.StatRow]) error { return printStats(out, page, sq) })
}
