package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

func tailCommand(std streams) *cli.Command {
	text := func(name, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Sources: env("tail", name), Usage: usage}
	}
	return &cli.Command{
		Name:  "tail",
		Usage: "show events as the server accepts them, until Ctrl-C",
		Description: "One line per event. The filters are about the single event. When the connection breaks, tail\n" +
			"connects again and goes on behind the last event it has shown.",
		Flags: append(append(clientFlags(), jsonFlag("tail")),
			text("since", "begin with events of this time: RFC 3339, Unix seconds, or how long ago (10m); absent: with the next one"),
			text("name", "of the trace, observation or score"),
			text("user-id", "names this user"),
			text("session-id", "names this session"),
			text("environment", "of this environment"),
			text("key-id", "brought by the key of this id"),
			text("tag", "carries this tag"),
			text("model", "names this model"),
			text("type", "observation type: generation, span, tool, …"),
			text("event-type", "trace_create, observation_complete, quality_score_create, …"),
			text("level", "DEBUG, INFO, WARN, ERROR or DEFAULT"),
			text("trace-id", "belongs to this trace"),
			&cli.BoolFlag{Name: "has-error", Sources: env("tail", "has-error"), Usage: "with an error; --has-error=false: without"},
			&cli.IntFlag{Name: "limit", Sources: env("tail", "limit"), Usage: "end after so many events; 0: never"},
		),
		Action: func(ctx context.Context, c *cli.Command) error { return tail(ctx, c, std) },
	}
}

func tail(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	since, err := parseWhen(c, "since")
	if err != nil {
		return err
	}
	if c.Int("limit") < 0 {
		return &usageError{c.FullName(), fmt.Errorf("--limit is %d: must not be negative", c.Int("limit"))}
	}
	client, err := newClient(c)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	line := eventLine(styleOf(std.out))
	if c.Bool("json") {
		line = jsonLine
	}
	shown := 0
	for ev, err := range client.Stream(ctx, tailFilter(c, !since.IsZero())) {
		if err != nil {
			return explain(streamError(err), c)
		}
		if ev.Timestamp.Before(since) {
			continue
		}
		if err := line(std.out, &ev); err != nil {
			return err
		}
		if shown++; shown == c.Int("limit") {
			return nil
		}
	}
	return nil // Ctrl-C
}

// tailFilter is what the flags ask the stream for; from the beginning: with
// all that is stored, before what comes.
func tailFilter(c *cli.Command, beginning bool) brokle.Filter {
	f := filterOf(c)
	f.Extra = url.Values{}
	if t := c.String("event-type"); t != "" {
		f.Extra.Set("event_type", t)
	}
	if beginning {
		f.Extra.Set("last_event_id", "0") // the place before the first event
	}
	return f
}

// streamError explains a server that has no stream.
func streamError(err error) error {
	var re *brokle.RequestError
	if errors.As(err, &re) && re.StatusCode == 404 {
		return &hintError{errors.New("this server does not stream events"), "it is older than this command line; `brokle query events` lists them"}
	}
	return err
}

// jsonLine prints an event as a line of JSON, with the fields of `query events`.
func jsonLine(out io.Writer, ev *brokle.StoredEvent) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(ev)
}

// eventLine prints what tells one event from another.
func eventLine(s style) func(io.Writer, *brokle.StoredEvent) error {
	return func(out io.Writer, ev *brokle.StoredEvent) error {
		var p struct {
			ID, Name, Type, Model, Level string
			TraceID                      string          `json:"trace_id"`
			Value                        json.RawMessage `json:"value"`
			StatusMessage                string          `json:"status_message"`
		}
		// A field of another type is left out; the others are read.
		_ = json.Unmarshal(ev.Payload, &p)
		if item := spanOf(ev.Payload); item != nil {
			p.ID, p.TraceID, p.Name, p.StatusMessage = item.SpanID, item.TraceID, cmp.Or(item.Name, item.EventName, "log"), item.Status.Message
			if string(item.Status.Code) == "2" || string(item.Status.Code) == `"STATUS_CODE_ERROR"` {
				p.Level = "ERROR"
			}
		}
		parts := []string{p.Type, p.Name, p.Model, preview(p.Value)}
		switch {
		case p.Level == "ERROR":
			parts = append(parts, "ERROR", p.StatusMessage)
		case p.ID == "" && p.Name == "":
			parts = append(parts, preview(ev.Payload))
		}
		if p.ID != "" {
			parts = append(parts, "id="+p.ID)
		}
		if p.TraceID != "" {
			parts = append(parts, "trace="+p.TraceID)
		}
		about := oneLine(strings.Join(compact(parts), "  "))
		if p.Level == "ERROR" {
			about = s.red(about)
		}
		_, err := fmt.Fprintf(out, "%s  %s  %s\n", s.dim(ev.Timestamp.UTC().Format(time.DateTime+".000")),
			s.blue(fmt.Sprintf("%-20s", oneLine(string(ev.EventType)))), about)
		return err
	}
}

// compact drops what is empty.
func compact(parts []string) []string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return kept
}

// item is what a line shows of a span or a log record of OpenTelemetry.
type item struct {
	TraceID, SpanID, Name, EventName string
	Status                           struct {
		Code    json.RawMessage
		Message string
	}
}

// spanOf is the span or the log record that a payload holds; nil for none.
func spanOf(payload []byte) *item {
	var p struct {
		OTLP struct{ Span, Log *item }
	}
	// A field of another type is left out; the others are read.
	_ = json.Unmarshal(payload, &p)
	if p.OTLP.Span != nil {
		return p.OTLP.Span
	}
	return p.OTLP.Log
}
