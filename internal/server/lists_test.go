package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The lists as bytes: two sessions of one user, in two environments.
func TestGoldenLists(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(
		event("ev-1", "trace_create", `{"id":"t-1","name":"turn 1","user_id":"u","session_id":"s-1","input":"hello","output":{"text":"größe <b>"}}`),
		event("ev-2", "trace_create", `{"id":"t-2","name":"turn 2","user_id":"u","session_id":"s-1","environment":"staging"}`),
		event("ev-3", "observation_create", `{"id":"o-1","trace_id":"t-2","name":"call","model":"m","level":"error","start_time":"2023-11-14T22:13:21Z","end_time":"2023-11-14T22:13:22.5Z","total_tokens":7,"total_cost":0.25}`),
		event("ev-4", "trace_create", `{"id":"t-3","name":"alone","user_id":"u","session_id":"s-2"}`),
		event("ev-5", "trace_create", `{"id":"t-4","name":"nobody's"}`),
		event("ev-6", "quality_score_create", `{"trace_id":"t-3","name":"quality","value":0.75}`),
		event("ev-7", "quality_score_create", `{"trace_id":"t-4","name":"quality","value":0.25}`),
	)
	h.settle()
	golden(t, "sessions", h.get("/v1/sessions"))
	golden(t, "session", h.get("/v1/sessions/s-1"))
	golden(t, "users", h.get("/v1/users"))
	golden(t, "environments", h.get("/v1/environments"))
	golden(t, "stats_value_bucket", h.get("/v1/stats?of=scores&group_by=name,value_bucket"))
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for path, want := range map[string]string{
		"/v1/sessions":                                         "s",
		"/v1/sessions?session_id=other":                        "",
		"/v1/sessions?has_error=true":                          "s",
		"/v1/sessions?has_error=false":                         "",
		"/v1/sessions?to=2026-03-01T12:09:00Z&has_error=false": "s",
		"/v1/users":                                             "u-0 u-2 u-1",
		"/v1/users?sort=first_seen":                             "u-0 u-1 u-2",
		"/v1/users?sort=-total_cost":                            "u-0 u-2 u-1",
		"/v1/users?sort=-trace_count&limit=1":                   "u-0",
		"/v1/users?user_id=u-1":                                 "u-1",
		"/v1/users?has_error=true":                              "u-0",
		"/v1/users?tag=tag-2&session_id=s&environment=default":  "u-2",
		"/v1/users?model=m-1&from=2026-03-01T12:07:00Z":         "u-0 u-1",
		"/v1/users?name=trace+4":                                "u-1",
		"/v1/users?sort=session_count&limit=2":                  "u-0 u-1",
		"/v1/users?to=2026-03-01T12:01:00Z&sort=-session_count": "u-0",
	} {
		if got := strings.Join(ids(t, h.get(path)), " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for _, c := range []struct{ path, param, code string }{
		{"/v1/sessions?level=x", "level", "unknown_parameter"}, {"/v1/users?score=a>1", "score", "unknown_parameter"},
		{"/v1/environments?name=x", "name", "unknown_parameter"}, {"/v1/sessions/s?limit=5", "limit", "unknown_parameter"},
		{"/v1/sessions?sort=start_time", "sort", "invalid_parameter"}, {"/v1/users?limit=1001", "limit", "invalid_parameter"},
		{"/v1/environments?sort=-name", "sort", "invalid_parameter"}, {"/v1/sessions/s?cursor=x", "cursor", "invalid_parameter"},
		{"/v1/environments?from=20&to=10", "to", "invalid_parameter"}, {"/v1/sessions?has_error=2", "has_error", "invalid_parameter"},
	} {
		rep := h.get(c.path)
		if rep.status != 400 || rep.code(t) != c.code || !strings.Contains(string(rep.body), `"parameter":"`+c.param+`"`) {
			t.Errorf("%s: %d %s", c.path, rep.status, rep.body)
		}
	}
}

// A long session comes in answers of at most 200 traces and, when the payloads are
// large, of fewer: in order, each trace once, as GET /v1/traces/{id} has it.
func TestSessionPages(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for at := 0; at < 450; at += 150 {
		var events []string
		for i := at; i < at+150; i++ {
			events = append(events, fmt.Sprintf(`{"event_id":"e%d","event_type":"trace_create","timestamp":%d,"payload":{"id":"t%03[1]d","name":"n","session_id":"long","input":"in %[1]d"}}`, i, 1700000000+i/10))
		}
		h.post(events...)
	}
	large := strings.Repeat("x", 900<<10)
	for i := range 20 { // 18 MB of input and output
		h.post(event(fmt.Sprint("big", i), "trace_create", fmt.Sprintf(`{"id":"b%02d","name":"n","session_id":"a/b","output":%q}`, i, large)))
	}
	h.settle()
	for _, c := range []struct {
		session, prefix string
		traces, first   int
	}{{"long", "t%03d", 450, 200}, {"a%2Fb", "b%02d", 20, 18}} {
		cursor, n := "", 0
		for page := 0; ; page++ {
			rep := h.get("/v1/sessions/" + c.session + "?cursor=" + url.QueryEscape(cursor))
			if rep.status != http.StatusOK {
				t.Fatalf("%d %s", rep.status, rep.body)
			}
			s := decoded[wire.Session](t, rep)
			if s.TraceCount != int64(c.traces) || page == 0 && len(s.Traces) != c.first {
				t.Errorf("%s: %d traces, %d on page %d", c.session, s.TraceCount, len(s.Traces), page)
			}
			for _, trace := range s.Traces {
				if want := fmt.Sprintf(c.prefix, n); trace.ID != want {
					t.Fatalf("%s: %s instead of %s", c.session, trace.ID, want)
				}
				if in, out := string(trace.Input), string(trace.Output); c.session == "long" && (in != fmt.Sprintf(`"in %d"`, n) || out != "null") ||
					c.session != "long" && (in != "null" || out != `"`+large+`"`) {
					t.Errorf("%s has input %.20s and output %.20s", trace.ID, in, out)
				}
				n++
			}
			if s.NextCursor == nil {
				break
			}
			cursor = *s.NextCursor
		}
		if n != c.traces {
			t.Errorf("%s: %d traces in all pages", c.session, n)
		}
	}
	for _, path := range []string{"/v1/sessions/none", "/v1/sessions/%00"} {
		if rep := h.get(path); rep.status != http.StatusNotFound || rep.code(t) != "not_found" {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
}

// Another project sees nothing of it, not even through the id or a cursor.
func TestListsOfAnotherProject(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	other := h.newKey("two", "read")
	for _, path := range []string{"/v1/sessions", "/v1/users", "/v1/environments"} {
		if got := ids(t, h.get(path, "X-API-Key", "", "X-API-Key", other)); len(got) != 0 {
			t.Errorf("%s: %v", path, got)
		}
	}
	if rep := h.get("/v1/sessions/s", "X-API-Key", "", "X-API-Key", other); rep.status != http.StatusNotFound {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	next := decoded[wire.Page[struct{}]](t, h.get("/v1/users?limit=1")).NextCursor
	if rep := h.get("/v1/users?limit=1&cursor="+url.QueryEscape(*next), "X-API-Key", "", "X-API-Key", other); rep.status != http.StatusBadRequest {
		t.Errorf("a cursor of another project: %d %s", rep.status, rep.body)
	}
	ingest := h.newKey("one", "ingest")
	if rep := h.get("/v1/sessions", "X-API-Key", "", "X-API-Key", ingest); rep.status != http.StatusForbidden {
		t.Errorf("without the scope: %d", rep.status)
	}
}
