package server

import (
	"net/url"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A date is its first moment in UTC, for from and to alike and at every door that takes a time: to leaves its day out.
func TestDatesAreTimes(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	at := func(id, start string) string {
		return `{"event_id":"` + id + `","event_type":"observation_create","timestamp":"` + start + `","payload":{"id":"` + id + `","trace_id":"t-` + id + `","name":"n","type":"span","start_time":"` + start + `","user_id":"u","session_id":"s"}}`
	}
	h.post(at("before", "2026-11-29T23:59:59.999999Z"), at("first", "2026-11-30T00:00:00Z"), at("last", "2026-11-30T23:59:59.999999Z"), at("after", "2026-12-01T00:00:00Z"))
	h.settle()
	for dates, times := range map[string]string{
		"from=2026-11-30":                 "from=2026-11-30T00:00:00Z",
		"to=2026-11-30":                   "to=2026-11-30T00:00:00Z",
		"from=2026-11-30&to=2026-12-01":   "from=2026-11-30T00:00:00Z&to=2026-12-01T00:00:00Z",
		"from=2026-11-30&to=2026-11-30":   "from=2026-11-30T00:00:00Z&to=2026-11-30T00:00:00Z",
		"from=2026-11-30T00:00&to=" + "0": "", // refused
	} {
		for _, path := range []string{"/v1/traces?", "/v1/observations?", "/v1/sessions?", "/v1/users?", "/v1/environments?", "/v1/telemetry/events?", "/v1/stats?of=traces&", "/v1/stats?of=events&"} {
			got := h.get(path + dates)
			if times == "" {
				if got.status != 400 {
					t.Errorf("%s%s: %d", path, dates, got.status)
				}
				continue
			}
			if want := h.get(path + times); got.status != 200 || string(got.body) != string(want.body) {
				t.Errorf("%s%s: %d %s, want %s", path, dates, got.status, got.body, want.body)
			}
		}
	}
	day := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?from=2026-11-30&to=2026-12-01&sort=start_time")).Data
	if len(day) != 2 || day[0].ID != "first" || day[1].ID != "last" {
		t.Errorf("%+v", day)
	}
	for _, wrong := range []string{"2026-11-31", "2026-13-01", "1969-12-31", "26-11-30", "2026-11", "2026-11-30Z", "yesterday"} {
		for _, param := range []string{"from", "to"} {
			rep := h.get("/v1/observations?" + param + "=" + url.QueryEscape(wrong))
			if rep.status != 400 || !strings.Contains(string(rep.body), "must be a date such as 2026-01-31") {
				t.Errorf("%s=%s: %d %s", param, wrong, rep.status, rep.body)
			}
		}
	}
}
