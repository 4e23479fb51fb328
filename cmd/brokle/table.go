package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go"
)

// table writes rows of columns to out when it is flushed.
type table struct {
	w *tabwriter.Writer
}

func newTable(out io.Writer, head ...string) *table {
	t := &table{tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)}
	if len(head) > 0 {
		t.row(head...)
	}
	return t
}

// row adds one line. The error of a write comes with end.
func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = oneLine(c)
	}
	_, _ = fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// end writes the table, and how to go on when there is more.
func (t *table) end(out io.Writer, rows int, next *string) error {
	if err := t.w.Flush(); err != nil {
		return err
	}
	if rows == 0 {
		_, err := fmt.Fprintln(out, "(none)")
		return err
	}
	if next == nil {
		return nil
	}
	_, err := fmt.Fprintf(out, "more: --cursor %s\n", *next)
	return err
}

func printTraces(out io.Writer, page *brokle.Page[brokle.TraceSummary]) error {
	t := newTable(out, "START (UTC)", "ID", "NAME", "USER", "SESSION", "ENV", "LATENCY", "OBS", "ERR", "TOKENS", "COST", "SCORES")
	for _, r := range page.Data {
		t.row(when(r.StartTime), r.ID, cut(r.Name, 32), cut(r.UserID, 20), cut(r.SessionID, 24), r.Environment, latency(r.LatencyMS),
			strconv.FormatInt(r.ObservationCount, 10), strconv.FormatInt(r.ErrorCount, 10),
			strconv.FormatInt(r.TotalTokens, 10), cost(&r.TotalCost), scoreMap(r.Scores))
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printObservations(out io.Writer, page *brokle.Page[brokle.Observation]) error {
	t := newTable(out, "START (UTC)", "ID", "TRACE", "TYPE", "NAME", "MODEL", "LEVEL", "LATENCY", "TOKENS", "COST", "OUTPUT")
	for _, r := range page.Data {
		t.row(when(r.StartTime), r.ID, r.TraceID, r.Type, cut(r.Name, 32), r.Model, r.Level, latency(r.LatencyMS),
			count(r.TotalTokens), cost(r.TotalCost), cut(r.OutputPreview, 48))
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printScores(out io.Writer, page *brokle.Page[brokle.Score]) error {
	t := newTable(out, "TIME (UTC)", "ID", "NAME", "VALUE", "TYPE", "SOURCE", "TRACE", "OBSERVATION", "COMMENT")
	for _, r := range page.Data {
		t.row(when(r.Timestamp), r.ID, r.Name, scoreValue(r), r.DataType, r.Source, r.TraceID, r.ObservationID, cut(r.Comment, 40))
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

// printStats has a column for the time, for each group and for each metric, in
// the order asked for.
func printStats(out io.Writer, page *brokle.Page[brokle.StatRow], q brokle.StatsQuery) error {
	var columns []string
	if q.Interval > 0 {
		columns = append(columns, "time")
	}
	columns = append(append(columns, q.GroupBy...), q.Metrics...)
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = strings.ToUpper(c)
	}
	t := newTable(out, head...)
	for _, r := range page.Data {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = statCell(r[c])
		}
		t.row(cells...)
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printTrace(out io.Writer, tr *brokle.Trace) error {
	t := newTable(out)
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
	line("tokens", strconv.FormatInt(tr.TotalTokens, 10))
	line("cost", cost(&tr.TotalCost))
	line("input", preview(tr.Input))
	line("output", preview(tr.Output))
	line("metadata", preview(tr.Metadata))
	if err := t.w.Flush(); err != nil {
		return err
	}
	if len(tr.Observations) > 0 {
		if _, err := fmt.Fprintln(out); err != nil {
			return err
		}
		t = newTable(out, "OBSERVATION", "NAME", "MODEL", "LEVEL", "LATENCY", "TOKENS", "COST", "OUTPUT")
		for _, o := range tr.Observations {
			t.observation(o, 0)
		}
		if err := t.w.Flush(); err != nil {
			return err
		}
	}
	if len(tr.ScoreList) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return err
	}
	t = newTable(out, "SCORE", "VALUE", "SOURCE", "EVALUATOR", "COMMENT")
	for _, s := range tr.ScoreList {
		t.row(s.Name, scoreValue(s), s.Source, s.EvaluatorName, cut(s.Comment, 60))
	}
	return t.w.Flush()
}

// observation adds o and what hangs below it, indented.
func (t *table) observation(o *brokle.Observation, depth int) {
	output := preview(o.Output)
	if o.StatusMessage != "" {
		output = o.StatusMessage
	}
	t.row(strings.Repeat("  ", depth)+o.Type, cut(o.Name, 32), o.Model, o.Level, latency(o.LatencyMS),
		count(o.TotalTokens), cost(o.TotalCost), cut(output, 60))
	for _, child := range o.Children {
		t.observation(child, depth+1)
	}
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

func latency(ms *float64) string {
	if ms == nil {
		return "-"
	}
	d := time.Duration(*ms * float64(time.Millisecond))
	if d >= time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

func count(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

func cost(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', 6, 64)
}

func scoreValue(s brokle.Score) string {
	if s.Value == nil {
		return s.StringValue
	}
	return strconv.FormatFloat(*s.Value, 'g', 6, 64)
}

func scoreMap(m map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, name+"="+statCell(m[name]))
	}
	return strings.Join(parts, " ")
}

func statCell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// preview is the beginning of a JSON value on one line.
func preview(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return cut(text, 100)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return cut(string(raw), 100)
	}
	return cut(b.String(), 100)
}

// cut shortens s to n characters, the last of them an ellipsis.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// oneLine replaces what would break a table, or reach the terminal as a control sequence.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
