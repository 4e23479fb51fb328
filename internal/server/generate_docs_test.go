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
	generated(t, file, between(t, text, "parameters", params))
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
