package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// lines is a format that shares nothing with JSON: each line of a body is the name of a trace,
// and each of an answer says what became of one.
type lines struct{}

const linesMedia = "application/x-lines"

func (lines) Name() string    { return "lines" }
func (lines) Paths() []string { return []string{"/v9/lines", "/v9/other/lines"} }

func (lines) Accepts(h http.Header) string {
	if h.Get("Content-Type") != linesMedia {
		return linesMedia
	}
	return ""
}

func (lines) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	r := &ingest.Request{Environment: wireformat.DefaultEnvironment, Dedup: store.Dedup{Enabled: true, TTL: time.Hour}}
	for line := range strings.Lines(string(in.Body)) {
		if strings.HasPrefix(line, "\x00") {
			return nil, &ingest.RequestError{Code: "binary", Message: "no text"}
		}
		name := strings.TrimSpace(line)
		r.Events = append(r.Events, wire.Event{ID: name, Type: wire.TraceCreate, Payload: fmt.Appendf(nil, `{"name":%q}`, name)})
	}
	return r, nil
}

func (lines) Answer(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	body := fmt.Sprintf("%s took %d, had %d", in.Path, res.ProcessedEvents, res.DuplicateEvents)
	for _, e := range res.Errors {
		body += ", not " + e.EventID
	}
	return &wireformat.Answer{Status: http.StatusMultiStatus, ContentType: linesMedia, Body: []byte(body)}, nil
}

func (lines) Refuse(in *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	body := fmt.Sprintf("%s %q: %s", in.Path, in.Project, why.Code)
	return &wireformat.Answer{Status: why.Status, ContentType: linesMedia, Body: []byte(body)}, nil
}

// A format decides what its clients read, also when the server refuses them: it needs a row in
// the table, and nothing else of the server.
func TestAnotherFormat(t *testing.T) {
	t.Parallel()
	var down error
	h := open(t, setup{options: func(o *Options) { o.MaxBodyBytes = 100; o.Admit = func() error { return down } }})
	handler := h.srv.mux(formatRoutes(wireformat.Table{lines{}}))
	for _, c := range []struct {
		path, key, media, body string
		down                   error
		status                 int
		want                   string
	}{
		{"/v9/lines", h.key, linesMedia, "one\ntwo\nno id\n", nil, 207, `/v9/lines took 2, had 0, not no id`},
		{"/v9/other/lines", h.key, linesMedia, "two\nthree\n", nil, 207, `/v9/other/lines took 1, had 1`},
		{"/v9/lines", h.key, linesMedia, "", nil, 207, `/v9/lines took 0, had 0`},
		{"/v9/lines", "bk_wrong", linesMedia, "four", nil, 401, `/v9/lines "": unauthorized`},
		{"/v9/lines", h.key, "application/json", "four", nil, 415, `/v9/lines "one": unsupported_media_type`},
		{"/v9/lines", h.key, linesMedia, "\x00", nil, 400, `/v9/lines "one": binary`},
		{"/v9/lines", h.key, linesMedia, strings.Repeat("x", 101), nil, 413, `/v9/lines "one": body_too_large`},
		{"/v9/lines", h.key, linesMedia, "four", errors.New("the disk is full"), 503, `/v9/lines "one": unavailable`},
	} {
		down = c.down
		req := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
		req.Header = http.Header{"X-Api-Key": {c.key}, "Content-Type": {c.media}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code != c.status || w.Body.String() != c.want || w.Header().Get("Content-Type") != linesMedia || (c.status == 503) != (w.Header().Get("Retry-After") == "4") {
			t.Errorf("%q: %d %s %v; want %d %s", c.body, w.Code, w.Body, w.Header(), c.status, c.want)
		}
	}
	if n := h.log.Stats().Stored; n != 3 {
		t.Errorf("%d events are stored", n)
	}
}
