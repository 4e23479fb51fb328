package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/signin"
)

// signIn signs in with a body and returns the session's cookie as a header.
func (h *house) signIn(body string) (cookie string, rep reply) {
	h.tb.Helper()
	rep = h.send("POST", "/v1/session", []byte(body), "X-API-Key", "", "Origin", h.url)
	for _, c := range rep.header["Set-Cookie"] {
		cookie, _, _ = strings.Cut(c, ";")
	}
	return cookie, rep
}

func (h *house) session(key string) string {
	h.tb.Helper()
	cookie, rep := h.signIn(fmt.Sprintf(`{"key":%q}`, key))
	if rep.status != http.StatusOK || cookie == "" {
		h.tb.Fatalf("sign in: %d %s", rep.status, rep.body)
	}
	return cookie
}

func TestSession(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("s1", "trace_create", `{"id":"of-one","name":"n"}`))
	h.settle()
	cookie, rep := h.signIn(fmt.Sprintf(`{"key":%q}`, h.key))
	set := rep.header.Get("Set-Cookie")
	for _, part := range []string{"brokle_session=", "HttpOnly", "SameSite=Strict"} {
		if !strings.Contains(set, part) {
			t.Errorf("the cookie has no %s: %s", part, set)
		}
	}
	if strings.Contains(set, "Path=") {
		t.Errorf("the cookie names a path, which behind a proxy is not the path that the browser sees: %s", set)
	}
	if strings.Contains(set, "Secure") || strings.Contains(set, h.key) || strings.Contains(string(rep.body), h.key) {
		t.Errorf("over plain HTTP: %s %s", set, rep.body)
	}
	info := decoded[sessionInfo](t, rep)
	if info.Project != "one" || info.KeyName != "test" || len(info.Scopes) != 3 || time.Until(info.ExpiresAt) < 11*time.Hour {
		t.Errorf("%+v", info)
	}
	if rep := h.get("/v1/traces/of-one", "X-API-Key", "", "Cookie", cookie); rep.status != http.StatusOK {
		t.Errorf("read with the session: %d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/session", "X-API-Key", "", "Cookie", cookie); rep.status != http.StatusOK {
		t.Errorf("who is signed in: %d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/session", "X-API-Key", ""); rep.status != http.StatusNoContent {
		t.Errorf("nobody is signed in: %d %s", rep.status, rep.body)
	}
	rep = h.send("DELETE", "/v1/session", nil, "X-API-Key", "", "Cookie", cookie, "Origin", h.url)
	if rep.status != http.StatusNoContent || !strings.Contains(rep.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out: %d %v", rep.status, rep.header)
	}
	if rep := h.get("/v1/traces", "X-API-Key", "", "Cookie", cookie); rep.status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", rep.status)
	}
}

func TestSessionOverTLS(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	rep := h.send("POST", "/v1/session", fmt.Appendf(nil, `{"key":%q}`, h.key), "X-API-Key", "", "Origin", h.url, "X-Forwarded-Proto", "https")
	if set := rep.header.Get("Set-Cookie"); !strings.Contains(set, "Secure") {
		t.Errorf("%d %s", rep.status, set)
	}
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	writer := h.newKey("one", "ingest")
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{"unknown key", `{"key":"bk_0123456789abcdef"}`, []string{"Origin", h.url}, 401, "unauthorized"},
		{"no scope to read", fmt.Sprintf(`{"key":%q}`, writer), []string{"Origin", h.url}, 403, "forbidden"},
		{"unknown token", `{"token":"abc"}`, []string{"Origin", h.url}, 401, "unauthorized"},
		{"neither", `{}`, []string{"Origin", h.url}, 400, "invalid_parameter"},
		{"both", `{"key":"bk_0123456789abcdef","token":"x"}`, []string{"Origin", h.url}, 400, "invalid_parameter"},
		{"not JSON", `key`, []string{"Origin", h.url}, 400, "invalid_parameter"},
		{"too long", `{"key":"` + strings.Repeat("x", maxSignIn) + `"}`, []string{"Origin", h.url}, 400, "incomplete_body"},
		{"of nowhere", fmt.Sprintf(`{"key":%q}`, h.key), nil, 403, "forbidden"},
		{"of another site", fmt.Sprintf(`{"key":%q}`, h.key), []string{"Origin", "https://elsewhere.example"}, 403, "forbidden"},
		{"of an opaque origin", fmt.Sprintf(`{"key":%q}`, h.key), []string{"Origin", "null"}, 403, "forbidden"},
	} {
		rep := h.send("POST", "/v1/session", []byte(c.body), append([]string{"X-API-Key", ""}, c.headers...)...)
		if rep.status != c.status || rep.code(t) != c.code || rep.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s %v", c.name, rep.status, rep.body, rep.header["Set-Cookie"])
		}
	}
}

// A session is for requests of the server's own pages; a key beside it counts as a key.
func TestSessionOrigin(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	cookie := h.session(h.key)
	body := batch(event("so", "event_create", `{}`))
	for _, c := range []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"own page", "POST", []string{"Origin", h.url, "Sec-Fetch-Site", "same-origin"}, 200},
		{"own page, old browser", "POST", []string{"Origin", h.url}, 200},
		{"own page, no origin", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"nothing said", "POST", nil, 403},
		{"another site", "POST", []string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another port", "POST", []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}, 403},
		{"own origin, but from elsewhere", "POST", []string{"Origin", h.url, "Sec-Fetch-Site", "cross-site"}, 403},
		{"typed address", "POST", []string{"Sec-Fetch-Site", "none"}, 403},
		{"another site with a key", "POST", []string{"Origin", "https://elsewhere.example", "X-API-Key", h.key}, 200},
		{"read, own page", "GET", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"read, typed address", "GET", []string{"Sec-Fetch-Site", "none"}, 200},
		{"read, another site", "GET", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"read, another port", "GET", []string{"Origin", "http://127.0.0.1:1"}, 403},
	} {
		path, b := "/v1/telemetry/batch", body
		if c.method == "GET" {
			path, b = "/v1/traces", nil
		}
		rep := h.send(c.method, path, b, append([]string{"X-API-Key", "", "Cookie", cookie}, c.headers...)...)
		if rep.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, rep.status, rep.body, c.status)
		}
	}
}

func TestSessionHasTheScopesOfItsKey(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	cookie := h.session(h.newKey("one", "read"))
	rep := h.send("POST", "/v1/telemetry/batch", batch(event("x", "event_create", `{}`)), "X-API-Key", "", "Cookie", cookie, "Origin", h.url)
	if rep.status != 403 || rep.code(t) != "forbidden" {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

func TestSessionEndsWithItsKey(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	secret, key, err := h.keys.Create("one", "short-lived", []string{"read"})
	if err != nil {
		t.Fatal(err)
	}
	cookie := h.session(secret)
	path, ok := h.srv.Link(secret)
	if !ok {
		t.Fatal("no link for a key that is there")
	}
	if err := h.keys.Revoke(key.ID); err != nil {
		t.Fatal(err)
	}
	if rep := h.get("/v1/traces", "X-API-Key", "", "Cookie", cookie); rep.status != 401 {
		t.Errorf("the session of a revoked key: %d", rep.status)
	}
	if _, rep := h.signIn(fmt.Sprintf(`{"token":%q}`, strings.TrimPrefix(path, "/#token="))); rep.status != 401 {
		t.Errorf("the link of a revoked key: %d", rep.status)
	}
	if _, ok := h.srv.Link(secret); ok {
		t.Error("a link for a revoked key")
	}
}

func TestSessionLivesWhileUsed(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	start := time.Now()
	h := open(t, setup{options: func(o *Options) { o.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) } }})
	cookie := h.session(h.key)
	for _, c := range []struct {
		wait   time.Duration
		status int
	}{{signin.Idle - time.Second, 200}, {signin.Idle - time.Second, 200}, {signin.Idle, 401}, {0, 401}} {
		passed.Add(int64(c.wait))
		if rep := h.get("/v1/traces", "X-API-Key", "", "Cookie", cookie); rep.status != c.status {
			t.Errorf("after %v: %d, want %d", c.wait, rep.status, c.status)
		}
	}
}

func TestLinkSignsInOnceWithinTenMinutes(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	start := time.Now()
	h := open(t, setup{options: func(o *Options) { o.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) } }})
	make := func() string {
		rep := h.send("POST", "/v1/session/link", nil)
		path := decoded[sessionLink](t, rep).Path
		if rep.status != http.StatusCreated || !strings.HasPrefix(path, "/#token=") {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
		return fmt.Sprintf(`{"token":%q}`, strings.TrimPrefix(path, "/#token="))
	}
	first, late := make(), make()
	cookie, rep := h.signIn(first)
	if rep.status != 200 || decoded[sessionInfo](t, rep).Project != "one" {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if _, rep := h.signIn(first); rep.status != 401 {
		t.Errorf("used twice: %d", rep.status)
	}
	passed.Store(int64(signin.LinkLife))
	if _, rep := h.signIn(late); rep.status != 401 {
		t.Errorf("used late: %d", rep.status)
	}
	if rep := h.send("POST", "/v1/session/link", nil, "X-API-Key", "", "Cookie", cookie, "Origin", h.url); rep.status != 403 {
		t.Errorf("a link made by a session: %d", rep.status)
	}
}

// What counts is the credential that was used, not what other headers there are.
func TestSessionMakesNothingBesideAnotherHeader(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) {
		o.Backup = func(context.Context, io.Writer, func(entity.Seq) ([]byte, error)) error { return nil }
	}})
	cookie := h.session(h.newKey("default", "read", "admin"))
	for _, header := range []string{"Basic eDp5", "Bearer", "Bearer  ", "Digest x", "nonsense"} {
		for _, c := range []struct{ method, path string }{{"POST", "/v1/session/link"}, {"GET", "/v1/backup"}} {
			rep := h.send(c.method, c.path, nil, "X-API-Key", "", "Cookie", cookie, "Origin", h.url, "Authorization", header)
			if rep.status != http.StatusForbidden || rep.code(t) != "forbidden" {
				t.Errorf("%s with a session and Authorization %q: %d %s", c.path, header, rep.status, rep.body)
			}
		}
		// And it is held to the rule of a session: the header does not make it another site's right.
		if rep := h.get("/v1/traces", "X-API-Key", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Authorization", header); rep.status != http.StatusForbidden {
			t.Errorf("a session of another site with Authorization %q: %d", header, rep.status)
		}
	}
	if rep := h.send("POST", "/v1/session/link", nil, "Cookie", cookie); rep.status != http.StatusCreated {
		t.Errorf("a key beside a session: %d %s", rep.status, rep.body)
	}
}
