package server

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/removal"
)

// FuzzRequest: no request gives a 5xx or a panic (property 27), a 200 adds up,
// and everything else carries the envelope.
func FuzzRequest(f *testing.F) {
	h := open(f, setup{})
	good := event("f-1", "trace_create", `{"name":"n"}`)
	for _, body := range []string{`{"events":[` + good + `]}`, `{"events":[` + good + `,null,1,{}],"deduplication":{"ttl":60,"fail_on_duplicate":true},"environment":"x"}`,
		`{"events":[` + strings.Repeat(`{"event_id":"1",`, 3) + `]}`, "[", "", "\xff", `{"events":[{"event_id":"\ud800","event_type":"trace","payload":{"name":"\u0000"}}]}`,
		`{"telemetry":[{},{"a":1}],"timestamp":1e3}`, `{"async_mode":true,"events":[` + good + `]}`} {
		f.Add("POST", "/v1/telemetry/batch", body, "", "application/json")
		f.Add("POST", "/api/v1/telemetry/bulk", body, "", "")
	}
	f.Add("POST", "/v1/ingest/batch", string(compressed(f, "gzip", []byte(`{}`))), "gzip", "application/json")
	for _, path := range []string{"/v1/traces?sort=-total_cost&limit=2&score=a>=1&cursor=AAAA", "/v1/stats?of=scores&metrics=count,score_avg:x&group_by=name&interval=1h",
		"/v1/observations?from=1&to=2&type=llm&level=x&has_error=1", "/v1/scores?data_type=numeric&sort=value", "/v1/sessions?sort=-total_cost&has_error=0", "/v1/sessions/x?cursor=AAAA",
		"/v1/users?limit=1&sort=session_count", "/v1/environments?to=2", "/v1/scores/x/history", "/v1/stats?of=scores&group_by=name,value_bucket&cursor=AAAA", "/v1/traces/%2F", "/v1/telemetry/jobs/job_1", "/v1/telemetry/events/x"} {
		f.Add("GET", path, "", "", "")
	}
	handler := h.srv.Handler()
	f.Fuzz(func(t *testing.T, method, target, body, coding, media string) {
		req, err := http.NewRequest(method, "http://x", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		if req.URL, err = req.URL.Parse("http://x" + target); err != nil {
			return
		}
		if strings.Contains(req.URL.RawQuery, "wait=") {
			return // waits as it was asked to
		}
		req.Header = http.Header{"X-Api-Key": {h.key}, "Content-Encoding": {coding}, "Content-Type": {media}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		rep := reply{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
		switch {
		case rep.status >= 500:
			t.Fatalf("%s %s: %d %s", method, target, rep.status, rep.body)
		case rep.status >= 300:
			if method != http.MethodHead {
				rep.code(t)
			}
		case method == http.MethodPost && (rep.status == 200 || rep.status == 202):
			checked(t, rep)
		}
	})
}

// FuzzEraseJournal: whatever a journal of an interrupted erasure holds, it is ended or
// reported, and the server answers as before.
func FuzzEraseJournal(f *testing.F) {
	h := open(f, setup{})
	h.post(event("kept", "trace_create", `{"id":"kept","name":"n"}`))
	h.settle()
	for _, text := range []string{"", "{}", "null", `{"project":"one","seqs":[]}`, `{"project":"two","seqs":[0,18446744073709551615,999999]}`, `{"project":"","seqs":[999999,999999]}`,
		`{"seqs":[-1]}`, `{"version":1,"erasures":[{"project":"one","seqs":[999999]},{"project":"","seqs":[]}]}`, `{"version":1}`, `{"version":2,"erasures":[]}`, `{"seqs":[1e300]}`, `{"seqs":{}}`, `{"project":"one","seqs":[99`, "\x00"} {
		f.Add([]byte(text))
	}
	journal := filepath.Join(h.dir, "erasing.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(journal, text, 0o600); err != nil {
			t.Fatal(err)
		}
		list, _ := removal.ReadErasures(journal)
		for _, e := range list {
			if slices.ContainsFunc(e.Seqs, func(at entity.Seq) bool { return at <= h.log.Head() }) {
				return // names a record that is there: it would be erased, as it should
			}
		}
		err := h.srv.o.Eraser.Resume(t.Context())
		if _, gone := os.Stat(journal); (err == nil) != errors.Is(gone, fs.ErrNotExist) {
			t.Fatalf("%q: %v, and the journal: %v", text, err, gone)
		}
		if err := os.Remove(journal); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodGet, "/v1/traces/kept", nil)
		req.Header.Set("X-API-Key", h.key)
		w := httptest.NewRecorder()
		if h.srv.Handler().ServeHTTP(w, req); w.Code != 200 {
			t.Fatalf("%q: %d %s", text, w.Code, w.Body)
		}
	})
}
