package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// update rewrites the golden files: go test ./internal/server -run Golden -update
var update = flag.Bool("update", false, "rewrite the golden files in testdata/golden")

// masks replace what differs from run to run.
func masks() []struct {
	re *regexp.Regexp
	by string
} {
	return []struct {
		re *regexp.Regexp
		by string
	}{
		{regexp.MustCompile(`job_[0-9A-HJKMNP-TV-Z]{26}`), "job_JOB"},
		{regexp.MustCompile(`key_[0-9a-f]{16}`), "key_KEY"},
		{regexp.MustCompile(`"batch_id": "[0-9A-HJKMNP-TV-Z]{26}"`), `"batch_id": "BATCH"`},
		{regexp.MustCompile(`"(created_at|completed_at|at)": "20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"`), `"$1": "TIME"`},
		{regexp.MustCompile(`"processing_time_ms": \d+`), `"processing_time_ms": 0`},
	}
}

// golden compares the status, the chosen headers and the indented, masked body with testdata/golden/name.
func golden(t *testing.T, name string, rep reply, headers ...string) {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d\n", rep.status)
	for _, h := range append([]string{"Content-Type"}, headers...) {
		fmt.Fprintf(&out, "%s: %s\n", h, rep.header.Get(h))
	}
	out.WriteByte('\n')
	if err := json.Indent(&out, rep.body, "", "  "); err != nil {
		t.Fatalf("%s: %v in %s", name, err, rep.body)
	}
	got := append(out.Bytes(), '\n')
	for _, m := range masks() {
		got = m.re.ReplaceAll(got, []byte(m.by))
	}
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not as it was; got:\n%s", name, got)
	}
}

// The bodies that clients parse, as bytes.
func TestGoldenAnswers(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	first := event("ev-1", "trace_create", `{"name":"golden","user_id":"u","tags":["a","b"],"metadata":{"k":{}},"input":{"q":"größer <b>"}}`)
	golden(t, "batch_200_one", h.send("POST", "/v1/telemetry/batch", batch(first)), "Accept-Encoding", "X-Content-Type-Options")
	mixed := h.send("POST", "/v1/ingest/batch", batch(first,
		event("ev-2", "observation_create", `{"id":"obs-1","trace_id":"ev-1","name":"call","type":"llm","model":"m-1","start_time":"2023-11-14T22:13:21Z","end_time":"2023-11-14T22:13:22.5Z","prompt_tokens":3,"completion_tokens":4,"output":"","level":"error"}`),
		event("ev-3", "quality_score_create", `{"trace_id":"ev-1","name":"quality","value":0.75}`),
		event("ev-4", "trace_create", `{}`),
		event("ev-5", "nonsense", `{}`),
	))
	golden(t, "batch_200_mixed", mixed)
	golden(t, "batch_409", h.send("POST", "/v1/telemetry/batch",
		[]byte(`{"events":[`+first+`,`+event("ev-9", "trace_create", `{"name":"n"}`)+`],"deduplication":{"fail_on_duplicate":true}}`)))
	async := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+event("ev-6", "event_create", `{}`)+`]}`))
	golden(t, "batch_202", async)
	location := async.header.Get("Location")
	golden(t, "job", h.get(location+"?wait=20s"))
	batchID := decoded[struct {
		BatchID string `json:"batch_id"`
	}](t, mixed).BatchID
	golden(t, "batch_receipt", h.get("/v1/telemetry/batch/"+batchID))
	golden(t, "event_stored", h.get("/v1/telemetry/events/ev-2"))
	golden(t, "event_failed", h.get("/v1/telemetry/events/ev-4"))
	golden(t, "bulk_200", h.send("POST", "/api/v1/telemetry/bulk", []byte(`{"telemetry":[{"a":1},{"b":2}],"batch_size":2,"timestamp":1700000000.5}`)),
		"Deprecation", "Link")
	h.settle()
	golden(t, "traces", h.get("/v1/traces"))
	golden(t, "trace", h.get("/v1/traces/ev-1"))
	golden(t, "observations", h.get("/v1/observations?level=ERROR"))
	golden(t, "observation", h.get("/v1/observations/obs-1"))
	golden(t, "scores", h.get("/v1/scores"))
	golden(t, "stats", h.get("/v1/stats?metrics=count,error_rate,tokens&group_by=model"))
	golden(t, "empty_list", h.get("/v1/traces?name=absent"))
	golden(t, "error_400", h.send("POST", "/v1/telemetry/batch", []byte(`{"events":[]}`)))
	golden(t, "error_401", h.get("/v1/traces", "X-API-Key", ""), "WWW-Authenticate")
	golden(t, "error_404", h.get("/v1/traces/absent"))
	golden(t, "error_405", h.send("PUT", "/v1/traces", nil), "Allow")
	golden(t, "error_parameter", h.get("/v1/traces?colour=red"))
}
