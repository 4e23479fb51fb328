package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/brokle-ai/brokle-go/internal/query"
)

// resource is a row of what can be read beside the tools: what names mean.
type resource struct {
	uri, name, says string
	needs           []string
	text            func(ctx context.Context, a *asking) (string, error)
}

func (r resource) add(s *sdk.Server, a *asking) {
	s.AddResource(&sdk.Resource{URI: r.uri, Name: r.name, Description: r.says, MIMEType: "text/markdown"},
		func(ctx context.Context, _ *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			text, err := r.text(ctx, a)
			if err != nil {
				return nil, err
			}
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: r.uri, MIMEType: "text/markdown", Text: text}}}, nil
		})
}

func resources() []resource {
	fixed := func(text func() string) func(context.Context, *asking) (string, error) {
		return func(context.Context, *asking) (string, error) { return text(), nil }
	}
	return []resource{
		{uri: "brokle://fields", name: "fields", says: "The fields of traces, observations and scores, and what each means", text: fixed(fieldsText)},
		{uri: "brokle://filter", name: "filter", says: "The language of filters, and the fields that it knows", text: fixed(filterText)},
		{uri: "brokle://stats", name: "stats", says: "What statistics can be of, by which metrics and columns", text: fixed(statsText)},
		{uri: "brokle://sql", name: "sql", says: "The views that run_sql can ask, with their columns", needs: []string{"POST /v1/sql"}, text: sqlText},
	}
}

func filterText() string {
	var out strings.Builder
	out.WriteString(filterLanguage)
	for _, f := range query.FilterFields() {
		line := "- " + strings.Join(f.Names, ", ") + ": " + formOf(f.Form)
		if f.Says != "" {
			line += ", " + f.Says
		}
		out.WriteString(line + " (" + strings.Join(f.Of, " ") + ")\n")
	}
	return out.String()
}

func formOf(form query.FilterForm) string {
	switch form {
	case query.UpperText:
		return "text, in any case"
	case query.Truth:
		return "true or false"
	case query.PlainNumber, query.ScoreNumber:
		return "number"
	case query.Milliseconds:
		return "milliseconds, or 2s"
	case query.Money:
		return "US dollars"
	case query.Moment:
		return "time or date"
	case query.PathText:
		return "text or number"
	}
	return "text"
}

const filterLanguage = `# Filters

A filter is one line; all of its terms must hold.

- name:pay is exactly this text; env:prod,staging one of several; name:*check* has * for any text
- latency:>2s cost:>=0.01 tokens:<100 compare; latency:1s..5s tokens:100.. are ranges, with both ends in them
- has:score has:score.quality has:user say that there is a value
- score.quality:>=0.8 is the mean of the scores of a name
- metadata.tier:gold attributes.gen_ai.system:openai resource.service.name:shop are what only the events say, with points between the keys
- refund "order is late" are words that were said: whole words, in name, input, output, tags or metadata, in any case
- a - before a term says that it does not hold: -env:dev -has:user -refund
- a value with blanks, commas or colons stands in double quotes: name:"a b"

Fields (and of what):
`

func statsText() string {
	var out strings.Builder
	out.WriteString("# Statistics\n\nWith an interval (1m to 1d) there is a row for each stretch of time. Metrics of scores: score_avg:NAME (the mean; of true and false the share of true), score_count:NAME. error_rate is from 0 to 1, latencies are milliseconds, costs US dollars.\n")
	for _, s := range query.Subjects() {
		metrics := s.Metrics
		if s.Scored {
			metrics = append(slices.Clone(metrics), "score_avg:NAME", "score_count:NAME")
		}
		out.WriteString("\n## of=" + s.Name + "\n\nmetrics: " + strings.Join(metrics, " ") + "\n\ngroup_by: " + strings.Join(s.Groups, " ") + "\n")
	}
	return out.String()
}

// sqlViews are the names that a view may have; of those that the server has the columns are asked for.
func sqlViews() []string {
	return []string{"traces", "observations", "scores", "events", "sessions"}
}

// sqlText asks each view for none of its rows, and for its columns thereby.
func sqlText(ctx context.Context, a *asking) (string, error) {
	var out strings.Builder
	out.WriteString("# SQL\n\nOne SELECT over these views, which have the rows of the project alone. brokle://fields says what columns mean.\n")
	for _, view := range sqlViews() {
		body, err := json.Marshal(map[string]any{"query": "SELECT * FROM " + view + " LIMIT 0", "limit": 1})
		if err != nil {
			return "", err
		}
		var answer struct {
			Columns []struct {
				Name string `json:"name"`
				Type string `json:"type"`
			} `json:"columns"`
		}
		if ask(ctx, a.backend, Request{Method: http.MethodPost, Path: "/v1/sql", Body: body}, &answer) != nil || len(answer.Columns) == 0 {
			continue // there is no such view, or it cannot be asked now
		}
		columns := make([]string, len(answer.Columns))
		for i, c := range answer.Columns {
			columns[i] = c.Name + " " + c.Type
		}
		out.WriteString("\n## " + view + "\n\n" + strings.Join(columns, ", ") + "\n")
	}
	return out.String(), nil
}
