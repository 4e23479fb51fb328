package main

import (
	"io"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go"
)

func printTraces(out io.Writer, page *brokle.Page[brokle.TraceSummary]) error {
	t := newTable(out, "!START (UTC)", "!ID", "NAME", "USER", "SESSION", "ENV", ">LATENCY", ">OBS", ">ERR", ">TOKENS", ">COST", "SCORES").fit()
	for _, r := range page.Data {
		t.row(when(r.StartTime), r.ID, cut(r.Name, 32), cut(r.UserID, 20), cut(r.SessionID, 24), r.Environment, latency(r.LatencyMS),
			strconv.FormatInt(r.ObservationCount, 10), strconv.FormatInt(r.ErrorCount, 10),
			strconv.FormatInt(r.TotalTokens, 10), cost(&r.TotalCost), scoreMap(r.Scores))
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printObservations(out io.Writer, page *brokle.Page[brokle.Observation]) error {
	t := newTable(out, "!START (UTC)", "!ID", "TRACE", "TYPE", "NAME", "MODEL", "LEVEL", ">LATENCY", ">TOKENS", ">COST", "OUTPUT").fit()
	for _, r := range page.Data {
		t.row(when(r.StartTime), r.ID, r.TraceID, r.Type, cut(r.Name, 32), r.Model, r.Level, latency(r.LatencyMS),
			count(r.TotalTokens), cost(r.TotalCost), cut(r.OutputPreview, 48))
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printScores(out io.Writer, page *brokle.Page[brokle.Score]) error {
	t := newTable(out, "!TIME (UTC)", "!ID", "NAME", ">VALUE", "TYPE", "SOURCE", "TRACE", "OBSERVATION", "COMMENT").fit()
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
	t := newTable(out, head...).fit()
	for _, r := range page.Data {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = statCell(r[c])
		}
		t.row(cells...)
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printSessions(out io.Writer, page *brokle.Page[brokle.SessionSummary]) error {
	t := newTable(out, "!LAST SEEN (UTC)", "!ID", "USERS", "ENV", ">TRACES", ">OBS", ">ERR", ">TOKENS", ">COST", "FIRST SEEN (UTC)").fit()
	for _, r := range page.Data {
		t.row(append(append([]string{when(r.LastSeen), r.ID, cut(strings.Join(r.UserIDs, ","), 32), strings.Join(r.Environments, ",")},
			totals(r.Totals)...), when(r.FirstSeen))...)
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printUsers(out io.Writer, page *brokle.Page[brokle.UserSummary]) error {
	t := newTable(out, "!LAST SEEN (UTC)", "!ID", ">SESSIONS", ">TRACES", ">OBS", ">ERR", ">TOKENS", ">COST", "FIRST SEEN (UTC)").fit()
	for _, r := range page.Data {
		t.row(append(append([]string{when(r.LastSeen), r.ID, strconv.FormatInt(r.SessionCount, 10)}, totals(r.Totals)...), when(r.FirstSeen))...)
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

func printEnvironments(out io.Writer, page *brokle.Page[brokle.EnvironmentSummary]) error {
	t := newTable(out, "!LAST SEEN (UTC)", "!NAME", ">TRACES", ">OBS", ">ERR", ">TOKENS", ">COST", "FIRST SEEN (UTC)").fit()
	for _, r := range page.Data {
		t.row(append(append([]string{when(r.LastSeen), r.Name}, totals(r.Totals)...), when(r.FirstSeen))...)
	}
	return t.end(out, len(page.Data), page.NextCursor)
}

// totals are the cells TRACES, OBS, ERR, TOKENS and COST.
func totals(s brokle.Totals) []string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{number(s.TraceCount), number(s.ObservationCount), number(s.ErrorCount), number(s.TotalTokens), cost(&s.TotalCost)}
}

func printEvents(out io.Writer, page *brokle.Page[brokle.StoredEvent]) error {
	t := newTable(out, "!TIME (UTC)", "!ID", "TYPE", "ENV", "RECEIVED (UTC)", "PAYLOAD").fit()
	for _, r := range page.Data {
		t.row(when(r.Timestamp), r.EventID, string(r.EventType), r.Environment, when(r.ReceivedAt), preview(r.Payload))
	}
	return t.end(out, len(page.Data), page.NextCursor)
}
