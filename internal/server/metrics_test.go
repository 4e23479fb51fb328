package server

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// scrape reads /metrics: series (name and labels as written) to value.
func (h *house) scrape() map[string]float64 {
	h.tb.Helper()
	rep := h.get(h.ops + "/metrics")
	if rep.status != http.StatusOK {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
	out := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(rep.body))
	for lines.Scan() {
		line := lines.Text()
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			v, err := strconv.ParseFloat(line[at+1:], 64)
			if err != nil {
				h.tb.Fatalf("%q: %v", line, err)
			}
			out[line[:at]] = v
		}
	}
	return out
}

// Property 31: every count that the server shows equals one made here.
func TestMetricsEqualCounts(t *testing.T) {
	t.Parallel()
	part := store.Health{Part: "disk", OK: true}
	h := open(t, setup{options: func(o *Options) { o.Health = func() []store.Health { return []store.Health{part} } }})
	want := map[string]float64{}
	sent, plain := 0, 0
	post := func(coding string, status int, body []byte) {
		t.Helper()
		wire := compressed(t, coding, body)
		rep := h.send("POST", "/v1/telemetry/batch", wire, "Content-Encoding", coding)
		if rep.status != status {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
		sent, plain = sent+len(wire), plain+len(body)
		want[fmt.Sprintf(`brokle_http_requests_total{method="POST",route="/v1/telemetry/batch",status="%d"}`, status)]++
		want[`brokle_http_request_duration_seconds_count{method="POST",route="/v1/telemetry/batch"}`]++
		if res := rep; status == 200 {
			c := checked(t, res)
			want[`brokle_batches_total`]++
			want[`brokle_events_total{outcome="processed"}`] += float64(c.ProcessedEvents)
			want[`brokle_events_total{outcome="duplicate"}`] += float64(c.DuplicateEvents)
			want[`brokle_events_total{outcome="failed"}`] += float64(c.FailedEvents)
			for _, e := range c.Errors {
				want[`brokle_events_failed_total{code="`+e.Code+`"}`]++
			}
		}
	}
	for i := range 7 {
		coding := []string{"", "gzip", "zstd", "deflate"}[i%4]
		var events []string
		for j := range 10 + i {
			events = append(events, event(fmt.Sprintf("m-%d", i*10+j), "event_create", `{"text":"`+strings.Repeat("x", 100)+`"}`))
		}
		post(coding, 200, batch(append(events, event("", "event_create", `{}`), event("f", "x", `{}`), event("f", "trace_create", `{}`))...))
	}
	post("", 400, []byte(`{"events":[]}`))
	post("", 409, []byte(`{"events":[`+event("m-0", "event_create", `{}`)+`],"deduplication":{"fail_on_duplicate":true}}`))
	want[`brokle_batch_conflicts_total`] = 1
	h.settle()
	for range 3 {
		h.get("/v1/traces")
	}
	h.get("/v1/nothing")
	h.get("/v1/traces/1/2/3")
	h.send("PUT", "/v1/traces", nil)
	want[`brokle_http_requests_total{method="GET",route="/v1/traces",status="200"}`] = 3
	want[`brokle_http_requests_total{method="other",route="unknown",status="404"}`] = 2
	want[`brokle_http_requests_total{method="other",route="/v1/traces",status="405"}`] = 1
	stored := want[`brokle_events_total{outcome="processed"}`]
	want[`brokle_log_events_total{outcome="stored"}`] = stored
	want[`brokle_log_events_total{outcome="duplicate"}`] = want[`brokle_events_total{outcome="duplicate"}`]
	want[`brokle_log_batches_total`] = want[`brokle_batches_total`]
	want[`brokle_log_fsyncs_total`] = want[`brokle_batches_total`] // one after the other, so one sync each
	want[`brokle_log_head_seq`] = float64(h.log.Head())
	want[`brokle_indexer_events_total`] = stored
	want[`brokle_indexer_cursor_seq`] = float64(h.log.Head())
	want[`brokle_indexer_lag_seqs`] = 0
	want[`brokle_indexer_quarantined_events`] = 0
	want[`brokle_body_sent_bytes_total`] = float64(sent)
	want[`brokle_body_decoded_bytes_total`] = float64(plain)
	want[`brokle_in_flight_bytes`] = 0
	want[`brokle_in_flight_limit_bytes`] = DefaultMaxInFlightBytes
	want[`brokle_part_up{part="disk"}`] = 1
	want[`brokle_jobs_pending`] = 0
	got := h.scrape()
	for series, value := range want {
		if v, ok := got[series]; !ok || v != value {
			t.Errorf("%s is %v (%v), counted %v", series, v, ok, value)
		}
	}
	if int64(stored) != h.stored() {
		t.Errorf("the warehouse has %d events, the metric %v", h.stored(), stored)
	}
}

// Jobs are counted when they end, by how they end.
func TestJobMetrics(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("jm-0", "event_create", `{}`))
	for i, dedup := range []string{`{}`, `{}`, `{"fail_on_duplicate":true}`} {
		rep := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"deduplication":`+dedup+`,"events":[`+event("jm-0", "event_create", `{}`)+`]}`))
		if rep.status != 202 {
			t.Fatalf("%d: %d %s", i, rep.status, rep.body)
		}
		if rep := h.get(rep.header.Get("Location") + "?wait=20s"); !bytes.Contains(rep.body, []byte(`"completed_at":"2`)) {
			t.Errorf("%d %s", rep.status, rep.body)
		}
	}
	watch.Until(t, "2 completed and 1 failed job are counted, which is a moment after their receipts say so", func() bool {
		got := h.scrape()
		return got[`brokle_jobs_total{status="completed"}`] == 2 && got[`brokle_jobs_total{status="failed"}`] == 1 && got[`brokle_jobs_pending`] == 0
	})
}

// Operations: on their own address always, on the API's only when asked, profiles never there.
func TestOperations(t *testing.T) {
	t.Parallel()
	parts := []store.Health{{Part: "log", OK: true}, {Part: "warehouse", Detail: "checkpoint fails\nsince noon"}}
	h := open(t, setup{options: func(o *Options) {
		o.OpsOnMain = false
		o.Health = func() []store.Health { return parts }
	}})
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/debug/pprof/cmdline"} {
		if rep := h.get(path); rep.status != 404 {
			t.Errorf("%s on the API's address: %d", path, rep.status)
		}
		if rep := h.get(h.ops+path, "X-API-Key", ""); rep.status != 200 || len(rep.body) == 0 {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	rep := h.get(h.ops + "/readyz")
	if got, want := string(rep.body), "log: ok\nwarehouse: degraded: checkpoint fails since noon\nadmission: ok\n"; got != want || rep.status != 200 {
		t.Errorf("%d %q, want %q", rep.status, got, want)
	}
	parts[0] = store.Health{Part: "log", Detail: "disk full", Blocking: true}
	if rep := h.get(h.ops + "/readyz"); rep.status != 503 || !strings.HasPrefix(string(rep.body), "log: down: disk full\n") {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if h2 := open(t, setup{}); h2.get("/debug/pprof/cmdline").status != 404 || h2.get("/healthz").status != 200 {
		t.Error("with OpsOnMain: a profile, or no health")
	}
}
