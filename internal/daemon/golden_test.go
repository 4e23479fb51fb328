package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/harm"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var update = flag.Bool("update", false, "make the newest golden data directory anew, and the answers of all; only when a format or an answer changes on purpose")

// goldenDirs are data directories as releases left them, the newest last. The older ones are never
// changed: every later release must read them. A change of a format adds another one.
func goldenDirs() []string {
	return []string{filepath.Join("testdata", "v1"), filepath.Join("testdata", "v2"), filepath.Join("testdata", "v3")}
}

// goldenNow is the clock of everything in it.
func goldenNow() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// goldenQuestions are asked over HTTP; the answers stand beside each directory, byte for byte.
func goldenQuestions() []string {
	return []string{
		"/v1/traces?sort=start_time", "/v1/traces/g1", "/v1/traces/g2", "/v1/traces/erased", "/v1/observations?sort=start_time",
		"/v1/scores?sort=timestamp", "/v1/sessions", "/v1/users", "/v1/environments", "/v1/stats?of=events&metrics=count",
		"/v1/stats?group_by=model&metrics=count,tokens,cost,error_rate", "/v1/stats?group_by=key_id&metrics=count,cost", "/v1/telemetry/events", "/v1/traces?q=Schrödinger",
		"/v1/telemetry/events/g1-trace", "/v1/traces/g1/history", "/v1/telemetry/jobs/job_01KJKKQ0000000000000000009",
	}
}

// goldenLog fills a log: batches of every kind, in a packed segment and in one that is not.
func goldenLog(t *testing.T, dir string) {
	t.Helper()
	now := goldenNow()
	log, err := segmentlog.Open(filepath.Join(dir, datadir.LogDir), segmentlog.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	batch := func(id, job string, failed []wire.BatchEventError, events ...wire.Event) {
		t.Helper()
		now = now.Add(time.Second)
		_, err := log.Append(t.Context(), &store.Batch{
			Project: "default", Environment: "production", ID: id, ReceivedAt: now.Add(-2 * time.Millisecond), Job: job,
			KeyID: "key_00112233445566ff",
			Dedup: store.Dedup{Enabled: true, TTL: 24 * time.Hour}, Events: events, Failed: failed,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	event := func(id string, typ wire.EventType, payload string) wire.Event {
		return wire.Event{ID: id, Type: typ, Payload: []byte(payload), Timestamp: wire.At(now)}
	}
	batch("01KJKKQ0000000000000000001", "", []wire.BatchEventError{{EventID: "bad", Message: "Missing required field 'id'", Code: "missing_field"}},
		event("g1-trace", wire.TraceCreate, `{"id":"g1","name":"ask","user_id":"u1","session_id":"s1","tags":["a","b"],"input":{"q":"What of Schrödinger's cat?"}}`),
		event("g1-call", wire.ObservationCreate, `{"id":"g1-o","trace_id":"g1","type":"llm","name":"call","model":"gpt-4o","input":"жизнь 🙂"}`),
		event("g1-call", wire.ObservationCreate, `{"id":"g1-o","trace_id":"g1","type":"llm","name":"twice"}`),
		event("erased-trace", wire.TraceCreate, `{"id":"erased","name":"secret"}`))
	batch("01KJKKQ0000000000000000002", "", nil,
		event("g1-done", wire.ObservationComplete, `{"id":"g1-o","trace_id":"g1","prompt_tokens":10,"completion_tokens":5,"total_cost":0.0025,"output":"both","level":"ERROR"}`),
		event("g1-score", wire.QualityScoreCreate, `{"id":"g1-s","trace_id":"g1","name":"helpfulness","score_value":0.75,"data_type":"NUMERIC"}`),
		event("future", "future_event", `{"trace_id":"g1"}`)) // goes to quarantine
	batch("01KJKKQ0000000000000000003", "", nil, event("g1-trace", wire.TraceCreate, `{"id":"g1","name":"again"}`)) // nothing but a duplicate
	if err := log.Erase(t.Context(), []entity.Seq{4}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute) // nothing was appended for a while
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- log.Run(ctx) }()
	watch.Until(t, "the segment is recompressed", func() bool { return log.Stats().RecompressedSegs > 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	const job = "job_01KJKKQ0000000000000000009"
	now = now.Add(time.Second)
	if err := log.AddJob(t.Context(), store.Job{ID: job, Project: "default", Environment: "staging", BatchID: "01KJKKQ0000000000000000004", KeyID: "key_00112233445566ff", ReceivedAt: now,
		Body: []byte(`{"events":[{"event_id":"g2-trace"}]}`)}); err != nil {
		t.Fatal(err)
	}
	batch("01KJKKQ0000000000000000004", job, nil, event("g2-trace", wire.TraceCreate, `{"id":"g2","name":"of a job","environment":"staging"}`))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// makeGolden writes a golden directory: the log, and what a node makes of it, but for what is derived.
func makeGolden(t *testing.T, goldenDir string) {
	t.Helper()
	dir := t.TempDir()
	goldenLog(t, dir)
	upAndDown(t, dir) // fills the quarantine
	remove(t, goldenDir)
	for _, name := range []string{datadir.KeysFile, datadir.FormatFile, datadir.LogDir, datadir.QuarantineDir} {
		from := filepath.Join(dir, name)
		if info, err := os.Stat(from); err == nil && info.IsDir() {
			copyDir(t, from, filepath.Join(goldenDir, name))
			continue
		}
		harm.File(t, from, func(b []byte) []byte { writeNew(t, filepath.Join(goldenDir, name), b); return b })
	}
	remove(t, goldenDir, datadir.LogDir, "index")
	remove(t, goldenDir, datadir.LogDir, "LOCK")
}

func writeNew(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A data directory of every release opens, answers as it did, and is whole.
func TestGoldenDirectory(t *testing.T) {
	t.Parallel()
	dirs := goldenDirs()
	if *update {
		makeGolden(t, dirs[len(dirs)-1])
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			openGolden(t, dir)
		})
	}
}

func openGolden(t *testing.T, goldenDir string) {
	t.Helper()
	size := 0
	for line := range strings.Lines(content(t, goldenDir)) {
		var name string
		var n int
		if _, err := fmt.Sscan(line, &name, &n); err != nil {
			t.Fatal(err)
		}
		size += n
	}
	if size == 0 || size > 200<<10 {
		t.Errorf("the golden directory has %d bytes", size)
	}
	dir := filepath.Join(t.TempDir(), "data")
	copyDir(t, goldenDir, dir)
	before := whole(t, dir)
	segments := before.Parts[slices.IndexFunc(before.Parts, func(p verify.Part) bool { return p.Name == datadir.PartSegments })]
	if !strings.HasPrefix(segments.Detail, "2 files, ") || !strings.Contains(segments.Detail, ", 6 events, Seq 1 to 10") {
		t.Errorf("the log has %s", segments.Detail)
	}
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	caughtUp(t, n)
	var out bytes.Buffer
	for _, q := range goldenQuestions() {
		status, body := n.get(t, testKey, q)
		fmt.Fprintf(&out, "GET %s\n%d\n%s\n", q, status, indented(t, body))
	}
	// Its ids are older than any ttl: they are new again, and the views still show each once.
	status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch",
		`{"events":[{"event_id":"g1-trace","event_type":"trace_create","payload":{"id":"g1","name":"ask"},"timestamp":1772366400}]}`)
	if err != nil || status != http.StatusOK || !bytes.Contains(raw, []byte(`"processed_events":1`)) {
		t.Errorf("%d %s %v", status, raw, err)
	}
	caughtUp(t, n)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, dir)
	answers := goldenDir + ".answers"
	if *update {
		writeNew(t, answers, out.Bytes())
	}
	want, err := os.ReadFile(answers)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != string(want) {
		t.Errorf("the answers are others than when the directory was made:\n%s", diff(string(want), got))
	}
}

func indented(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(body), "", " "); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return b.String()
}

// diff is the first line that is not the same.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d: want %s\ngot  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}
