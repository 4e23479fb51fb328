package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Property 30: markup in any field comes out of every answer as JSON that no
// browser takes for a page.
func TestMarkupComesBackAsJSON(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	const markup = `</script><script>alert(1)</script><img src=x onerror=alert(1)>'"` + "`${alert(1)}javascript:alert(1)"
	quoted, err := json.Marshal(markup)
	if err != nil {
		t.Fatal(err)
	}
	m := string(quoted)
	ids := fmt.Sprintf(`"id":%s,"user_id":%s,"session_id":%s`, m, m, m)
	res := h.post(
		event("m1", "trace_create", fmt.Sprintf(`{%s,"name":%s,"tags":[%s],"version":%s,"release":%s,"input":%s,"output":{%s:%s},"metadata":{%s:%s}}`, ids, m, m, m, m, m, m, m, m, m)),
		event("m2", "observation_create", fmt.Sprintf(`{%s,"trace_id":%s,"name":%s,"type":%s,"model":%s,"provider":%s,"status_message":%s,"input":%s,"output":%s}`, ids, m, m, m, m, m, m, m, m)),
		event("m3", "quality_score_create", fmt.Sprintf(`{%s,"trace_id":%s,"observation_id":%s,"name":%s,"value":%s,"comment":%s,"evaluator_name":%s}`, ids, m, m, m, m, m, m)),
		event("m4", "event_create", fmt.Sprintf(`{"name":%s,%s:%s}`, m, m, m)),
		event("<script>alert(1)</script>", "event_create", `{}`),
		fmt.Sprintf(`{"event_id":"m5","event_type":%s,"payload":{}}`, m),
	)
	if res.ProcessedEvents != 5 || res.FailedEvents != 1 {
		t.Fatalf("%+v", res)
	}
	if _, _, err := h.keys.Create("one", "<script>alert(1)</script>", []string{"read"}); err != nil {
		t.Fatal(err)
	}
	h.settle()
	id := url.PathEscape(markup)
	for _, path := range []string{
		"/v1/traces", "/v1/traces/" + id, "/v1/traces/" + id + "/history", "/v1/observations", "/v1/observations/" + id, "/v1/observations/" + id + "/history",
		"/v1/scores", "/v1/scores/" + id + "/history", "/v1/sessions", "/v1/sessions/" + id, "/v1/users", "/v1/telemetry/events", "/v1/telemetry/events/m5",
		"/v1/telemetry/events/" + url.PathEscape("<script>alert(1)</script>"), "/v1/telemetry/batch/" + res.BatchID, "/v1/telemetry/audit", "/v1/keys", "/v1/projects",
		"/v1/stats?of=traces&group_by=name,user_id", "/v1/stats?of=observations&group_by=model,type", "/v1/traces?name=" + url.QueryEscape(markup),
		// and what echoes the request
		"/v1/" + id, "/v1/traces?" + url.QueryEscape(markup) + "=1", "/v1/traces?sort=" + url.QueryEscape(markup), "/v1/traces?cursor=" + url.QueryEscape(markup),
		"/v1/traces/<script>", "/v1/telemetry/events?limit=<script>",
	} {
		for _, accept := range []string{"*/*", "text/html"} {
			rep := h.get(path, "Accept", accept)
			if ct := rep.header.Get("Content-Type"); ct != "application/json; charset=utf-8" || rep.header.Get("X-Content-Type-Options") != "nosniff" || !json.Valid(rep.body) {
				t.Errorf("%s: %s, %q %.200s", path, ct, rep.header.Get("X-Content-Type-Options"), rep.body)
			}
			if rep.header.Get("Access-Control-Allow-Origin") != "" || rep.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", path, rep.header)
			}
		}
	}
	// Outside of the API a browser gets the page, which repeats nothing of the address.
	for accept, begins := range map[string]string{"*/*": "{", "text/html": "<!doctype html>"} {
		rep := h.get("/<script>alert(1)</script>", "Accept", accept)
		if !strings.HasPrefix(string(rep.body), begins) || strings.Contains(string(rep.body), "alert") || rep.header.Get("X-Content-Type-Options") != "nosniff" || rep.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %s", accept, rep.header, rep.body)
		}
	}
	if rep := h.get("/v1/traces/" + id); rep.status != 200 {
		t.Errorf("the trace itself: %d %s", rep.status, rep.body)
	}
}

// The page cannot be framed, runs nothing that is inline, sends no referrer, and
// nothing of a request is in it.
func TestPageHeaders(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	plain := h.get("/traces", "X-API-Key", "", "Accept-Encoding", "identity")
	for name, parts := range map[string][]string{
		"Content-Security-Policy":      {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "connect-src 'self'"},
		"X-Frame-Options":              {"DENY"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
	} {
		for _, part := range parts {
			if !strings.Contains(plain.header.Get(name), part) {
				t.Errorf("%s is %q, without %s", name, plain.header.Get(name), part)
			}
		}
	}
	if csp := plain.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("the policy allows too much: %s", csp)
	}
	below := h.get("/traces/id", "X-API-Key", "", "Accept-Encoding", "identity")
	for path, want := range map[string][]byte{"/traces?q=<script>alert(1)</script>": plain.body, "/?token=x": plain.body,
		"/traces/%3Cscript%3E": below.body, "/sessions/%22%3E%3Cscript%3E": below.body} {
		if rep := h.get(path, "X-API-Key", "", "Accept-Encoding", "identity"); rep.status != 200 || string(rep.body) != string(want) {
			t.Errorf("%s is another page than that of its kind: %d", path, rep.status)
		}
	}
}

// What a client sends never becomes a header or a second answer: breaks of lines, NUL
// and paths in ids and names are refused, or are part of one JSON string.
func TestNothingBecomesAHeader(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("plain", "trace_create", `{"id":"../../etc/passwd","name":"n"}`), event("slash", "trace_create", `{"id":"a/b","name":"n"}`),
		event("crlf", "trace_create", `{"id":"a\r\nX-Injected: 1\r\n\r\nb","name":"n"}`), event("dots", "trace_create", `{"id":"..","name":"n"}`))
	h.settle()
	expected := []string{"Accept-Encoding", "Allow", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "X-Content-Type-Options"}
	for path, status := range map[string]int{
		"/v1/traces/..%2F..%2Fetc%2Fpasswd": 200, "/v1/traces/a%2Fb": 200, "/v1/traces/a%0D%0AX-Injected:%201%0D%0A%0D%0Ab": 200,
		"/v1/traces/a%2fb/history": 200, "/v1/traces/a/b": 404, "/v1/traces/../keys": 404, "/v1/traces/%2e%2e": 200, "/v1/traces/..": 404,
		"/v1/traces/%2E%2E%2Fkeys": 404, "/v1/traces/a%00b": 404, "/v1/traces/%00": 404, "/v1/traces/%FF": 404, "/v1/traces/" + strings.Repeat("a", 10_000): 404,
		"/v1/telemetry/batch/..%2F..%2Fkeys.json": 404, "/v1/telemetry/batch/%0D%0ASet-Cookie:x": 404, "/v1/telemetry/jobs/job_%0D%0A": 404, "/v1/telemetry/jobs/..%2F": 404,
		"/v1/telemetry/events/%0D%0A": 404, "/v1/telemetry/events/..%2F": 404, "/v1/sessions/%0D%0A": 404, "/assets/..%2F..%2Fkeys.json": 404, "/assets/%2e%2e%2fkeys.json": 404,
		"/assets/..%5c..%5ckeys.json": 404, "/%2e%2e/keys.json": 404, "/v1/traces%00": 404, "/v1/traces%0D%0AX-Injected:1": 404, "/v1/traces?limit=1%0D%0AX-Injected:1": 400,
		"/v1/traces?a%0D%0AX-Injected:1=1": 400, "/v1/traces?name=%00": 400, "/v1/traces?name=%FF": 400, "/v1/traces?%zz": 400, "/v1/traces?a;b=1": 400,
	} {
		raw := "GET " + path + " HTTP/1.1\r\nHost: x\r\nX-API-Key: " + h.key + "\r\nX-Request-ID: a b\r\nX-Environment: a\tb\r\nConnection: close\r\n\r\n"
		rep := h.one(raw)
		if rep.status != status {
			t.Errorf("%s: %d %.200s, want %d", path, rep.status, rep.body, status)
		}
		for name, values := range rep.header {
			if !slices.Contains(expected, name) || strings.Contains(strings.Join(values, ""), "Injected") {
				t.Errorf("%s: a header %s: %q", path, name, values)
			}
		}
	}
	for _, body := range []string{`{"events":[{"event_id":"a\r\nSet-Cookie: x","event_type":"event_create","payload":{}}]}`, `{"events":[{"event_id":"e","event_type":"x\r\ny","payload":{}}]}`,
		`{"async_mode":true,"events":[{"event_id":"a\r\n","event_type":"event_create","payload":{}}]}`} {
		rep := h.send("POST", "/v1/telemetry/batch", []byte(body))
		if rep.status != 200 && rep.status != 202 || rep.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %s", body, rep.status, rep.header, rep.body)
		}
	}
	if rep := h.send("POST", "/v1/telemetry/batch", batch(event("env", "event_create", `{}`)), "X-Environment", "a\tb"); rep.status != 400 || rep.code(t) != "invalid_environment" {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

// one sends a raw request, whose connection it asks to close, and returns the one answer.
func (h *house) one(raw string) reply {
	h.tb.Helper()
	c := h.dial()
	if _, err := c.Write([]byte(raw)); err != nil {
		h.tb.Fatal(err)
	}
	got := readAnswers(h.tb, c)
	if len(got) != 1 {
		h.tb.Fatalf("%.80q: %d answers", raw, len(got))
	}
	return got[0]
}

// The cookie is out of reach of scripts and of other sites, and its value is no key.
// Every state-changing route refuses a session that comes from elsewhere.
func TestSessionsFromElsewhereChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("mine", "trace_create", `{"id":"t","name":"n","user_id":"u"}`))
	h.settle()
	cookie := h.session(h.key)
	before := len(h.keys.List())
	routes := append(apiRoutes(), pageRoutes()...)
	changing := 0
	for _, rt := range routes {
		if rt.method == http.MethodGet || rt.path == "/v1/session" && rt.method == http.MethodPost {
			continue
		}
		changing++
		path := strings.ReplaceAll(rt.path, "{id}", cmp.Or(map[string]string{"/v1/users/{id}": "u", "/v1/traces/{id}": "t", "/v1/keys/{id}": h.keys.List()[0].ID}[rt.path], "a"))
		for name, headers := range map[string][]string{
			"nothing said": nil, "a form of another site": {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"},
			"another port": {"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}, "a sandboxed frame": {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
			"an address typed": {"Sec-Fetch-Site", "none"}, "a name that begins alike": {"Origin", h.url + ".evil.example"}, "a port that begins alike": {"Origin", h.url + "0"}, "a user before the host": {"Origin", "http://" + h.addr + "@evil.example"},
			"no scheme": {"Origin", h.addr}, "another scheme": {"Origin", "ftp://" + h.addr}, "a made-up site": {"Origin", h.url, "Sec-Fetch-Site", "same-origin, cross-site"},
			"own origin and another": {"Origin", h.url + " https://evil.example"},
		} {
			rep := h.send(rt.method, path, []byte(`{"name":"stolen","scopes":["admin"],"events":[]}`), append([]string{"X-API-Key", "", "Cookie", cookie}, headers...)...)
			if rep.status != 403 || rep.code(t) != "forbidden" {
				t.Errorf("%s %s, %s: %d %s", rt.method, rt.path, name, rep.status, rep.body)
			}
		}
	}
	if changing < 8 || len(h.keys.List()) != before || h.get("/v1/traces/t").status != 200 {
		t.Errorf("%d routes, %d keys of %d, the trace: %d", changing, len(h.keys.List()), before, h.get("/v1/traces/t").status)
	}
	if rep := h.get("/v1/session", "X-API-Key", "", "Cookie", cookie); rep.status != 200 {
		t.Errorf("the session was ended from elsewhere: %d", rep.status)
	}
}
