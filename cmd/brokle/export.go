package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/durable"
)

// exportPage is how many events one request of an export asks for.
const exportPage = 1000

func exportCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write the stored events to a file, for import elsewhere or for safekeeping",
		ArgsUsage: "[FILE]",
		Description: "Writes one event per line (JSON Lines) in the order in which they were accepted: event_id,\n" +
			"event_type, timestamp, payload and environment. `brokle import` makes the same traces,\n" +
			"observations and scores of it. FILE is there only once it is complete; - or none is standard\n" +
			"output. A name that ends in .zst is compressed with zstd.",
		Flags: append(clientFlags(),
			exportFlag("from", "events of this time or later: RFC 3339, Unix seconds, or how long ago (24h)"),
			exportFlag("to", "events before this time"),
			exportFlag("environment", "events of this environment"),
			&cli.StringSliceFlag{Name: "trace", Sources: env("export", "trace"), Usage: "everything of this trace; may be repeated"},
			exportFlag("user", "everything of the traces of this user"),
			&cli.StringFlag{Name: "format", Sources: env("export", "format"), Value: "events",
				Usage: "events: what was accepted, for another Brokle; otlp: traces as OpenTelemetry's, a request in JSON a line, for any server; parquet: FILE is a directory, with a file for each view of docs/sql.md and day (UTC)"},
			&cli.StringSliceFlag{Name: "view", Sources: env("export", "view"), Usage: "with --format parquet, this view alone: traces, observations, scores, events or sessions; may be repeated"},
			&cli.BoolFlag{Name: "zstd", Sources: env("export", "zstd"), Usage: "compress, whatever FILE is called"},
		),
		Action: func(ctx context.Context, c *cli.Command) error { return export(ctx, c, std) },
	}
}

func exportFlag(name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Sources: env("export", name), Usage: usage}
}

func export(ctx context.Context, c *cli.Command, std streams) error {
	if c.Args().Len() > 1 {
		return &usageError{"brokle export", fmt.Errorf("takes one file, got %d", c.Args().Len())}
	}
	q, err := exportQuery(c)
	if err != nil {
		return err
	}
	format := c.String("format")
	if format == "parquet" {
		return exportParquet(ctx, c, std)
	}
	if c.IsSet("view") {
		return &usageError{"brokle export", fmt.Errorf("--view goes with --format parquet")}
	}
	if format != "events" && format != "otlp" {
		return &usageError{"brokle export", fmt.Errorf("--format is %q: must be events, otlp or parquet", format)}
	}
	client, err := newClient(c)
	if err != nil {
		return err
	}
	x := &exporter{client: client, query: q, traces: c.StringSlice("trace"), user: c.String("user")}
	start := time.Now()
	name := c.Args().First()
	out, err := createOutput(name, std, c.Bool("zstd"))
	if err != nil {
		return err
	}
	what, total, run := "events", int64(-1), x.run
	if format == "otlp" {
		what = "traces"
		run = func(ctx context.Context, out io.Writer, each func()) (int, error) {
			return x.exportOTLP(ctx, c, out, each)
		}
	} else {
		total = x.total(ctx, std)
	}
	bar := progress(std.err, "exporting", total, false)
	n, err := run(ctx, out, func() { _ = bar.Add(1) }) // only the terminal's line
	_ = bar.Exit()
	if err = out.end(err); err != nil {
		return explain(err, c)
	}
	_, err = fmt.Fprintf(std.err, "%d %s exported (%s)\n", n, what, time.Since(start).Round(time.Millisecond))
	return err
}

func exportQuery(c *cli.Command) (brokle.EventQuery, error) {
	q := brokle.EventQuery{Environment: c.String("environment"), Limit: exportPage}
	var err error
	q.From, q.To, err = parseSpan(c)
	return q, err
}

// exporter reads events and writes them as lines.
type exporter struct {
	client *brokle.Client
	query  brokle.EventQuery
	traces []string
	user   string
}

// total is how many events to expect, for the bar; −1 when nobody looks or it is not known.
func (x *exporter) total(ctx context.Context, std streams) int64 {
	if _, visible := terminal(std.err); !visible || x.user != "" || len(x.traces) > 0 {
		return -1
	}
	page, err := x.client.Stats(ctx, brokle.StatsQuery{Of: "events", Metrics: []string{"count"},
		Filter: brokle.Filter{From: x.query.From, To: x.query.To, Environment: x.query.Environment}})
	if err != nil || len(page.Data) != 1 {
		return -1 // the export itself will say what is wrong
	}
	n, ok := page.Data[0]["count"].(float64)
	if !ok {
		return -1
	}
	return int64(n)
}

// exportLine is one line: the event as a client sends it, and its environment.
type exportLine struct {
	brokle.Event
	Environment string `json:"environment"`
}

// run writes all events and returns how many they were.
func (x *exporter) run(ctx context.Context, out io.Writer, each func()) (int, error) {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false) // payloads stay as they are
	n := 0
	for q, err := range x.queries(ctx) {
		if err != nil {
			return n, err
		}
		for ev, err := range x.client.Events.List(ctx, q) {
			if err != nil {
				return n, err
			}
			line := exportLine{Environment: ev.Environment, Event: brokle.Event{
				ID: ev.EventID, Type: ev.EventType, Payload: ev.Payload, Timestamp: brokle.At(ev.Timestamp),
			}}
			if err := enc.Encode(line); err != nil {
				return n, fmt.Errorf("write event: %w", err)
			}
			n++
			each()
		}
	}
	return n, nil
}

// queries are the walks over the events that the export is made of: one, or
// one for each trace.
func (x *exporter) queries(ctx context.Context) iter.Seq2[brokle.EventQuery, error] {
	return func(yield func(brokle.EventQuery, error) bool) {
		if x.user == "" && len(x.traces) == 0 {
			yield(x.query, nil)
			return
		}
		q := x.query
		for _, q.TraceID = range x.traces {
			if !yield(q, nil) {
				return
			}
		}
		if x.user == "" {
			return
		}
		traces := brokle.TraceQuery{Filter: brokle.Filter{UserID: x.user}, Order: brokle.Order{Sort: "start_time", Limit: exportPage}}
		for tr, err := range x.client.Traces.List(ctx, traces) {
			q.TraceID = tr.ID
			if !yield(q, err) {
				return
			}
		}
	}
}

// output is where an export goes. A file has its name only once it is complete.
type output struct {
	*bufio.Writer
	zstd *zstd.Encoder // or nil
	file *os.File      // or nil: standard output
	name string
}

func createOutput(name string, std streams, compress bool) (*output, error) {
	o := &output{name: name}
	to := std.out
	if name != "" && name != "-" {
		var err error
		if o.file, err = os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return nil, err
		}
		to = o.file
	}
	if compress || strings.HasSuffix(name, ".zst") {
		var err error
		if o.zstd, err = zstd.NewWriter(to); err != nil {
			return nil, err
		}
		to = o.zstd
	}
	o.Writer = bufio.NewWriterSize(to, 64<<10)
	return o, nil
}

// end completes the output; after err, which it returns, it removes the file.
func (o *output) end(err error) error {
	step := func(do func() error) {
		if err == nil {
			err = do()
		}
	}
	step(o.Flush)
	if o.zstd != nil {
		step(o.zstd.Close)
	}
	if o.file == nil {
		return err
	}
	step(o.file.Sync)
	_ = o.file.Close() // synced before, or not to be kept
	step(func() error { return os.Rename(o.file.Name(), o.name) })
	step(func() error { return durable.SyncDir(filepath.Dir(o.name)) })
	if err != nil {
		_ = os.Remove(o.file.Name())
	}
	return err
}
