package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// moved is what the round trip is tried with: late and repeated updates, three
// environments that interleave, text that encoders like to change, a score.
func moved(n int) string {
	var b strings.Builder
	for i := range n {
		env := []string{"default", "staging", "prod"}[i%3]
		fmt.Fprintf(&b, `{"event_id":"o%d-done","event_type":"observation_complete","payload":{"id":"o%d","output":"<b>\u2028 \u00e9 é 😀 %d","usage":{"prompt_tokens":3,"completion_tokens":%d},"cost":1.50},"timestamp":%d.5,"environment":%q}`+"\n", i, i, i, i, 1700000010+i, env)
		fmt.Fprintf(&b, `{"event_id":"t%d","event_type":"trace_create","payload":{"id":"t%d","name":"trace %d","user_id":"u%d","session_id":"s%d","tags":["a","b"],"metadata":{"k":1e2,"big":12345678901234567890}},"timestamp":%d,"environment":%q}`+"\n", i, i, i, i%4, i%5, 1700000000+i, env)
		fmt.Fprintf(&b, `{"event_id":"o%d","event_type":"observation_create","payload":{"id":"o%d","trace_id":"t%d","name":"call","type":"generation","model":"m%d","level":"%s","input":{"a":[1,2,{"b":null}]}},"timestamp":%d.000001,"environment":%q}`+"\n", i, i, i, i%2, []string{"DEFAULT", "ERROR"}[i%2], 1700000001+i, env)
		fmt.Fprintf(&b, `{"event_id":"q%d","event_type":"quality_score_create","payload":{"id":"q%d","trace_id":"t%d","name":"quality","value":0.%d},"timestamp":%d,"environment":%q}`+"\n", i, i, i, i%10, 1700000002+i, env)
	}
	return b.String()
}

// sortedLines are the lines of text in a fixed order.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

// sameLines fails the test unless both texts are the same lines, in whatever order.
func sameLines(t *testing.T, what, got, want string) {
	t.Helper()
	a, b := sortedLines(got), sortedLines(want)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("%s:\n%s, want\n%s", what, a[i], b[i])
			return
		}
	}
	if len(a) != len(b) {
		t.Errorf("%s: %d lines, want %d", what, len(a), len(b))
	}
}

func TestExportImport(t *testing.T) {
	t.Parallel()
	const n = 40
	dir := t.TempDir()
	from, _ := serve(t, filepath.Join(dir, "from"))
	to, _ := serve(t, filepath.Join(dir, "to"))
	command(t, moved(n), from, "import", "-").want(t, 0, "160 processed, 0 duplicate, 0 failed")

	file := filepath.Join(dir, "events.jsonl.zst")
	command(t, "", from, "export", file).want(t, 0, "160 events exported")
	command(t, "", to, "import", file).want(t, 0, "160 processed, 0 duplicate, 0 failed")
	command(t, "", to, "import", file).want(t, 0, "0 processed, 160 duplicate, 0 failed")

	first := command(t, "", from, "export").want(t, 0)
	again := command(t, "", to, "export", "-").want(t, 0)
	sameLines(t, "what went out of the first server and out of the second", again.out, first.out)
	sameLines(t, "what went in and what came out", first.out, moved(n))
	all := func(vars []string) string {
		var b strings.Builder
		for _, args := range []string{"traces --limit 1000", "observations --limit 1000", "scores --limit 1000", "trace t7", "trace t8",
			"stats --group-by environment,model --metrics count,tokens,cost,error_rate,score_avg:quality", "stats --of events --group-by event_type"} {
			b.WriteString(anyKey(command(t, "", vars, append([]string{"query"}, append(strings.Fields(args), "--json")...)...).want(t, 0).out))
		}
		return b.String()
	}
	for _, vars := range [][]string{from, to} {
		watch.Until(t, "all events can be queried", func() bool {
			return strings.Contains(command(t, "", vars, "query", "stats", "--of", "events").out, "160")
		})
	}
	if a, b := all(from), all(to); a != b || !strings.Contains(a, `"trace 39"`) {
		sameLines(t, "the lists", b, a)
		t.Errorf("the lists differ, or lack a trace")
	}
}

// anyKey is an answer without which key brought what it shows: another server has other keys.
func anyKey(out string) string {
	return regexp.MustCompile(`key_[0-9a-f]{16}`).ReplaceAllString(out, "key_any")
}

func TestExportFilters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vars, stop := serve(t, filepath.Join(dir, "data"))
	command(t, moved(8), vars, "import", "-").want(t, 0, "32 processed")
	watch.Until(t, "all events can be queried", func() bool {
		return strings.Contains(command(t, "", vars, "query", "stats", "--of", "events").out, "32")
	})
	for args, want := range map[string]int{
		"--trace t1":                4,
		"--trace t1 --trace t2":     8,
		"--user u3":                 8,
		"--environment prod":        8,
		"--from 1700000009":         9,
		"--to 1700000001":           1,
		"--trace nothing":           0,
		"--user u3 --to 1700000005": 2,
	} {
		r := command(t, "", vars, append([]string{"export"}, strings.Fields(args)...)...).want(t, 0, fmt.Sprintf("%d events exported", want))
		if got := strings.Count(r.out, "\n"); got != want {
			t.Errorf("%s: %d lines, want %d", args, got, want)
		}
	}
	r := command(t, "", vars, "export", "--zstd").want(t, 0)
	if !strings.HasPrefix(r.out, "\x28\xb5\x2f\xfd") {
		t.Error("--zstd does not compress")
	}
	command(t, r.out, vars, "import", "-").want(t, 0, "0 processed, 32 duplicate")
	command(t, "", vars, "export", "a", "b").want(t, 2, "takes one file")
	command(t, "", vars, "export", "--from", "lately").want(t, 2, "--from", "brokle export --help")
	command(t, "", vars, "import").want(t, 2, "at least one FILE")
	command(t, "", vars, "import", filepath.Join(dir, "none")).want(t, 1, "no such file")

	// An import takes events only, names the file and the line, and keeps what is good.
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	for name, text := range map[string]string{good: `{"event_id":"new","event_type":"event","payload":{}}`, bad: "{\"free\":\"form\"}\nnope\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "", vars, "import", bad, good).want(t, 1, bad+", line 1: not an event", "line 2: not a JSON object", "1 processed, 0 duplicate, 2 failed")
	var counts struct {
		Processed, Failed int
		Errors            []struct{ File string }
	}
	if err := json.Unmarshal([]byte(command(t, "", vars, "import", "--json", bad, good).want(t, 1).out), &counts); err != nil || counts.Failed != 2 || counts.Errors[0].File != bad {
		t.Errorf("--json: %v %+v", err, counts)
	}

	// An export that fails leaves no file, neither a half one nor an old one gone.
	stop()
	out := filepath.Join(dir, "out.jsonl")
	if err := os.WriteFile(out, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", append(vars, "BROKLE_MAX_RETRIES=0"), "export", out).want(t, 1, "cannot reach")
	kept, err := os.ReadFile(out)
	parts, _ := filepath.Glob(filepath.Join(dir, "*.part"))
	if err != nil || string(kept) != "before" || len(parts) != 0 {
		t.Errorf("%q %v %v", kept, err, parts)
	}
}

// Spans and log records of OpenTelemetry, one of them nested deeper than payloads of our own may be,
// go out and come in as they were sent, and mean the same there.
func TestExportImportOfSpans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, _ := serve(t, filepath.Join(dir, "from"))
	to, _ := serve(t, filepath.Join(dir, "to"))
	deep := `{"stringValue":"bottom"}`
	for range 40 {
		deep = `{"arrayValue":{"values":[` + deep + `]}}`
	}
	const ids = `"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"`
	post(t, from, "/v1/traces", `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[
		{`+ids+`,"name":"root","startTimeUnixNano":"1700000000000000123","endTimeUnixNano":"1700000001000000456","attributes":[
			{"key":"user.id","value":{"stringValue":"u1"}},{"key":"deep","value":`+deep+`},{"key":"gen_ai.request.model","value":{"stringValue":"m1"}},{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}]}]}]}]}`)
	post(t, from, "/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000500000000",`+ids+`,"eventName":"gen_ai.choice","body":{"kvlistValue":{"values":[{"key":"finish_reason","value":{"stringValue":"stop"}}]}}},
		{"timeUnixNano":"1700000000500000000","body":{"stringValue":"loose"}}]}]}]}`)
	out := command(t, "", from, "export").want(t, 0, "3 events exported").out
	command(t, out, to, "import", "-").want(t, 0, "3 processed, 0 duplicate, 0 failed")
	command(t, out, to, "import", "-").want(t, 0, "0 processed, 3 duplicate, 0 failed")
	if again := command(t, "", to, "export").want(t, 0).out; again != out {
		t.Errorf("came out as\n%s, went in as\n%s", again, out)
	}
	query := func(vars []string) string {
		return anyKey(command(t, "", vars, "query", "observations", "--where", "resource.service.name=shop", "--where", "user_id=u1", "--json").out)
	}
	for _, vars := range [][]string{from, to} {
		watch.Until(t, "the observation can be queried", func() bool { return strings.Contains(query(vars), `"b7ad6b7169203331"`) })
	}
	if a, b := query(from), query(to); a != b || !strings.Contains(a, `"finish_reason": "stop"`) {
		t.Errorf("one server says\n%s, the other\n%s", a, b)
	}
	command(t, "", from, "tail", "--since", "2023-01-01T00:00:00Z", "--user-id", "u1", "--limit", "1").want(t, 0, "root  id=b7ad6b7169203331")
}

// post sends a body of JSON to a path of the server and expects a 200 that says nothing else.
func post(t *testing.T, vars []string, path, body string) {
	t.Helper()
	var host, key string
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "BROKLE_HOST":
			host = value
		case "BROKLE_API_KEY":
			key = value
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-API-Key", key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if said, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || string(said) != "{}" {
		t.Fatalf("%s: %d %s %v", path, res.StatusCode, said, err)
	}
}
