package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

type statsIn struct {
	Of       string   `json:"of,omitempty" jsonschema:"what is counted: observations, traces, scores or events; observations when absent"`
	Metrics  []string `json:"metrics,omitempty" jsonschema:"such as count, error_rate, latency_p50, latency_p95, latency_p99, tokens, cost, score_avg:NAME, score_count:NAME; count when absent"`
	GroupBy  []string `json:"group_by,omitempty" jsonschema:"columns such as model, name, release, version, environment; brokle://stats lists them"`
	Interval string   `json:"interval,omitempty" jsonschema:"a row for each stretch of time: 1m to 1d"`
	TZ       string   `json:"tz,omitempty" jsonschema:"the time zone by whose clock intervals begin, such as Asia/Tokyo; UTC when absent"`
	Filter   string   `json:"filter,omitempty" jsonschema:"what must hold, as for find_traces"`
	From     string   `json:"from,omitempty" jsonschema:"the earliest start: a time (RFC 3339), a date, or how long ago, such as 24h or 7d"`
	To       string   `json:"to,omitempty" jsonschema:"the latest start, exclusive; the same forms"`
	OrderBy  string   `json:"order_by,omitempty" jsonschema:"a metric, with - before it for the largest first: the first of all groups, without a cursor; by time and group when absent"`
	Limit    int      `json:"limit,omitempty" jsonschema:"rows, 1 to 1000; 100 when absent"`
	Cursor   string   `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

const (
	statRows     = 100
	mostStatRows = 1000
)

func statsTools() []tool {
	return []tool{
		typed(tool{
			name: "stats", title: "Statistics", scope: "read", needs: []string{"GET /v1/stats"},
			says: "Count and aggregate: errors, latencies, tokens, costs and scores, by time and by any columns. The first thing to ask when something became worse or dearer.",
		}, func(p map[string]*jsonschema.Schema) {
			limited(mostStatRows)(p)
			among(p["of"], "observations", "traces", "scores", "events")
		}, stats),
		typed(tool{
			name: "run_sql", title: "SQL", scope: "read", needs: []string{"POST /v1/sql"},
			says: "Ask one SELECT of the project's data. brokle://sql has the views and their columns. LIMIT and OFFSET go on where an answer was cut.",
		}, limited(mostSQLRows), runSQL),
	}
}

func stats(ctx context.Context, a *asking, in statsIn) (string, error) {
	metrics := in.Metrics
	if len(metrics) == 0 {
		metrics = []string{"count"}
	}
	s := a.span(in.From, in.To, in.Cursor)
	values := url.Values{
		"of": {in.Of}, "metrics": {commas(metrics)}, "group_by": {strings.Join(in.GroupBy, ",")}, "interval": {in.Interval}, "tz": {in.TZ}, "filter": {in.Filter},
		"from": {s.from}, "to": {s.to},
	}
	t := &table{tokens: in.tokens()}
	if in.Interval != "" {
		t.columns = append(t.columns, "time")
	}
	t.columns = append(t.columns, in.GroupBy...)
	if i := slices.Index(in.GroupBy, "value_bucket"); i >= 0 {
		t.columns = append(t.columns, "value_bucket_end")
	}
	t.columns = append(t.columns, metrics...)
	limit := statRows
	if in.Limit > 0 {
		limit = in.Limit
	}
	if in.OrderBy != "" {
		return ordered(ctx, a, in, values, t, metrics, limit)
	}
	return t.from(ctx, a.backend, values, s, limit)
}

// from writes the rows behind those that a cursor counts. The cursor is a number: that of the API would have the names of groups in it, which were recorded.
func (t *table) from(ctx context.Context, b Backend, values url.Values, s span, limit int) (string, error) {
	skip := 0
	if s.cursor != "" {
		n, err := strconv.Atoi(s.cursor)
		if err != nil || n < 0 {
			return "", errors.New("cursor: it is none of this tool; begin without one")
		}
		skip = n
	}
	found, more, err := rowsBehind(ctx, b, values, skip)
	if err != nil {
		return "", err
	}
	rows := t.cells(found[:min(len(found), limit)])
	for {
		own := fmt.Sprintf("%d rows; there are no more.", len(rows))
		if more || len(rows) < len(found) {
			own = fmt.Sprintf("%d rows. There are more: ask the same with cursor=%s", len(rows), s.next(strconv.Itoa(skip+len(rows))))
		}
		text, fit := t.write(own, rows)
		if fit == len(rows) {
			return text, nil
		}
		rows = rows[:max(1, fit)]
	}
}

// mostSkipped is how many rows a cursor counts at most.
const mostSkipped = 10 * mostStatRows

// rowsBehind are the rows behind the first ones; more says that there are others behind these.
func rowsBehind(ctx context.Context, b Backend, values url.Values, skip int) (rows []map[string]json.RawMessage, more bool, err error) {
	if skip > mostSkipped {
		return nil, false, fmt.Errorf("cursor: no more than %d rows are gone through; narrow the question instead", mostSkipped)
	}
	values.Set("limit", strconv.Itoa(mostStatRows))
	values.Del("cursor")
	for {
		var p page
		if err := get(ctx, b, "/v1/stats", values, &p); err != nil {
			return nil, false, err
		}
		if skip < len(p.Data) || p.NextCursor == nil {
			return p.Data[min(skip, len(p.Data)):], p.NextCursor != nil, nil
		}
		skip -= len(p.Data)
		values.Set("cursor", *p.NextCursor)
	}
}

// ordered is the first of all groups by a metric.
func ordered(ctx context.Context, a *asking, in statsIn, values url.Values, t *table, metrics []string, limit int) (string, error) {
	by, down := strings.CutPrefix(in.OrderBy, "-")
	switch {
	case !slices.Contains(metrics, by):
		return "", fmt.Errorf("order_by: %q is none of the metrics that are asked for", in.OrderBy)
	case in.Cursor != "":
		return "", errors.New("cursor: it goes with no order_by; narrow the question instead")
	}
	values.Set("limit", strconv.Itoa(mostStatRows))
	var p page
	if err := get(ctx, a.backend, "/v1/stats", values, &p); err != nil {
		return "", err
	}
	if p.NextCursor != nil {
		return "", fmt.Errorf("order_by: there are more than %d groups: ask for fewer, by a filter or a shorter time", mostStatRows)
	}
	slices.SortStableFunc(p.Data, func(x, y map[string]json.RawMessage) int {
		if down {
			return compareNumbers(y[by], x[by])
		}
		return compareNumbers(x[by], y[by])
	})
	all := len(p.Data)
	rows := t.cells(p.Data[:min(all, limit)])
	for {
		own := fmt.Sprintf("%d of %d rows, by %s.", len(rows), all, in.OrderBy)
		text, fit := t.write(own, rows)
		if fit == len(rows) {
			return text, nil
		}
		rows = rows[:max(1, fit)]
	}
}

// compareNumbers has what is no number behind all others, whichever way they go.
func compareNumbers(x, y json.RawMessage) int {
	a, errA := strconv.ParseFloat(string(x), 64)
	b, errB := strconv.ParseFloat(string(y), 64)
	switch {
	case errA != nil || errB != nil:
		if errA == nil {
			return 1
		} else if errB == nil {
			return -1
		}
		return 0
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// commas is a list as the API reads it: one with a comma, a quote or blanks at its ends is a JSON string.
func commas(all []string) string {
	written := make([]string, len(all))
	for i, one := range all {
		if written[i] = one; strings.ContainsAny(one, `,"`) || strings.TrimSpace(one) != one {
			written[i] = encode(one)
		}
	}
	return strings.Join(written, ",")
}

// table is an answer of columns and rows.
type table struct {
	columns []string
	tokens  int
}

const longCell = 200 // characters of a text in a table

func (t *table) cells(rows []map[string]json.RawMessage) [][]json.RawMessage {
	all := make([][]json.RawMessage, len(rows))
	for i, row := range rows {
		for _, name := range t.columns {
			all[i] = append(all[i], row[name])
		}
	}
	return all
}

// write writes a line of column names and one for each row that has room, and says how many have. own is said before.
func (t *table) write(own string, rows [][]json.RawMessage) (text string, fit int) {
	room := t.tokens - overhead() - Tokens(own) - 2
	head := cut(encode(t.columns), room/2)
	room -= Tokens(head) + 1
	var out strings.Builder
	out.WriteString(head)
	for _, row := range rows {
		line := t.row(row, longCell)
		for long := longCell / 2; fit == 0 && Tokens(line) > room && long > 4; long /= 2 {
			line = t.row(row, long)
		}
		if fit == 0 && Tokens(line) > room {
			line = cut(line, room)
		}
		if Tokens(line) > room {
			break
		}
		room -= Tokens(line) + 1
		fit++
		out.WriteByte('\n')
		out.WriteString(line)
	}
	return fenced(own, out.String()), fit
}

func (t *table) row(row []json.RawMessage, long int) string {
	var line strings.Builder
	line.WriteByte('[')
	for i, value := range row {
		if i > 0 {
			line.WriteByte(',')
		}
		name := ""
		if i < len(t.columns) {
			name = t.columns[i]
		}
		text := shown(name, value, long)
		if text == "" {
			if text = string(value); text == "" {
				text = "null"
			}
		}
		line.WriteString(text)
	}
	line.WriteByte(']')
	return line.String()
}

const (
	sqlRows     = 100
	mostSQLRows = 10_000
)

type sqlIn struct {
	Query string `json:"query" jsonschema:"one SELECT"`
	Limit int    `json:"limit,omitempty" jsonschema:"rows that are computed, 1 to 10000; 100 when absent"`
	Budget
}

func runSQL(ctx context.Context, a *asking, in sqlIn) (string, error) {
	limit := sqlRows
	if in.Limit > 0 {
		limit = in.Limit
	}
	var result struct {
		Columns []struct {
			Name string `json:"name"`
		} `json:"columns"`
		Rows      [][]json.RawMessage `json:"rows"`
		Truncated bool                `json:"truncated"`
	}
	body := encode(map[string]any{"query": in.Query, "limit": limit})
	if err := ask(ctx, a.backend, Request{Method: http.MethodPost, Path: "/v1/sql", Body: []byte(body)}, &result); err != nil {
		return "", err
	}
	t := &table{tokens: in.tokens()}
	for _, c := range result.Columns {
		t.columns = append(t.columns, shorten(c.Name, longCell))
	}
	more := ""
	if result.Truncated {
		more = " The query has more than were computed: see limit."
	}
	all := result.Rows
	for rows := all; ; {
		own := fmt.Sprintf("All %d rows.%s", len(all), more)
		if len(rows) < len(all) {
			own = fmt.Sprintf("%d of %d rows; the others have no room: ask for fewer columns or more tokens, or go on with LIMIT and OFFSET.%s", len(rows), len(all), more)
		}
		text, fit := t.write(own, rows)
		if fit == len(rows) {
			return text, nil
		}
		rows = rows[:max(1, fit)]
	}
}
