package main

import (
	"context"
	"encoding/json"
	"io"
	"net/url"

	"github.com/urfave/cli/v3"
)

// explainCommand says why something is read as it is.
func explainCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "explain",
		Usage: "say by which rule each field has its value, and which event said it",
		Commands: []*cli.Command{{
			Name: "observation", Usage: "explain one observation", ArgsUsage: "ID",
			Flags: append(clientFlags(), jsonFlag("explain"),
				&cli.StringFlag{Name: "trace-id", Sources: env("explain", "trace-id"), Usage: "the trace that it is of; needed where several have an observation of this id"}),
			Action: func(ctx context.Context, c *cli.Command) error { return explain(explainObservation(ctx, c, std), c) },
		}},
	}
}

// explanation is the answer to GET /v1/observations/{id}/explain.
type explanation struct {
	ID        string   `json:"id"`
	TraceID   string   `json:"trace_id"`
	Dialect   string   `json:"dialect"`
	Why       []reason `json:"why"`
	Ambiguous bool     `json:"ambiguous,omitempty"`
}

type reason struct {
	Field   string          `json:"field"`
	Value   json.RawMessage `json:"value"`
	Rule    string          `json:"rule"`
	EventID string          `json:"event_id"`
}

func explainObservation(ctx context.Context, c *cli.Command, std streams) error {
	id, err := oneArg(c, "the id of an observation")
	if err != nil {
		return err
	}
	query := url.Values{"id": {id}}
	if trace := c.String("trace-id"); trace != "" {
		query.Set("trace_id", trace)
	}
	var e explanation
	if err := call(ctx, c, "GET", "/v1/observations/-/explain?"+query.Encode(), &e); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, e)
	}
	return printExplanation(std.out, &e)
}

func printExplanation(out io.Writer, e *explanation) error {
	t := newTable(out).fit()
	t.row("observation", e.ID)
	t.row("trace", e.TraceID)
	if e.Dialect != "" {
		t.row("dialect", e.Dialect)
	}
	if e.Ambiguous {
		t.row("note", "other traces have an observation of this id; this is the newest, --trace-id names another")
	}
	if err := t.flush(); err != nil {
		return err
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return err
	}
	t = newTable(out, "!FIELD", "VALUE", "RULE", "EVENT").fit()
	for _, r := range e.Why {
		value := preview(r.Value)
		if string(r.Value) == "null" {
			value = "-"
		}
		t.row(r.Field, shorten(value, 60), r.Rule, r.EventID)
	}
	return t.flush()
}
