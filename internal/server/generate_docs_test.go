package server

import (
	"os"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/query"
)

// TestGeneratedDocs holds the tables of docs/api.md against the routes and the parameters.
func TestGeneratedDocs(t *testing.T) {
	t.Parallel()
	const file = "../../docs/api.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	requests, params := "| request | answer | parameters |\n| --- | --- | --- |\n", "| parameter | takes |\n| --- | --- |\n"
	for _, rt := range apiRoutes() {
		if rt.asks() {
			names := "none"
			if len(rt.params) > 0 {
				names = strings.Join(rt.params, " ")
			}
			requests += "| `" + rt.method + " " + rt.path + "` | " + operations()[rt.method+" "+rt.path].says + " | " + names + " |\n"
		}
	}
	for _, p := range query.Params() {
		params += "| " + p.Name + " | " + p.Says + " |\n"
	}
	text := between(t, string(b), "requests", requests)
	text = between(t, text, "parameters", params)
	generated(t, file, between(t, text, "fields", fieldsTable()))
}

// fieldsTable are the fields of filters.
func fieldsTable() string {
	forms := map[query.FilterForm]string{
		query.PlainText: "text", query.UpperText: "text, in any case", query.Truth: "`true` or `false`", query.PlainNumber: "number", query.Milliseconds: "milliseconds, or `2s`",
		query.Money: "number, also `$0.5`", query.Moment: "time or date", query.ScoreNumber: "number, `true` or `false`", query.PathText: "text; compared or as a range: number",
	}
	table := "| field | is | of |\n| --- | --- | --- |\n"
	for _, f := range query.FilterFields() {
		is := forms[f.Form]
		if f.Says != "" {
			is += ": " + f.Says
		}
		of := strings.Join(f.Of, " ")
		if len(f.Of) == 6 {
			of = "all"
		}
		table += "| `" + strings.Join(f.Names, "` `") + "` | " + is + " | " + of + " |\n"
	}
	return table
}

// between puts a table between its markers.
func between(t *testing.T, text, name, table string) string {
	t.Helper()
	begin, end := "<!-- "+name+": made by go test ./internal/server -run Generated -update -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok := strings.Cut(text, begin)
	_, after, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatalf("no markers of %s", name)
	}
	return before + begin + table + end + after
}
