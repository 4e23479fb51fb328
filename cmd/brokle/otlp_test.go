package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// spanLine is a line of OTLP as the Collector's file exporter writes it: a trace of a root and a call.
func spanLine(n int) string {
	span := func(id int, parent, name, attributes string) string {
		return fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","parentSpanId":%q,"name":%q,"kind":1,"startTimeUnixNano":"17640000%02d000000000","endTimeUnixNano":"17640000%02d500000000","attributes":[%s]}`,
			n, id, parent, name, n, n, attributes)
	}
	call := `{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o <b>"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"7"}}`
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"lab"}}]},"scopeSpans":[{"scope":{"name":"mine"},"spans":[%s,%s]}]}]}`+"\n",
		span(2*n, "", "root", ""), span(2*n+1, fmt.Sprintf("%016x", 2*n), "call", call)) +
		fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"%032x","spanId":"%016x","timeUnixNano":"17640000%02d100000000","eventName":"gen_ai.user.message","body":{"kvlistValue":{"values":[{"key":"content","value":{"stringValue":"hello %d"}}]}}}]}]}]}`+"\n", n, 2*n+1, n, n)
}

// Traces go out as OTLP and come in at another server as they were, whichever way they came.
func TestExportImportOTLP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, _ := serve(t, filepath.Join(dir, "from"))
	to, _ := serve(t, filepath.Join(dir, "to"))
	const n = 3
	in := `{"event_id":"t","event_type":"trace_create","payload":{"id":"own","name":"ours"},"timestamp":1764000000}` + "\n" +
		`{"event_id":"o","event_type":"observation_create","payload":{"id":"call","trace_id":"own","name":"call","type":"generation","model":"gpt","prompt_tokens":5},"timestamp":1764000000}` + "\n"
	for i := range n {
		in += spanLine(i + 1)
	}
	command(t, in, from, "import", "-").want(t, 0, "11 processed, 0 duplicate, 0 failed")
	queryable := func(vars []string, events int) {
		watch.Until(t, "all events can be queried", func() bool {
			return strings.Contains(command(t, "", vars, "query", "stats", "--of", "events").out, fmt.Sprint(events))
		})
	}
	queryable(from, 11)
	file := filepath.Join(dir, "traces.jsonl.zst")
	command(t, "", from, "export", "--format", "otlp", file).want(t, 0, "4 traces exported")
	command(t, "", to, "import", file).want(t, 0, "11 processed, 0 duplicate, 0 failed")
	command(t, "", to, "import", file).want(t, 0, "11 processed, 0 duplicate, 0 failed") // once more: nothing is stored twice
	queryable(to, 11)
	for i := range n {
		id := fmt.Sprintf("%032x", i+1)
		a, b := anyKey(command(t, "", from, "trace", id, "--json").want(t, 0, "hello").out), anyKey(command(t, "", to, "trace", id, "--json").want(t, 0).out)
		if a != b {
			t.Errorf("trace %s is\n%s, was\n%s", id, b, a)
		}
	}
	lines := strings.Split(strings.TrimSpace(command(t, "", to, "export", "--format", "otlp", "--trace", fmt.Sprintf("%032x", 2)).want(t, 0, "1 traces exported").out), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name"`) || !strings.HasPrefix(lines[1], `{"resourceLogs":`) || !strings.Contains(lines[0], "gpt-4o <b>") {
		t.Errorf("a trace is written as %q", lines)
	}
	command(t, "", to, "export", "--format", "otlp", "--trace", "nothing").want(t, 0, "0 traces exported")
	command(t, "", to, "export", "--format", "csv").want(t, 2, "must be events, otlp or parquet")
	command(t, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}`+"\n"+`{"resourceSpans":{}}`, to, "import", "-").
		want(t, 1, "0 processed, 0 duplicate, 2 failed", "line 1", "1 of 1 were rejected", "line 2", "resourceSpans")
	command(t, spanLine(1), to, "send", "-").want(t, 0, "2 processed") // which sends what it is given, as payloads
}

// A request that is larger than a line may be becomes several, which together say the same.
func TestLargeOTLPLines(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", lineBytes/3)
	var request members
	body := fmt.Sprintf(`{"resourceSpans":[{"resource":{"r":1},"scopeSpans":[{"scope":{"s":1},"spans":["a%[1]s","b%[1]s","c%[1]s"]},{"spans":["d%[1]s"]}]},{"scopeSpans":[{"spans":[]}]}]}`, big)
	if err := json.Unmarshal([]byte(body), &request); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := signals[0].lines(request, func(line []byte) error {
		got = append(got, strings.ReplaceAll(string(line), big, ""))
		return nil
	})
	want := []string{`{"resourceSpans":[{"resource":{"r":1},"scopeSpans":[{"scope":{"s":1},"spans":["a","b"]}]}]}`,
		`{"resourceSpans":[{"resource":{"r":1},"scopeSpans":[{"scope":{"s":1},"spans":["c"]}]}]}`, `{"resourceSpans":[{"resource":{"r":1},"scopeSpans":[{"spans":["d"]}]}]}`}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v: %q", err, got)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	command(t, spanLine(1)+`{"event_id":"o","event_type":"observation_create","payload":{"id":"a/b","trace_id":"t","name":"call","prompt_tokens":5},"timestamp":1764000000}`, vars, "import", "-").want(t, 0)
	watch.Until(t, "it can be queried", func() bool {
		return strings.Contains(command(t, "", vars, "query", "stats", "--of", "events").out, "4")
	})
	id := fmt.Sprintf("%016x", 3)
	command(t, "", vars, "explain", "observation", id, "--trace-id", fmt.Sprintf("%032x", 1)).
		want(t, 0, "dialect      gen_ai", "FIELD", "prompt_tokens", "gen_ai.usage.input_tokens", "otlp_", "log record gen_ai.user.message")
	command(t, "", vars, "explain", "observation", "a/b").want(t, 0, "payload.prompt_tokens")
	var e explanation
	if err := json.Unmarshal([]byte(command(t, "", vars, "explain", "observation", id, "--json").want(t, 0).out), &e); err != nil || e.ID != id || e.Dialect != "gen_ai" || len(e.Why) < 10 {
		t.Errorf("%v %+v", err, e)
	}
	command(t, "", vars, "explain", "observation", "nobody").want(t, 1, "404")
	command(t, "", vars, "explain", "observation").want(t, 2, "exactly one argument")
}
