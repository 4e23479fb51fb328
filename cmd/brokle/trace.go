package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// traceCommand shows one trace. `brokle query trace` is the same.
func traceCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "trace",
		Usage:     "draw one trace: its observations as a tree beside a time line, and its scores",
		ArgsUsage: "ID",
		Flags: append(clientFlags(), jsonFlag("query"),
			&cli.IntFlag{Name: "depth", Sources: env("query", "depth"), Usage: "levels of the tree; 0: all",
				Validator: func(n int) error {
					if n < 0 {
						return fmt.Errorf("it must not be negative")
					}
					return nil
				}},
			&cli.BoolFlag{Name: "errors", Sources: env("query", "errors"), Usage: "only what failed, and what it hangs from"}),
		Action: one(std, "the id of a trace", func(ctx context.Context, c *cli.Command, client *brokle.Client, id string) (*brokle.Trace, error) {
			tr, err := client.Traces.Get(ctx, id)
			if err == nil && c.Bool("errors") {
				tr.Observations = failedOnly(tr.Observations)
			}
			if err == nil && c.Int("depth") > 0 {
				cutBelow(tr.Observations, c.Int("depth"))
			}
			return tr, err
		}, printTrace),
	}
}

// failedOnly is the part of a tree that leads to what failed.
func failedOnly(list []*brokle.Observation) (failed []*brokle.Observation) {
	for _, o := range list {
		if o.Children = failedOnly(o.Children); len(o.Children) > 0 || o.Level == "ERROR" {
			failed = append(failed, o)
		}
	}
	return failed
}

// cutBelow leaves so many levels of a tree.
func cutBelow(list []*brokle.Observation, levels int) {
	for _, o := range list {
		if levels == 1 {
			o.Children = nil
		}
		cutBelow(o.Children, levels-1)
	}
}

// one is a command that shows the one thing of which it is given the id.
func one[T any](std streams, what string, get func(context.Context, *cli.Command, *brokle.Client, string) (T, error), print func(io.Writer, T) error) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		id, err := oneArg(c, what)
		if err != nil {
			return err
		}
		client, err := newClient(c)
		if err != nil {
			return err
		}
		got, err := get(ctx, c, client, id)
		if err != nil {
			return explain(err, c)
		}
		if c.Bool("json") {
			return printJSON(std.out, got)
		}
		return print(std.out, got)
	}
}

func printTrace(out io.Writer, tr *brokle.Trace) error {
	t := newTable(out).fit()
	line := func(name, value string) {
		if value != "" {
			t.row(name, value)
		}
	}
	line("trace", tr.ID)
	line("name", tr.Name)
	line("user", tr.UserID)
	line("session", tr.SessionID)
	line("environment", tr.Environment)
	line("release", tr.Release)
	line("tags", strings.Join(tr.Tags, ", "))
	line("start", when(tr.StartTime)+" UTC")
	line("latency", latency(tr.LatencyMS))
	line("models", strings.Join(tr.Models, ", "))
	line("tokens", number(tr.TotalTokens))
	line("cost", cost(tr.TotalCost)+missing(tr.UnpricedCount))
	line("input", preview(tr.Input))
	line("output", preview(tr.Output))
	line("metadata", preview(tr.Metadata))
	if err := t.flush(); err != nil {
		return err
	}
	if err := printTree(out, tr); err != nil || len(tr.ScoreList) == 0 {
		return err
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return err
	}
	t = newTable(out, "SCORE", ">VALUE", "OF", "SOURCE", "EVALUATOR", "COMMENT").fit()
	for _, s := range tr.ScoreList {
		of := "trace"
		if s.ObservationID != "" {
			of = s.ObservationID
		}
		t.row(s.Name, scoreValue(s), of, s.Source, s.EvaluatorName, shorten(s.Comment, 60))
	}
	return t.flush()
}

// printTree draws the observations: a row each, its bar on the trace's time axis.
func printTree(out io.Writer, tr *brokle.Trace) error {
	if len(tr.Observations) == 0 {
		return nil
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return err
	}
	w := &waterfall{axis: axisOf(tr), style: styleOf(out), scores: map[string][]string{}}
	for _, s := range tr.ScoreList {
		w.scores[s.ObservationID] = append(w.scores[s.ObservationID], s.Name+"="+scoreValue(s))
	}
	w.table = newTable(out, "!OBSERVATION", "!"+w.axis.scale(), ">LATENCY", ">TOKENS", ">COST", "MODEL", "SCORES", "OUTPUT").fit()
	w.siblings(tr.Observations, "")
	return w.table.flush()
}

// waterfall is the table of a trace's observations as it is filled.
type waterfall struct {
	*table
	axis   axis
	style  style
	scores map[string][]string // by observation id
}

// siblings adds observations of one parent, each with what hangs below it.
func (w *waterfall) siblings(list []*brokle.Observation, prefix string) {
	for i, o := range list {
		branch, below := "├─ ", "│  "
		if i == len(list)-1 {
			branch, below = "└─ ", "   "
		}
		var paint func(string) string
		output := preview(o.Output)
		if o.Level == "ERROR" {
			paint, output = w.style.red, "ERROR "+o.StatusMessage
		}
		w.painted(paint, prefix+branch+o.Type+" "+shorten(o.Name, 24), w.axis.bar(o), latency(o.LatencyMS),
			count(o.TotalTokens), cost(o.TotalCost), o.Model, strings.Join(w.scores[o.ID], " "), shorten(output, 60))
		w.siblings(o.Children, prefix+below)
	}
}

// axis is the time from the first start to the last end of a trace.
type axis struct{ start, end time.Time }

// barWidth is the length of the whole axis, in columns.
const barWidth = 30

func axisOf(tr *brokle.Trace) axis {
	a := axis{tr.StartTime, tr.StartTime}
	if tr.EndTime != nil {
		a.end = *tr.EndTime
	}
	var walk func([]*brokle.Observation)
	walk = func(list []*brokle.Observation) {
		for _, o := range list {
			if o.StartTime.Before(a.start) {
				a.start = o.StartTime
			}
			for _, at := range []*time.Time{&o.StartTime, o.EndTime} {
				if at != nil && at.After(a.end) {
					a.end = *at
				}
			}
			walk(o.Children)
		}
	}
	walk(tr.Observations)
	return a
}

// scale is the head of the bars: from 0 to the length of the trace.
func (a axis) scale() string {
	ms := float64(a.end.Sub(a.start)) / float64(time.Millisecond)
	end := latency(&ms)
	return "0" + strings.Repeat(" ", max(1, barWidth-1-len(end))) + end
}

// bar draws when o ran. One that has not ended, or took no time, is a point.
func (a axis) bar(o *brokle.Observation) string {
	from := min(a.column(o.StartTime), barWidth-1)
	if o.EndTime == nil {
		return strings.Repeat(" ", from) + "▸"
	}
	n := max(1, a.column(*o.EndTime)-from)
	if o.EndTime.After(o.StartTime) {
		return strings.Repeat(" ", from) + strings.Repeat("━", n)
	}
	return strings.Repeat(" ", from) + "╸"
}

// column is where t is on the axis, 0 to barWidth−1, or barWidth for its very end.
func (a axis) column(t time.Time) int {
	whole := a.end.Sub(a.start)
	if whole <= 0 {
		return 0
	}
	at := float64(t.Sub(a.start)) / float64(whole) * barWidth
	if t.Equal(a.end) {
		return barWidth
	}
	return min(max(int(at), 0), barWidth-1)
}
