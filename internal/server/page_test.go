package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/web"
)

// The page is there at each of its addresses, with or without the bundle, and
// brings the policy that lets nothing else run.
func TestPage(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, path := range []string{"/", "/traces", "/traces/some-id", "/traces/a%2Fb", "/sessions", "/users/u", "/scores", "/dashboard", "/ingest", "/settings"} {
		rep := h.get(path, "X-API-Key", "", "Accept-Encoding", "identity")
		if rep.status != 200 || !bytes.HasPrefix(rep.body, []byte("<!doctype html>")) {
			t.Errorf("%s: %d %.80s", path, rep.status, rep.body)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": pagePolicy, "X-Content-Type-Options": "nosniff",
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
	if rep := h.send("POST", "/traces", nil); rep.status != 405 {
		t.Errorf("POST /traces: %d", rep.status)
	}
}

// Without the bundle the page says how to get it, and it needs no script.
func TestUnbuiltPage(t *testing.T) {
	t.Parallel()
	page := string(web.Unbuilt())
	if !strings.Contains(page, "make build") || regexp.MustCompile(`<script|<style| style=`).MatchString(page) {
		t.Errorf("%s", page)
	}
}

func TestFileForms(t *testing.T) {
	t.Parallel()
	f := newFile("assets/app.js", []byte("plain"), []byte("gz"), []byte("br"))
	h := open(t, setup{})
	h.srv.page["assets/app.js"] = f // before any request: nothing else writes the map
	tags := map[string]bool{}
	for accepted, want := range map[string]string{
		"": "plain", "gzip": "gz", "br": "br", "gzip, br": "br", "br;q=0, gzip": "gz", "gzip;q=0": "plain", "deflate": "plain", "br; q=0.5": "br",
		"BR": "br", "gzip;q=broken": "plain",
	} {
		headers := []string{"X-API-Key", "", "Accept-Encoding", "identity"}
		if accepted != "" {
			headers = []string{"X-API-Key", "", "Accept-Encoding", accepted}
		}
		rep := h.get("/assets/app.js", headers...)
		if rep.status != 200 || string(rep.body) != want || rep.header.Get("Vary") != "Accept-Encoding" ||
			!strings.Contains(rep.header.Get("Cache-Control"), "immutable") || rep.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%q: %d %s %v", accepted, rep.status, rep.body, rep.header)
		}
		etag := rep.header.Get("ETag")
		tags[etag] = true
		if again := h.get("/assets/app.js", append(headers, "If-None-Match", `W/"other", `+etag)...); again.status != 304 || len(again.body) > 0 {
			t.Errorf("%q again: %d %s", accepted, again.status, again.body)
		}
	}
	if len(tags) != 3 {
		t.Errorf("%d ETags for three forms", len(tags))
	}
}

// When the bundle is built in, each form of each file is the same file.
func TestBundle(t *testing.T) {
	t.Parallel()
	if _, ok := web.App(); !ok {
		t.Skip("skipped: the page is not built (make build builds it)")
	}
	files, err := loadPage()
	if err != nil {
		t.Fatal(err)
	}
	// Behind a proxy the same files are asked for below its path.
	for name, at := range map[string]string{"index.html": "/some/prefix/traces", "below.html": "/some/prefix/traces/id"} {
		address := &url.URL{Path: at}
		named := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllSubmatch(files[name].plain, -1)
		if len(named) < 4 {
			t.Errorf("%s names %d files", name, len(named))
		}
		for _, m := range named {
			to, err := address.Parse(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			if file, below := strings.CutPrefix(to.Path, "/some/prefix/"); !below || files[file] == nil {
				t.Errorf("%s names %s, which is %s at %s: not there", name, m[1], to.Path, at)
			}
		}
	}
	weight := 0
	for name, f := range files {
		r, err := gzip.NewReader(bytes.NewReader(f.gz))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(plain, f.plain) {
			t.Errorf("%s: gzip differs (%v)", name, err)
		}
		weight += len(f.gz)
	}
	if weight > 200<<10 {
		t.Errorf("the page weighs %d bytes compressed, its bound is 200 KiB", weight)
	}
}
