package server

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// apiDocument is what the tests look at in openapi.json.
type apiDocument struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Ref string `json:"$ref"`
		}
		Responses map[string]json.RawMessage
		Security  *[]json.RawMessage
	}
	Components struct {
		Parameters map[string]struct{ Name, In string }
	}
}

// Each route is in openapi.json with its parameters, and each operation there is a route.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	t.Parallel()
	var doc apiDocument
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	routes := append(apiRoutes(), opsRoutes()...)
	operations := 0
	for _, methods := range doc.Paths {
		operations += len(methods)
	}
	if operations != len(routes) {
		t.Errorf("%d operations, %d routes", operations, len(routes))
	}
	for _, rt := range routes {
		op, ok := doc.Paths[rt.path][strings.ToLower(rt.method)]
		if !ok {
			t.Errorf("%s %s is not in openapi.json", rt.method, rt.path)
			continue
		}
		var query []string
		for _, p := range op.Parameters {
			def, ok := doc.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
			if !ok {
				t.Errorf("%s %s: %s is defined nowhere", rt.method, rt.path, p.Ref)
			}
			if def.In == "query" {
				query = append(query, def.Name)
			}
		}
		want := slices.Clone(rt.params)
		slices.Sort(query)
		slices.Sort(want)
		if !slices.Equal(query, want) {
			t.Errorf("%s %s: openapi.json has %v, the route %v", rt.method, rt.path, query, want)
		}
		if open := op.Security != nil && len(*op.Security) == 0; open != (rt.scope == "") {
			t.Errorf("%s %s: without a key is %v, the scope %q", rt.method, rt.path, open, rt.scope)
		}
	}
}

// Every reference in openapi.json leads somewhere.
func TestOpenAPIReferences(t *testing.T) {
	t.Parallel()
	var whole map[string]any
	if err := json.Unmarshal(openAPI, &whole); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"\$ref": "#/([^"]+)"`).FindAllSubmatch(openAPI, -1) {
		var at any = whole
		for part := range strings.SplitSeq(string(m[1]), "/") {
			next, _ := at.(map[string]any)
			at = next[part]
		}
		if at == nil {
			t.Errorf("%s leads nowhere", m[0])
		}
	}
}

// Every error code of the code is in docs/api.md, and every route.
func TestDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	constant := regexp.MustCompile(`(?m)^(?:const |\s)\s*(?:c|C)ode\w+\s*=\s*"(\w+)"`)
	found := 0
	for _, pattern := range []string{"errors.go", "../wireformat/limits.go", "../ingest/claim.go", "../ingest/jobs.go", "../extract/extract.go"} {
		src, err := os.ReadFile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range constant.FindAllSubmatch(src, -1) {
			found++
			if !strings.Contains(string(doc), "| `"+string(m[1])+"` |") {
				t.Errorf("%s of %s is not in docs/api.md", m[1], pattern)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d codes were found: the pattern is wrong", found)
	}
	for _, rt := range append(apiRoutes(), opsRoutes()...) {
		path := regexp.MustCompile(`\{id\}$`).ReplaceAllString(rt.path, "{")
		if !strings.Contains(string(doc), rt.method+" "+path) {
			t.Errorf("%s %s is not in docs/api.md", rt.method, rt.path)
		}
		for _, p := range rt.params {
			if !strings.Contains(string(doc), p) {
				t.Errorf("parameter %s is not in docs/api.md", p)
			}
		}
	}
}
