package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// rows is the data of a list's answer, as JSON values.
func rows(t *testing.T, what, body string) []any {
	t.Helper()
	var page struct {
		Data []any `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatalf("%s: %v in %.300s", what, err, body)
	}
	return instants(page.Data).([]any)
}

// instants writes every time in v in one form: the API keeps six digits of the
// second, the command line those that are not zero.
func instants(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = instants(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = instants(v[k])
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at
		}
	}
	return v
}

// apiGet reads one path of the server that vars name.
func apiGet(t *testing.T, vars []string, path string) string {
	t.Helper()
	host, _ := strings.CutPrefix(vars[0], "BROKLE_HOST=")
	key, _ := strings.CutPrefix(vars[1], "BROKLE_API_KEY=")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read whole
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d %s %v", path, resp.StatusCode, b, err)
	}
	return string(b)
}

// Every list of the command line, read in small pages, is what the API answers
// with at once: the same rows, fields and order. The table has a line for each.
func TestListsAgreeWithAPI(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	command(t, moved(30), vars, "import", "-").want(t, 0, "120 processed")
	watch.Until(t, "all events can be queried", func() bool {
		return strings.Contains(command(t, "", vars, "query", "stats", "--of", "events").out, "120")
	})
	for _, c := range []struct {
		args, path, first string // first: the field that every line of the table has
		want              int
	}{
		{"traces", "/v1/traces?", "id", 30},
		{"traces --sort total_tokens --where has_error=true", "/v1/traces?sort=total_tokens&has_error=true", "id", 15},
		{"traces --q call", "/v1/traces?q=call", "id", 30},
		{"observations", "/v1/observations?", "id", 30},
		{"observations --sort=-latency_ms --where model=m1", "/v1/observations?sort=-latency_ms&model=m1", "id", 15},
		{"traces --where error:yes --where=-model:m2", "/v1/traces?filter=error:true+-model:m2", "id", 15},
		{"stats --where type:generation --group-by model", "/v1/stats?filter=type:generation&group_by=model", "model", 2},
		{"scores", "/v1/scores?", "id", 30},
		{"scores --where environment=prod", "/v1/scores?environment=prod", "id", 10},
		{"sessions", "/v1/sessions?", "id", 5},
		{"users", "/v1/users?", "id", 4},
		{"environments", "/v1/environments?", "name", 3},
		{"events", "/v1/telemetry/events?", "event_id", 120},
		{"stats --of observations --group-by model,environment --metrics count,tokens,latency_p95",
			"/v1/stats?of=observations&group_by=model,environment&metrics=count,tokens,latency_p95", "model", 6},
	} {
		want := rows(t, c.path, apiGet(t, vars, c.path+"&limit=1000"))
		if len(want) != c.want {
			t.Errorf("%s: %d rows, want %d", c.path, len(want), c.want)
		}
		args := append([]string{"query"}, strings.Fields(c.args)...)
		out := command(t, "", vars, append(args, "--all", "--limit", "4", "--json")...).want(t, 0).out
		if got := rows(t, c.args, out); !reflect.DeepEqual(got, want) {
			t.Errorf("query %s:\n got %.2000s\nwant %.2000s", c.args, fmt.Sprint(got), fmt.Sprint(want))
		}
		lines := strings.Split(strings.TrimSpace(command(t, "", vars, append(args, "--all", "--limit", "4")...).want(t, 0).out), "\n")[1:]
		if len(lines) != len(want) {
			t.Errorf("query %s: a table of %d lines, want %d", c.args, len(lines), len(want))
			continue
		}
		for i, row := range want {
			if name, _ := row.(map[string]any)[c.first].(string); name == "" || !strings.Contains(lines[i], name) {
				t.Errorf("query %s: line %d is %q, want one with %s %q", c.args, i, lines[i], c.first, name)
			}
		}
	}
	for _, path := range []string{"trace t7", "query trace t7"} {
		var got, want any
		if err := json.Unmarshal([]byte(command(t, "", vars, append(strings.Fields(path), "--json")...).want(t, 0).out), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(apiGet(t, vars, "/v1/traces/t7")), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(instants(got), instants(want)) {
			t.Errorf("%s:\n got %.2000s\nwant %.2000s", path, fmt.Sprint(got), fmt.Sprint(want))
		}
	}
}
