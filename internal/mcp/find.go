package mcp

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// finding is what the tools take that list something.
type finding struct {
	Filter string   `json:"filter,omitempty" jsonschema:"what must hold, in one line, such as: has_error:true model:gpt-4* score.quality:<0.5 -env:dev metadata.tier:gold refund (a bare word is looked for in what was said). brokle://filter describes it"`
	From   string   `json:"from,omitempty" jsonschema:"the earliest start: a time (RFC 3339), a date, or how long ago, such as 24h or 7d"`
	To     string   `json:"to,omitempty" jsonschema:"the latest start, exclusive; the same forms"`
	Sort   string   `json:"sort,omitempty" jsonschema:"a numeric or time column, with - before it for the largest first, such as -total_cost; the newest first when absent"`
	Limit  int      `json:"limit,omitempty" jsonschema:"rows, 1 to 100; 10 when absent"`
	Fields []string `json:"fields,omitempty" jsonschema:"the columns to show, in the place of the usual ones"`
	Cursor string   `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

const (
	mostRows    = 100
	defaultRows = 10
)

// list is a relation that can be found in.
type list struct {
	path, what string
	columns    []string // that are shown
	known      []string // that can be
	previews   bool
}

func readingTools() []tool {
	traces := list{"/v1/traces", "traces", []string{
		"id", "name", "start_time", "status", "latency_ms", "error_count", "total_tokens", "total_cost", "models", "scores", "tags", "user_id", "session_id", "environment",
		"input_preview", "output_preview", "highlights",
	}, columnsOf[wire.TraceSummary](), true}
	observations := list{"/v1/observations", "observations", []string{
		"id", "trace_id", "type", "name", "model", "start_time", "status", "status_message", "error_type", "latency_ms", "total_tokens", "total_cost", "version", "prompt_name", "prompt_version",
		"finish_reason", "input_preview", "output_preview", "highlights",
	}, columnsOf[wire.Observation](), true}
	return []tool{
		finder("find_traces", "Find traces", "Find traces (runs of an application), the newest first: by a filter, by time, by words. Rows are short; get_trace reads one.", traces),
		finder("find_observations", "Find observations", "Find observations (steps: calls of models, tools, spans), the newest first. Rows are short; get_observation reads one.", observations),
		getTraceTool(), getObservationTool(), explainCostTool(), explainFieldTool(),
	}
}

// columnsOf are the names of the members of a row.
func columnsOf[R any]() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "clear" && name != "children" {
			names = append(names, name)
		}
	}
	return names
}

func finder(name, title, says string, l list) tool {
	return typed(tool{name: name, title: title, says: says, needs: []string{"GET " + l.path}, scope: "read"}, limited(mostRows), func(ctx context.Context, a *asking, in finding) (string, error) { return l.find(ctx, a, in) })
}

func (l list) find(ctx context.Context, a *asking, in finding) (string, error) {
	if i := slices.IndexFunc(in.Fields, func(f string) bool { return !slices.Contains(l.known, f) }); i >= 0 {
		return "", fmt.Errorf("fields: %s have no column %q; there are %s", l.what, in.Fields[i], strings.Join(l.known, ", "))
	}
	s := a.span(in.From, in.To, in.Cursor)
	values := url.Values{"filter": {in.Filter}, "from": {s.from}, "to": {s.to}, "sort": {in.Sort}, "cursor": {s.cursor}}
	if l.previews {
		values.Set("previews", "true")
	}
	asked := listing{path: l.path, values: values, limit: defaultRows, tokens: in.tokens(), what: l.what, columns: l.columns, long: 160, span: s}
	if in.Limit > 0 {
		asked.limit = in.Limit
	}
	if len(in.Fields) > 0 {
		asked.columns = in.Fields
		if !slices.Contains(in.Fields, "id") {
			asked.columns = append([]string{"id"}, in.Fields...)
		}
	}
	return asked.answer(ctx, a.backend)
}
