package server

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/page"
)

// The page is there at each of its addresses, with or without the bundle, and
// brings the policy that lets nothing else run.
func TestPage(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, path := range []string{"/", "/traces", "/compare", "/traces/some-id", "/traces/a%2Fb", "/sessions", "/users/u", "/scores", "/dashboard", "/prompts", "/prompts/p", "/alerts", "/ingest", "/settings"} {
		rep := h.get(path, "X-API-Key", "", "Accept-Encoding", "identity")
		if rep.status != 200 || !bytes.HasPrefix(rep.body, []byte("<!doctype html>")) {
			t.Errorf("%s: %d %.80s", path, rep.status, rep.body)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": page.Policy, "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
		} {
			if got := rep.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	for _, path := range []string{"/nothing", "/traces/a/b", "/assets/nothing.js", "/assets/", "/index.html", "/assets/..%2Findex.html"} {
		if rep := h.get(path); rep.status != 404 || rep.code(t) != "not_found" {
			t.Errorf("%s: %d %.80s", path, rep.status, rep.body)
		}
	}
	// A browser is told so by the page, wherever it is; a program, and who asks the API, by an error.
	for _, path := range []string{"/nothing", "/traces/a/b", "/index.html", "/a/b/c/"} {
		rep := h.get(path, "X-API-Key", "", "Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
		if rep.status != 404 || !bytes.HasPrefix(rep.body, []byte("<!doctype html>")) || rep.header.Get("Content-Security-Policy") != page.Policy {
			t.Errorf("%s in a browser: %d %.80s", path, rep.status, rep.body)
		}
	}
	for _, path := range []string{"/v1/nothing", "/api/public/nothing", "/assets/nothing.js"} {
		if rep := h.get(path, "Accept", "text/html"); rep.status != 404 || !json.Valid(rep.body) {
			t.Errorf("%s in a browser: %d %.80s", path, rep.status, rep.body)
		}
	}
	if rep := h.send("POST", "/traces", nil); rep.status != 405 {
		t.Errorf("POST /traces: %d", rep.status)
	}
}

// Without the bundle the page says how to get it, and it needs no script.
