package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// observationCommand shows one observation. `brokle query observation` is the same.
func observationCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "observation",
		Usage:     "show one observation: model, tokens, cost, input and output",
		ArgsUsage: "ID",
		Flags: append(clientFlags(), jsonFlag("query"),
			&cli.StringFlag{Name: "trace-id", Sources: env("query", "trace-id"), Usage: "the trace that it is of; needed where several have an observation of this id"}),
		Action: one(std, "the id of an observation", func(ctx context.Context, c *cli.Command, client *brokle.Client, id string) (*brokle.Observation, error) {
			return client.Observations.GetIn(ctx, c.String("trace-id"), id)
		}, printObservation),
	}
}

func printObservation(out io.Writer, o *brokle.Observation) error {
	t := newTable(out).fit()
	for _, l := range observationLines(o) {
		if l.value != "" && l.value != "-" {
			t.row(l.name, l.value)
		}
	}
	return t.flush()
}

type named struct{ name, value string }

// observationLines are what there is to say of an observation; "" and "-" are nothing.
func observationLines(o *brokle.Observation) []named {
	lines := []named{
		{"observation", o.ID}, {"trace", o.TraceID}, {"parent", o.ParentObservationID}, {"type", o.Type}, {"name", o.Name}, {"level", o.Level},
		{"status", o.Status}, {"error", strings.Join(strings.Fields(o.ErrorType+" "+o.StatusMessage), " ")}, {"environment", o.Environment}, {"version", o.Version},
		{"start", when(o.StartTime) + " UTC"}, {"latency", latency(o.LatencyMS)}, {"first token", latency(o.TimeToFirstTokenMS)},
		{"model", o.Model}, {"asked for", otherThan(o.RequestedModel, o.Model)}, {"provider", o.Provider}, {"service tier", o.ServiceTier}, {"finish reason", o.FinishReason},
		{"tokens", tokensOf(o)}, {"cost", cost(o.TotalCost)}, {"cost source", costSource(o)}, {"tags", strings.Join(o.Tags, ", ")},
	}
	if o.DuplicateOf != "" {
		lines = append(lines, named{"duplicate of", o.DuplicateOf})
	}
	lines = append(lines, named{"parameters", preview(o.ModelParameters)}, named{"input", preview(o.Input)}, named{"output", preview(o.Output)}, named{"metadata", preview(o.Metadata)})
	if o.Ambiguous {
		lines = append(lines, named{"note", "other traces have an observation of this id; this is the newest, --trace-id names another"})
	}
	return lines
}

// otherThan is s, "" when it is the same as another.
func otherThan(s, other string) string {
	if s == other {
		return ""
	}
	return s
}

// tokensOf is the total, and its parts that are known.
func tokensOf(o *brokle.Observation) string {
	var parts []string
	for _, p := range []struct {
		name string
		n    *int64
	}{
		{"in", o.PromptTokens}, {"read from cache", o.CacheReadTokens}, {"written to cache", o.CacheWriteTokens}, {"out", o.CompletionTokens}, {"reasoning", o.ReasoningTokens},
	} {
		if p.n != nil && *p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", *p.n, p.name))
		}
	}
	if len(parts) == 0 {
		return count(o.TotalTokens)
	}
	return fmt.Sprintf("%s (%s)", count(o.TotalTokens), strings.Join(parts, ", "))
}
