package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Exporters drop a batch at once when Retry-After is at or over their own deadline, which
// may be 5 s: on no path that takes telemetry is it more than 4 whole seconds.
func TestRetryAfterIsShortWhereTelemetryComes(t *testing.T) {
	t.Parallel()
	now := newClock()
	refuse := false
	h := open(t, setup{options: func(o *Options) {
		o.RatePerKey, o.AuthFailures, o.Now = 1, 1, now.Now
		o.Admit = func() error {
			if refuse {
				return fmt.Errorf("%w: full", store.ErrUnavailable)
			}
			return nil
		}
	}})
	list := make([]string, 1000)
	for i := range list {
		list[i] = event(fmt.Sprintf("b-%d", i), "event_create", `{}`)
	}
	h.post(list...) // the burst is spent: 1000 more have to wait for 1000 s
	check := func(what, path string, status int, rep reply) {
		t.Helper()
		after, err := strconv.Atoi(rep.header.Get("Retry-After"))
		if rep.status != status || err != nil || after < 1 || after > 4 {
			t.Errorf("%s at %s: %d, Retry-After %q", what, path, rep.status, rep.header.Get("Retry-After"))
		}
		if body := string(rep.body); strings.Contains(body, "1000 s") || strings.Contains(body, "60 s") {
			t.Errorf("%s at %s tells another wait than its header: %s", what, path, body)
		}
	}
	paths := 0
	for _, rt := range apiRoutes() {
		if rt.format == nil {
			continue
		}
		paths++
		body := thousand(rt, list)
		if !strings.HasSuffix(rt.path, "/metrics") && rt.path != "/v1/scores" { // the first are counted by nobody, the other is one at a time
			check("over the rate", rt.path, http.StatusTooManyRequests, h.send(rt.method, rt.path, body))
		}
		refuse = true
		check("not admitted", rt.path, http.StatusServiceUnavailable, h.send(rt.method, rt.path, body))
		refuse = false
		wrong := []string{"X-API-Key", "", "X-API-Key", "bk_0123456789abcdef"}
		h.send(rt.method, rt.path, body, wrong...)
		check("too many wrong keys", rt.path, http.StatusTooManyRequests, h.send(rt.method, rt.path, body, wrong...))
	}
	if paths < 3 {
		t.Errorf("%d paths take telemetry", paths)
	}
}

// thousand is a body of a route where telemetry comes in, with a thousand of what it takes; list is a
// thousand events of a batch.
func thousand(rt route, list []string) []byte {
	of := func(begin, one, end string) []byte {
		return []byte(begin + strings.Repeat(one+",", 999) + one + end)
	}
	switch {
	case strings.HasSuffix(rt.path, "/ingestion"):
		return of(`{"batch":[`, `{"id":"e","type":"sdk-log","body":{}}`, `]}`)
	case rt.path == "/v1/scores":
		return []byte(`{"trace_id":"t","name":"n","value":1}`)
	case strings.HasSuffix(rt.path, "/scores"):
		return of(`[`, `{"traceId":"t","name":"n","value":1}`, `]`)
	case strings.HasSuffix(rt.path, "/scores/batch"):
		return of(`{"scores":[`, `{"trace_id":"t","name":"n","value":1}`, `]}`)
	case strings.HasSuffix(rt.path, "/bulk"):
		return of(`{"telemetry":[`, `{}`, `],"timestamp":1}`)
	case strings.HasSuffix(rt.path, "/traces"):
		return of(`{"resourceSpans":[{"scopeSpans":[{"spans":[`, `{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"n"}`, `]}]}]}`)
	case strings.HasSuffix(rt.path, "/logs"):
		return of(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[`, `{"body":{"stringValue":"b"}}`, `]}]}]}`)
	}
	return batch(list...)
}
