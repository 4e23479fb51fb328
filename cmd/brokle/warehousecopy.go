package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

// warehouseCopyCommand takes a node's data to the warehouse that nodes share, and back.
func warehouseCopyCommand(std streams) *cli.Command {
	in := &configInput{}
	flags := append(in.flags([]string{"warehouse-url", "data", "warehouse-memory", "accept-loss", "log-level", "log-format"}), clientFlags()...)
	return &cli.Command{
		Name:  "copy",
		Usage: "copy everything that a running server with a warehouse of its own has to --warehouse-url; with --back, make a data directory of what is there",
		Description: "The server at --host does it, and goes on taking events; the key is an admin key of the project default. Then\n" +
			"it compares every event, sums, lists and traces, and the exit code is 1 when something differs. Stopped and\n" +
			"started with --warehouse-url, it goes on with what came since.\n" +
			"With --back no server is needed: --data is a directory to make, --from the data directory of a node, which has\n" +
			"the keys, prices and budgets. The nodes are stopped in order before.\n" +
			"Whatever ends the command, the same one goes on where it was.",
		Flags: append(flags,
			&cli.BoolFlag{Name: "back", Sources: env("copy", "back"), Usage: "copy from the shared warehouse to the new directory --data"},
			&cli.StringFlag{Name: "from", Sources: env("copy", "from"), Usage: "with --back: the data directory of a node that shares the warehouse"},
			jsonFlag("copy"),
		),
		Action: in.action(func(ctx context.Context, c *cli.Command, cfg daemon.Config) error {
			ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			show := &copyShow{std: std, asJSON: c.Bool("json"), began: time.Now()}
			switch {
			case c.Bool("back") && c.String("from") == "":
				return &usageError{"brokle warehouse copy", errors.New("--back needs --from, the data directory of a node, for its keys, prices and budgets")}
			case c.Bool("back"):
				return show.end(daemon.CopyBack(ctx, cfg, c.String("from"), newLogger(std.err, cfg), show.line))
			case c.String("from") != "":
				return &usageError{"brokle warehouse copy", errors.New("--from is of --back")}
			}
			return show.end(copyOut(ctx, c, cfg, show.line))
		}),
	}
}

// copyOut has a running server copy.
func copyOut(ctx context.Context, c *cli.Command, cfg daemon.Config, told func(daemon.CopyLine)) error {
	url, err := daemon.SharedWarehouse(cfg)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"url": url})
	if err != nil {
		return err
	}
	answer, err := request(ctx, c, http.MethodPost, "/v1/warehouse/copy", bytes.NewReader(body))
	if err != nil {
		return explain(err, c)
	}
	defer func() { _ = answer.Close() }()
	for lines := json.NewDecoder(answer); ; {
		var line daemon.CopyLine
		err := lines.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return &hintError{errors.New("the server ended the copy"), "run the command again: it goes on"}
		case err != nil:
			return &hintError{fmt.Errorf("the server does not answer any more: %w", err), "run the command again: it goes on"}
		case line.Error != "":
			return &hintError{errors.New(line.Error), "run the command again when that is mended: it goes on"}
		}
		told(line)
		if line.Result != nil {
			return nil
		}
	}
}

// copyShow shows a copy.
type copyShow struct {
	std    streams
	asJSON bool
	began  time.Time
	step   string
	set    func(at int64)
	close  func()
	result *daemon.CopyResult
}

// line shows a line on a terminal.
func (s *copyShow) line(l daemon.CopyLine) {
	if l.Step != s.step {
		s.stop()
		what, total := map[string]string{"copy": "copying", "check": "comparing events", "compare": "comparing answers"}[l.Step], int64(l.Of)
		if l.Step == "compare" {
			total = -1
		}
		bar := progress(s.std.err, what, total, false)
		s.step, s.set, s.close = l.Step, func(at int64) { _ = bar.Set64(at) }, func() { _ = bar.Exit() } // only the terminal's line
	}
	s.set(int64(l.At))
	if l.Result != nil {
		s.result = l.Result
	}
}

func (s *copyShow) stop() {
	if s.close != nil {
		s.close()
		s.close = nil
	}
}

// end prints what was found.
func (s *copyShow) end(err error) error {
	s.stop()
	if err != nil {
		return err
	}
	r := s.result
	if s.asJSON {
		err = printJSON(s.std.out, r)
	} else {
		err = s.print(r)
	}
	if err == nil && !r.Whole {
		return errReported
	}
	return err
}

func (s *copyShow) print(r *daemon.CopyResult) error {
	_, err := fmt.Fprintf(s.std.out, "%d events compared, %d of them there by another copy of the same, %d payloads byte for byte: %d missing, %d differing, %d doubled, %d too many\n"+
		"%d answers with %d rows compared, %d traces with %d events among them: %d differ\n",
		r.Events, r.Elsewhere, r.Sampled, r.Missing, r.Differing, r.Doubled, r.Surplus, r.Answers, r.Rows, r.Traces, r.TraceEvents, len(r.Differences))
	for _, what := range r.Differences {
		if err == nil {
			_, err = fmt.Fprintln(s.std.out, "  differs: "+oneLine(what))
		}
	}
	for _, what := range r.Moving {
		if err == nil {
			_, err = fmt.Fprintln(s.std.out, "  changed while it was compared: "+oneLine(what))
		}
	}
	if err != nil {
		return err
	}
	verdict := "everything is there"
	if !r.Whole {
		verdict = "they are NOT equal"
	}
	_, err = fmt.Fprintf(s.std.out, "%s (%s)\n", verdict, time.Since(s.began).Round(time.Millisecond))
	return err
}
