// Package page serves the files of the web page, each in the smallest form that the browser takes.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/web"
)

// Policy is the Content-Security-Policy of each file. It lets the page load what the server itself serves, show pictures and
// play sounds that stand in a payload, and nothing inline: a payload that became markup by mistake could still not run.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// File is one file of the page, ready to be served.
type File struct {
	plain, gz, br []byte
	etag          string
	contentType   string
	cache         string
}

// contentTypes are the kinds of files that the bundle has.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// Load reads the files of the page by path. Always there are index.html, and below.html for
// addresses one step deeper: the page names its files from where it stands, because a proxy
// may serve the server below a path that nobody here knows.
func Load() (map[string]*File, error) {
	app, ok := web.App()
	if !ok {
		page := newFile("index.html", web.Unbuilt(), nil, nil)
		return map[string]*File{"index.html": page, "below.html": page}, nil
	}
	files := map[string]*File{}
	err := fs.WalkDir(app, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || contentTypes[path.Ext(name)] == "" {
			return err
		}
		var forms [3][]byte
		for i, suffix := range []string{"", ".gz", ".br"} {
			if forms[i], err = fs.ReadFile(app, name+suffix); err != nil {
				return err
			}
		}
		files[name] = newFile(name, forms[0], forms[1], forms[2])
		return nil
	})
	return files, err
}

func newFile(name string, plain, gz, br []byte) *File {
	sum := sha256.Sum256(plain)
	f := &File{
		plain: plain, gz: gz, br: br, contentType: contentTypes[path.Ext(name)],
		etag: base64.RawURLEncoding.EncodeToString(sum[:12]), cache: "no-cache",
	}
	if strings.HasPrefix(name, "assets/") { // their names change with their content
		f.cache = "public, max-age=31536000, immutable"
	}
	return f
}

// ServeHTTP writes the smallest form the client takes. Each form has its own ETag
// (RFC 9110 §8.8.3.3).
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	f.protect(h)
	h.Set("Cache-Control", f.cache)
	h.Set("Vary", "Accept-Encoding")
	body, etag := f.plain, f.etag
	switch accepted := r.Header.Get("Accept-Encoding"); {
	case f.br != nil && takes(accepted, "br"):
		body, etag = f.br, f.etag+"-br"
		h.Set("Content-Encoding", "br")
	case f.gz != nil && takes(accepted, "gzip"):
		body, etag = f.gz, f.etag+"-gz"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+etag+`"`)
	if strings.Contains(r.Header.Get("If-None-Match"), `"`+etag+`"`) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = bytes.NewReader(body).WriteTo(w) // a client that left needs no page
	}
}

// Nowhere answers a browser at an address that is none, with 404 and the page, which says so there. f is index.html.
func (f *File) Nowhere(w http.ResponseWriter, r *http.Request) {
	f.protect(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	up := strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
	body := bytes.ReplaceAll(f.plain, []byte(`="assets/`), []byte(`="`+up+`assets/`))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func (f *File) protect(h http.Header) {
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// takes says whether an Accept-Encoding names a coding without q=0 (RFC 9110 §12.5.3).
func takes(accepted, coding string) bool {
	for part := range strings.SplitSeq(accepted, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		_, q, weighted := strings.Cut(strings.ReplaceAll(weight, " ", ""), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !weighted || err == nil && value > 0
	}
	return false
}
