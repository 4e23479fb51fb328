package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/web"
)

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
	tags := map[string]bool{}
	for accepted, want := range map[string]string{
		"": "plain", "gzip": "gz", "br": "br", "gzip, br": "br", "br;q=0, gzip": "gz", "gzip;q=0": "plain", "deflate": "plain", "br; q=0.5": "br",
		"BR": "br", "gzip;q=broken": "plain",
	} {
		r := httptest.NewRequest("GET", "/assets/app.js", nil)
		r.Header.Set("Accept-Encoding", cmp.Or(accepted, "identity"))
		rep := httptest.NewRecorder()
		f.ServeHTTP(rep, r)
		if rep.Code != 200 || rep.Body.String() != want || rep.Header().Get("Vary") != "Accept-Encoding" ||
			!strings.Contains(rep.Header().Get("Cache-Control"), "immutable") || rep.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%q: %d %s %v", accepted, rep.Code, rep.Body, rep.Header())
		}
		etag := rep.Header().Get("ETag")
		tags[etag] = true
		r.Header.Set("If-None-Match", `W/"other", `+etag)
		again := httptest.NewRecorder()
		if f.ServeHTTP(again, r); again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%q again: %d %s", accepted, again.Code, again.Body)
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
	files, err := Load()
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
