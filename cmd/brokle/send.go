package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

func sendCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "send",
		Usage:     "send events from a file, or from standard input",
		ArgsUsage: "[FILE]",
		Description: "FILE holds JSON Lines, plain or compressed with gzip or zstd; - or none is standard input.\n" +
			"A line with event_type and payload is an event; any other object is a payload and becomes an\n" +
			"event of --type. Events without an event_id get one that follows from their content, so sending\n" +
			"a file twice counts it once. The exit code is 1 when at least one event failed.",
		Flags: append(clientFlags(),
			&cli.StringFlag{Name: "type", Sources: env("send", "type"), Value: string(brokle.EventCreate), Usage: "event type of bare payloads"},
			&cli.StringFlag{Name: "environment", Sources: env("environment"), Usage: "environment of all events (default: what their lines say, or \"default\")"},
			&cli.IntFlag{Name: "batch-size", Sources: env("send", "batch-size"), Value: 500, Usage: "events in a request, 1 to 1000"},
			&cli.IntFlag{Name: "concurrency", Sources: env("send", "concurrency"), Value: 4, Usage: "requests at once, 1 to 64"},
			&cli.IntFlag{Name: "max-retries", Sources: env("send", "max-retries"), Value: 8,
				Usage: "how often a request is sent again after 429, 503 or no answer, 0 to 1000"},
			&cli.DurationFlag{Name: "dedup-ttl", Sources: env("send", "dedup-ttl"), Value: brokle.MaxDedupTTL * time.Second,
				Usage: "how long the server remembers the ids, 1m to 24h"},
			jsonFlag("send"),
		),
		Action: func(ctx context.Context, c *cli.Command) error { return send(ctx, c, std) },
	}
}

func send(ctx context.Context, c *cli.Command, std streams) error {
	s, err := newSender(c, c.Duration("dedup-ttl"), brokle.EventType(c.String("type")))
	if err != nil {
		return err
	}
	if c.Args().Len() > 1 {
		return &usageError{"brokle send", fmt.Errorf("takes one file, got %d", c.Args().Len())}
	}
	start := time.Now()
	err = s.runFile(ctx, c.Args().First(), std)
	return s.finish(c, std, start, err)
}

// newSender makes the sender that the flags ask for.
func newSender(c *cli.Command, ttl time.Duration, wrap brokle.EventType) (*sender, error) {
	s := &sender{
		size: c.Int("batch-size"), concurrency: c.Int("concurrency"), retries: c.Int("max-retries"),
		wrap: wrap, environment: c.String("environment"), ttl: ttl, backoff: brokle.ExponentialBackoff{},
	}
	if err := s.validate(); err != nil {
		return nil, &usageError{c.FullName(), err}
	}
	client, err := newClient(c)
	if err != nil {
		return nil, err
	}
	s.post = client.SendBatch
	return s, nil
}

// finish reports, and returns what the command does.
func (s *sender) finish(c *cli.Command, std streams, start time.Time, err error) error {
	if err != nil && s.Requests == 0 && s.Failed == 0 {
		return explain(err, c) // there is nothing to report
	}
	if reportErr := s.report(std, c.Bool("json"), time.Since(start)); reportErr != nil {
		return reportErr
	}
	if err != nil {
		return explain(err, c)
	}
	if s.Failed > 0 {
		return errReported
	}
	return nil
}

// runFile sends all of one file, plain or compressed; "" and - are standard input.
func (s *sender) runFile(ctx context.Context, name string, std streams) error {
	in, size, closeIn, err := openInput(name, std)
	if err != nil {
		return err
	}
	defer closeIn()
	bar := progress(std.err, "sending", size, true)
	text, err := decompress(io.TeeReader(in, bar))
	if err != nil {
		return fmt.Errorf("open input: %w", err)
	}
	err = s.run(ctx, text)
	_ = bar.Exit() // only the terminal's line
	return err
}

// openInput opens the named file, or standard input. size is −1 when unknown.
func openInput(name string, std streams) (in io.Reader, size int64, closeIn func(), err error) {
	if name == "" || name == "-" {
		return std.in, -1, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	size = -1
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, func() { _ = f.Close() }, nil // read only: nothing can be lost
}

// progress is a bar over bytes or a count, drawn when w is a terminal. total
// is −1 when unknown.
func progress(w io.Writer, what string, total int64, bytes bool) *progressbar.ProgressBar {
	_, visible := terminal(w)
	return progressbar.NewOptions64(total,
		progressbar.OptionSetVisibility(visible),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond),
	)
}

// report prints the counts and the first failures.
func (s *sender) report(std streams, asJSON bool, took time.Duration) error {
	if asJSON {
		s.Seconds = took.Seconds()
		return json.NewEncoder(std.out).Encode(s.tally)
	}
	for _, f := range s.Errors {
		if _, err := fmt.Fprintln(std.err, f.text()); err != nil {
			return err
		}
	}
	if more := s.Failed - len(s.Errors); more > 0 && len(s.Errors) > 0 {
		if _, err := fmt.Fprintf(std.err, "… and %d more\n", more); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(std.out, "%d processed, %d duplicate, %d failed (%d requests, %s)\n",
		s.Processed, s.Duplicate, s.Failed, s.Requests, took.Round(time.Millisecond))
	return err
}
