package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	scoreFlags := append(filterFlags(), orderFlags()...)
	scoreFlags = append(scoreFlags,
		textFlag("observation-id", "scores of this observation"),
		textFlag("data-type", "NUMERIC, CATEGORICAL or BOOLEAN"),
		textFlag("source", "API, AUTO, HUMAN or EVAL"))
	statsFlags := append(filterFlags(),
		&cli.StringFlag{Name: "of", Sources: env("query", "of"), Value: "observations", Usage: "observations, traces, scores or events"},
		&cli.StringSliceFlag{Name: "metrics", Sources: env("query", "metrics"), Value: []string{"count"},
			Usage: "count, error_rate, latency_p50, latency_p95, latency_p99, tokens, cost, score_avg:NAME, score_count:NAME"},
		&cli.StringSliceFlag{Name: "group-by", Sources: env("query", "group-by"), Usage: "model, name, environment, user_id, type, event_type, …"},
		&cli.DurationFlag{Name: "interval", Sources: env("query", "interval"), Usage: "a row per stretch of time, 1m to 24h"},
		&cli.IntFlag{Name: "limit", Sources: env("query", "limit"), Usage: "rows, 1 to 1000"},
		textFlag("cursor", "the next_cursor of the page before"))
	return &cli.Command{
		Name:  "query",
		Usage: "read back what a server kept",
		Commands: []*cli.Command{
			list("traces", "list traces, newest first", append(filterFlags(), orderFlags()...), queryTraces),
			list("trace", "show one trace: its observations as a tree, and its scores (argument: the id)", nil, queryTrace),
			list("observations", "list observations", append(filterFlags(), orderFlags()...), queryObservations),
			list("scores", "list scores", scoreFlags, queryScores),
			list("stats", "count and aggregate", statsFlags, queryStats),
		},
	}
}

func textFlag(name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Sources: env("query", name), Usage: usage}
}

// filterFlags are the filters of the lists, named as in the API.
func filterFlags() []cli.Flag {
	number := func(name, usage string) cli.Flag {
		return &cli.FloatFlag{Name: name, Sources: env("query", name), Usage: usage, HideDefault: true}
	}
	return []cli.Flag{
		textFlag("from", "start at this time or later: RFC 3339, Unix seconds, or how long ago (24h)"),
		textFlag("to", "start before this time"),
		textFlag("name", "of the trace, observation or score"),
		textFlag("user-id", "traces of this user"),
		textFlag("session-id", "traces of this session"),
		textFlag("environment", "of the batch or trace"),
		textFlag("tag", "carries this tag"),
		textFlag("model", "uses this model"),
		textFlag("type", "observation type: generation, span, tool, …"),
		textFlag("level", "DEBUG, INFO, WARN, ERROR or DEFAULT"),
		textFlag("trace-id", "belongs to this trace"),
		number("min-latency-ms", "took at least this long"),
		number("max-latency-ms", "took at most this long"),
		number("min-cost", "cost at least this much"),
		&cli.BoolFlag{Name: "has-error", Sources: env("query", "has-error"), Usage: "with an error; --has-error=false: without"},
		&cli.StringSliceFlag{Name: "score", Sources: env("query", "score"), Usage: "condition on a score, such as 'quality>=0.8'; may be repeated"},
		textFlag("q", "text in input, output or name"),
	}
}

func orderFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("sort", "start_time or a numeric column; -column for largest first"),
		&cli.IntFlag{Name: "limit", Sources: env("query", "limit"), Value: 20, Usage: "rows, 1 to 1000"},
		textFlag("cursor", "the next_cursor of the page before"),
	}
}

// query is one command's request and where its answer goes.
type query struct {
	client *brokle.Client
	json   bool
	out    io.Writer
	filter brokle.Filter
	order  brokle.Order
}

func newQuery(c *cli.Command, std streams) (*query, error) {
	q := &query{json: c.Bool("json"), out: std.out}
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
	q.order = brokle.Order{Sort: c.String("sort"), Limit: c.Int("limit"), Cursor: c.String("cursor")}
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
	text := c.String(flag)
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return time.Now().AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return time.Now().Add(-ago), nil
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return time.Time{}, err
	}
	var t brokle.Timestamp
	if err := t.UnmarshalJSON(quoted); err != nil {
		return time.Time{}, &usageError{c.FullName(), fmt.Errorf(
			"--%s is %q: must be RFC 3339 (2026-03-14T15:00:00Z), Unix seconds, or how long ago (90m, 24h, 7d)", flag, text)}
	}
	return t.Time, nil
}

func queryTraces(ctx context.Context, c *cli.Command, q *query) error {
	if err := noArgs(c); err != nil {
		return err
	}
	page, err := q.client.Traces.Page(ctx, brokle.TraceQuery{Filter: q.filter, Order: q.order})
	if err != nil {
		return err
	}
	return show(q, page, func() error { return printTraces(q.out, page) })
}

func queryTrace(ctx context.Context, c *cli.Command, q *query) error {
	id, err := oneArg(c, "the id of a trace")
	if err != nil {
		return err
	}
	trace, err := q.client.Traces.Get(ctx, id)
	if err != nil {
		return err
	}
	return show(q, trace, func() error { return printTrace(q.out, trace) })
}

func queryObservations(ctx context.Context, c *cli.Command, q *query) error {
	if err := noArgs(c); err != nil {
		return err
	}
	page, err := q.client.Observations.Page(ctx, brokle.ObservationQuery{Filter: q.filter, Order: q.order})
	if err != nil {
		return err
	}
	return show(q, page, func() error { return printObservations(q.out, page) })
}

func queryScores(ctx context.Context, c *cli.Command, q *query) error {
	if err := noArgs(c); err != nil {
		return err
	}
	page, err := q.client.Scores.Page(ctx, brokle.ScoreQuery{
		Filter: q.filter, Order: q.order,
		ObservationID: c.String("observation-id"), DataType: c.String("data-type"), Source: c.String("source"),
	})
	if err != nil {
		return err
	}
	return show(q, page, func() error { return printScores(q.out, page) })
}

func queryStats(ctx context.Context, c *cli.Command, q *query) error {
	if err := noArgs(c); err != nil {
		return err
	}
	sq := brokle.StatsQuery{
		Filter: q.filter, Of: c.String("of"), Metrics: c.StringSlice("metrics"), GroupBy: c.StringSlice("group-by"),
		Interval: c.Duration("interval"), Limit: c.Int("limit"), Cursor: c.String("cursor"),
	}
	page, err := q.client.Stats(ctx, sq)
	if err != nil {
		return err
	}
	return show(q, page, func() error { return printStats(q.out, page, sq) })
}

// show prints an answer as JSON or as table does.
func show(q *query, answer any, table func() error) error {
	if !q.json {
		return table()
	}
	enc := json.NewEncoder(q.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(answer)
}
