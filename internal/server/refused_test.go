package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A wrong path, key or body of a client that sends telemetry is shown, counted, and nothing of what it made up.
func TestRefusedRequestsAreShown(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.AuthFailures = 1000 }})
	operator, reader := h.newKey("default", "admin", "read"), h.newKey("default", "read")
	const secret = "bk_0123456789abcdefSECRET"
	python := []string{"User-Agent", "python-requests/2.31.0"}
	for range 3 {
		h.send("POST", "/v1/telemetry/batches/alice@example.com", []byte(`{}`), python...)
	}
	h.send("POST", "/v1/telemetry/batch/", []byte(`{}`), python...)
	h.send("POST", "//v1/telemetry/batch", []byte(`{}`), python...)
	h.send("POST", "/v1/"+secret+"/traces", []byte(`{}`), "User-Agent", secret)
	h.send("POST", "/v1/telemetry/batch", []byte(`{}`), "X-API-Key", "", "X-API-Key", secret, "User-Agent", "OTel-OTLP-Exporter-Python/1.27")
	h.send("POST", "/v1/telemetry/batch", []byte(`x`), python...)
	h.send("PUT", "/v1/telemetry/batch", []byte(`{}`), python...)
	h.get("/favicon.ico", "X-API-Key", "")
	h.get("/v1/traces?nonsense=1")
	for i := range 1000 {
		h.send("POST", fmt.Sprintf("/made/up-%d/v1/%d", i, i), []byte(`{}`), "X-API-Key", "", "User-Agent", fmt.Sprintf("made-up-%d/1", i))
	}
	list := func(key string) (rows map[string]refusedRow, all string) {
		rep := h.get("/v1/ingest/refused", "X-API-Key", "", "X-API-Key", key)
		rows = map[string]refusedRow{}
		for _, row := range decoded[wire.Page[refusedRow]](t, rep).Data {
			rows[fmt.Sprintf("%s %s %s %d %s %s", row.Caller, row.Method, row.Path, row.Status, row.Code, row.Client)] = row
			if row.Last.IsZero() || row.Count < 1 {
				t.Errorf("%+v", row)
			}
		}
		return rows, string(rep.body)
	}
	check := func(who string, got map[string]refusedRow, want map[string]int64) {
		t.Helper()
		for row, n := range want {
			if got[row].Count != n {
				t.Errorf("%s sees %q %d times, not %d", who, row, got[row].Count, n)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s sees %d rows: %v", who, len(got), got)
		}
	}
	own, _ := list(h.key)
	check("the project", own, map[string]int64{
		"project POST /v1/telemetry/… 404 not_found python-requests":             3,
		"project POST /v1/telemetry/batch/ 404 not_found python-requests":        1,
		"project POST //v1/telemetry/batch 404 not_found python-requests":        1,
		"project POST /v1/…/traces 404 not_found other":                          1,
		"project POST /v1/telemetry/batch 400 invalid_json python-requests":      1,
		"project PUT /v1/telemetry/batch 405 method_not_allowed python-requests": 1,
	})
	unknown, text := list(operator)
	check("the operator", unknown, map[string]int64{
		"unknown POST /v1/telemetry/batch 401 unauthorized OTel-OTLP-Exporter-Python": 1,
		"unknown POST /…/v1/… 404 not_found other":                                    1000,
	})
	for _, made := range []string{"SECRET", "alice", "made"} {
		if strings.Contains(text, made) || strings.Contains(string(h.get(h.ops+"/metrics").body), made) {
			t.Errorf("%s is shown: %s", made, text)
		}
	}
	if got, _ := list(reader); len(got) != 0 {
		t.Errorf("one who may not: %v", got)
	}
	metrics := string(h.get(h.ops + "/metrics").body)
	for _, line := range []string{
		`brokle_refused_requests_total{client="python",code="not_found"} 5`,
		`brokle_refused_requests_total{client="opentelemetry",code="unauthorized"} 1`,
		`brokle_refused_requests_total{client="other",code="not_found"} 1001`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
}

func TestRefusedRowsAreBounded(t *testing.T) {
	t.Parallel()
	f := newRefusals()
	now := newClock()
	for i := range 3 * mostRefused {
		kind := refusedKind{method: "POST", path: fmt.Sprint("/", i), status: 404, code: "not_found", client: "curl"}
		f.note("", kind, now.Now())
		f.note("p", kind, now.Now())
		f.note(fmt.Sprint("project-", i), kind, now.Now())
	}
	if n := len(f.list("p", true)); n != 2*mostRefused {
		t.Errorf("%d rows are kept", n)
	}
	if n := f.known.Len(); n > mostRefusedProjects {
		t.Errorf("%d projects have rows", n)
	}
}
