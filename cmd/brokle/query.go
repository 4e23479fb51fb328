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
	return &cli.Command{
		Name:  "query",
		Usage: "read back what a server kept",
		Commands: []*cli.Command{
			tracesCommand(std), traceCommand(std), sessionCommand(std), observationCommand(std), observationsCommand(std), scoresCommand(std), sessionsCommand(std),
			usersCommand(std), environmentsCommand(std), eventsCommand(std), statsCommand(std),
		},
	}
}

// list is a command that prints rows of T, as a table or as JSON.
type list[T any] struct {
	name, usage string
	flags       []cli.Flag // beside those of every list; nil: the filters and the order of the list
	page        func(ctx context.Context, q *query, cursor string) (*brokle.Page[T], error)
	columns     []string // of the table, as newTable is told
	cells       func(T) []string
	shape       func(q *query) ([]string, func(T) []string) // what columns and cells are, where the question says it
}

func (l list[T]) command(std streams) *cli.Command {
	if l.flags == nil {
		l.flags = listFlags(l.name)
	}
	return &cli.Command{
		Name: l.name, Usage: l.usage,
		Flags: append(append(clientFlags(), jsonFlag("query"), csvFlag("query")), l.flags...),
		Action: func(ctx context.Context, c *cli.Command) error {
			q, err := newQuery(c)
			if err != nil {
				return err
			}
			if err := noArgs(c); err != nil {
				return err
			}
			p, err := l.pages(ctx, q)
			switch {
			case err != nil:
				return explain(err, c)
			case c.Bool("json"):
				return printJSON(std.out, p)
			case c.Bool("csv"):
				return l.csv(std, q, p)
			}
			columns, cells := l.columns, l.cells
			if l.shape != nil {
				columns, cells = l.shape(q)
			}
			t := newTable(std.out, columns...).fit()
			for _, r := range p.Data {
				t.row(cells(r)...)
			}
			return t.end(std.out, len(p.Data), p.NextCursor)
		},
	}
}

// csv prints a page as CSV, and on the other output how to go on.
func (l list[T]) csv(std streams, q *query, p *brokle.Page[T]) error {
	var names []string
	if l.shape != nil {
		names = statsNames(q)
	}
	if err := printCSV(std.out, names, p.Data); err != nil || p.NextCursor == nil {
		return err
	}
	_, err := fmt.Fprintf(std.err, "more: --cursor %s or --all\n", *p.NextCursor)
	return err
}

// pages reads one page, or with --all every one as if they were one.
func (l list[T]) pages(ctx context.Context, q *query) (*brokle.Page[T], error) {
	p, err := l.page(ctx, q, q.order.Cursor)
	for err == nil && q.all && p.NextCursor != nil {
		var next *brokle.Page[T]
		if next, err = l.page(ctx, q, *p.NextCursor); err == nil {
			p.Data, p.NextCursor = append(p.Data, next.Data...), next.NextCursor
		}
	}
	return p, err
}

func listFlags(name string) []cli.Flag { return append(filterFlags(name), orderFlags(name)...) }

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
		{"key_id", textFlag("key-id", "brought by the key of this id")},
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

// query is one command's request.
type query struct {
	client *brokle.Client
	all    bool
	filter brokle.Filter
	order  brokle.Order
	// of scores only
	observationID, dataType, source string
	stats                           brokle.StatsQuery
}

func newQuery(c *cli.Command) (*query, error) {
	q := &query{all: c.Bool("all")}
	q.filter = filterOf(c)
	var err error
	if q.filter.From, q.filter.To, err = parseSpan(c); err != nil {
		return nil, err
	}
	q.observationID, q.dataType, q.source = c.String("observation-id"), c.String("data-type"), c.String("source")
	for _, text := range conditions(c) {
		if err := q.where(c.Name, text); err != nil {
			return nil, &usageError{c.FullName(), err}
		}
	}
	q.order = brokle.Order{Sort: c.String("sort"), Limit: c.Int("limit"), Cursor: c.String("cursor")}
	if q.all && !c.IsSet("limit") {
		q.order.Limit = exportPage // the fewest requests
	}
	q.stats = brokle.StatsQuery{
		Filter: q.filter, Of: c.String("of"), Metrics: metricsOf(c), GroupBy: c.StringSlice("group-by"),
		Interval: c.Duration("interval"), Zone: c.String("tz"), Limit: q.order.Limit,
	}
	q.client, err = newClient(c)
	return q, err
}

// filterOf is what the flags filter by, but for the time. A flag that the command has not is not set.
func filterOf(c *cli.Command) brokle.Filter {
	return brokle.Filter{
		Name: c.String("name"), UserID: c.String("user-id"), SessionID: c.String("session-id"),
		Environment: c.String("environment"), KeyID: c.String("key-id"), Tag: c.String("tag"), Model: c.String("model"), Type: c.String("type"),
		Level: c.String("level"), TraceID: c.String("trace-id"), Scores: c.StringSlice("score"), Text: c.String("q"),
		MinLatencyMS: ifSet(c, "min-latency-ms", c.Float), MaxLatencyMS: ifSet(c, "max-latency-ms", c.Float),
		MinCost: ifSet(c, "min-cost", c.Float), HasError: ifSet(c, "has-error", c.Bool),
	}
}

func ifSet[T any](c *cli.Command, name string, get func(string) T) *T {
	if !c.IsSet(name) {
		return nil
	}
	v := get(name)
	return &v
}

// parseSpan reads the flags from and to.
func parseSpan(c *cli.Command) (from, to time.Time, err error) {
	if from, err = parseWhen(c, "from"); err == nil {
		to, err = parseWhen(c, "to")
	}
	return from, to, err
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
	if day, err := time.Parse(time.DateOnly, text); err == nil && day.Year() >= 1970 {
		return day, nil
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return time.Time{}, err
	}
	var t brokle.Timestamp
	if err := t.UnmarshalJSON(quoted); err != nil {
		return time.Time{}, fmt.Errorf("%q must be a date (2026-03-14, its first moment in UTC), RFC 3339 (2026-03-14T15:00:00Z), Unix seconds, or how long ago (90m, 24h, 7d)", text)
	}
	return t.Time, nil
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
