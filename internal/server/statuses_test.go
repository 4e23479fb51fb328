package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// One row per status of the contract that does not need a special server.
func TestStatuses(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.MaxBodyBytes, o.MaxDecodedBytes = 64<<10, 256<<10 }})
	reader := h.newKey("one", "read")
	writer := h.newKey("one", "ingest")
	body := batch(event("st", "event_create", `{}`))
	large := append(bytes.Repeat([]byte(" "), 64<<10), body...)
	for _, c := range []struct {
		name, method, path string
		body               []byte
		headers            []string
		status             int
		code               string
	}{
		{"no key", "POST", "/v1/telemetry/batch", body, []string{"X-API-Key", ""}, 401, "unauthorized"},
		{"unknown key", "POST", "/v1/telemetry/batch", body, []string{"X-API-Key", "", "X-API-Key", "bk_unknown"}, 401, "unauthorized"},
		{"key as basic", "GET", "/v1/traces", nil, []string{"X-API-Key", "", "Authorization", "Basic " + h.key}, 401, "unauthorized"},
		{"bearer", "POST", "/v1/telemetry/batch", body, []string{"X-API-Key", "", "Authorization", "Bearer " + h.key}, 200, ""},
		{"bearer in lower case", "GET", "/v1/traces", nil, []string{"X-API-Key", "", "Authorization", "bearer " + h.key}, 200, ""},
		{"no scope to send", "POST", "/v1/telemetry/batch", body, []string{"X-API-Key", "", "X-API-Key", reader}, 403, "forbidden"},
		{"no scope to read", "GET", "/v1/traces", nil, []string{"X-API-Key", "", "X-API-Key", writer}, 403, "forbidden"},
		{"no such path", "GET", "/v1/trace", nil, nil, 404, "not_found"}, {"slash at the end", "POST", "/v1/telemetry/batch/", body, nil, 404, "not_found"},
		{"unclean path", "POST", "/v1//telemetry/batch", body, nil, 404, "not_found"}, {"dots", "GET", "/v1/x/../traces", nil, nil, 404, "not_found"},
		{"two slashes", "GET", "//", nil, nil, 404, "not_found"}, {"slashes at the end", "POST", "/v1/telemetry/batch//", body, nil, 404, "not_found"},
		{"no view of the page", "GET", "/nothing", nil, nil, 404, "not_found"},
		{"get on post", "GET", "/v1/telemetry/batch", nil, nil, 405, "method_not_allowed"}, {"delete", "DELETE", "/v1/observations/x", nil, nil, 405, "method_not_allowed"},
		{"made-up method", "BREW", "/v1/traces", nil, nil, 405, "method_not_allowed"},
		{"options", "OPTIONS", "/v1/telemetry/batch", nil, nil, 204, ""}, {"head", "HEAD", "/v1/traces", nil, nil, 200, ""},
		{"JSON with charset", "POST", "/v1/telemetry/batch", body, []string{"Content-Type", "", "Content-Type", "application/json; charset=UTF-8"}, 200, ""},
		{"JSON by suffix", "POST", "/v1/telemetry/batch", body, []string{"Content-Type", "", "Content-Type", "application/vnd.x+json"}, 200, ""},
		{"no media type", "POST", "/v1/telemetry/batch", body, []string{"Content-Type", ""}, 200, ""},
		{"text", "POST", "/v1/telemetry/batch", body, []string{"Content-Type", "", "Content-Type", "text/plain"}, 415, "unsupported_media_type"},
		{"form", "POST", "/v1/telemetry/batch", body, []string{"Content-Type", "", "Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		{"latin-1", "POST", "/v1/telemetry/batch", body, []string{"Content-Type", "", "Content-Type", "application/json; charset=latin1"}, 415, "unsupported_media_type"},
		{"brotli", "POST", "/v1/telemetry/batch", body, []string{"Content-Encoding", "br"}, 415, "unsupported_content_encoding"},
		{"twice gzip", "POST", "/v1/telemetry/batch", body, []string{"Content-Encoding", "gzip, gzip"}, 415, "unsupported_content_encoding"},
		{"not gzip", "POST", "/v1/telemetry/batch", body, []string{"Content-Encoding", "gzip"}, 400, "invalid_content_encoding"},
		{"not zstd", "POST", "/v1/telemetry/batch", body, []string{"Content-Encoding", "zstd"}, 400, "invalid_content_encoding"},
		{"not deflate", "POST", "/v1/telemetry/batch", body, []string{"Content-Encoding", "deflate"}, 400, "invalid_content_encoding"},
		{"body over its limit", "POST", "/v1/telemetry/batch", large, nil, 413, "body_too_large"},
		{"unknown parameter", "GET", "/v1/scores?q=x", nil, nil, 400, "unknown_parameter"},
		{"parameters on ingest", "POST", "/v1/telemetry/batch?x=1", body, nil, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := h.send(c.method, c.path, c.body, c.headers...)
			if rep.status != c.status || c.code != "" && rep.code(t) != c.code {
				t.Errorf("%d %.300s; want %d %s", rep.status, rep.body, c.status, c.code)
			}
			if rep.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("sniffing is allowed")
			}
		})
	}
}

// A message says which limit was hit.
func TestTooLargeNamesItsLimit(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.MaxBodyBytes, o.MaxDecodedBytes = 100<<10, 300<<10 }})
	spaces := func(n int) []byte {
		return append(bytes.Repeat([]byte(" "), n), batch(event("tl", "event_create", `{}`))...)
	}
	for _, c := range []struct {
		name    string
		body    io.Reader
		coding  string
		message string
	}{
		{"with a length", bytes.NewReader(spaces(101 << 10)), "", "102400"},
		{"chunked", io.MultiReader(bytes.NewReader(spaces(101 << 10))), "", "102400"},
		{"gzip", bytes.NewReader(compressed(t, "gzip", spaces(301<<10))), "gzip", "307200"},
		{"zstd", bytes.NewReader(compressed(t, "zstd", spaces(301<<10))), "zstd", "307200"},
		{"deflate, chunked", io.MultiReader(bytes.NewReader(compressed(t, "deflate", spaces(301<<10)))), "deflate", "307200"},
	} {
		rep := h.do("POST", "/v1/telemetry/batch", c.body, "Content-Encoding", c.coding)
		if rep.status != http.StatusRequestEntityTooLarge || !strings.Contains(string(rep.body), c.message) {
			t.Errorf("%s: %d %s", c.name, rep.status, rep.body)
		}
	}
	for _, coding := range codings() { // and what fits goes in
		rep := h.send("POST", "/v1/telemetry/batch", compressed(t, coding, spaces(299<<10)), "Content-Encoding", header(coding))
		if rep.status != 200 {
			t.Errorf("%s: %d %s", coding, rep.status, rep.body)
		}
	}
}

// What a client announces is refused before it has sent it.
func TestRefusedBeforeTheBody(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, c := range []struct {
		headers string
		status  int
	}{
		{"X-API-Key: " + h.key + "\r\nContent-Length: " + strconv.Itoa(DefaultMaxBodyBytes+1), 413}, {"X-API-Key: bk_wrong\r\nContent-Length: 100", 401},
		{"X-API-Key: bk_wrong\r\nTransfer-Encoding: chunked", 401},
		{"X-API-Key: " + h.key + "\r\nContent-Length: 100\r\nContent-Type: text/plain", 415}, {"X-API-Key: " + h.key + "\r\nContent-Length: 100\r\nContent-Encoding: br", 415},
	} {
		conn := h.dial()
		if _, err := fmt.Fprintf(conn, "POST /v1/telemetry/batch HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", c.headers); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != c.status || !res.Close {
			t.Errorf("%q: %v %v, want %d", c.headers[20:], res, err, c.status)
		}
	}
}

// 503 with Retry-After when it cannot be stored now; nothing is marked, so the
// same batch goes in afterwards (properties 5 and 14).
func TestUnavailableThenAccepted(t *testing.T) {
	t.Parallel()
	var broken *faulty
	var refuse atomic.Pointer[error] // what Admit says
	h := open(t, setup{
		log: holding(&broken),
		options: func(o *Options) {
			o.Admit = func() error {
				if err := refuse.Load(); err != nil {
					return *err
				}
				return nil
			}
		},
	})
	body := batch(event("un-1", "event_create", `{}`), event("un-2", "event_create", `{}`))
	expect503 := func(why string) {
		t.Helper()
		rep := h.send("POST", "/v1/telemetry/batch", body)
		if rep.status != 503 || rep.code(t) != "unavailable" || rep.header.Get("Retry-After") != "4" {
			t.Errorf("%s: %d %s, Retry-After %q", why, rep.status, rep.body, rep.header.Get("Retry-After"))
		}
		if strings.Contains(string(rep.body), "secret-path") {
			t.Errorf("%s: the answer says what is for the log: %s", why, rep.body)
		}
	}
	full := fmt.Errorf("%w: disk at /secret-path is full", store.ErrUnavailable)
	refuse.Store(&full)
	expect503("not admitted")
	if rep := h.get("/readyz"); rep.status != 503 {
		t.Errorf("ready while refusing: %s", rep.body)
	}
	refuse.Store(nil)
	for _, err := range []error{store.ErrUnavailable, store.ErrClosed, errors.New("write /secret-path: input/output error"), context.DeadlineExceeded} {
		broken.set(func(*store.Batch) error { return err })
		expect503(err.Error())
	}
	broken.set(nil)
	if res := h.post(event("un-1", "event_create", `{}`), event("un-2", "event_create", `{}`)); res.ProcessedEvents != 2 {
		t.Errorf("after the failed attempts: %+v", res)
	}
	if !strings.Contains(h.logs.String(), "secret-path") {
		t.Error("the operator was not told why")
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := newClock()
	h := open(t, setup{options: func(o *Options) { o.RatePerKey, o.Now = 100, now.Now }})
	events := func(prefix string, n int) []byte {
		list := make([]string, n)
		for i := range list {
			list[i] = event(fmt.Sprintf("%s-%d", prefix, i), "event_create", `{}`)
		}
		return batch(list...)
	}
	if rep := h.send("POST", "/v1/telemetry/batch", events("burst", 1000)); rep.status != 200 {
		t.Fatalf("the burst: %d %s", rep.status, rep.body)
	}
	rep := h.send("POST", "/v1/telemetry/batch", events("over", 250))
	if rep.status != 429 || rep.code(t) != "rate_limited" || rep.header.Get("Retry-After") != "3" {
		t.Errorf("over the rate: %d %s, Retry-After %q", rep.status, rep.body, rep.header.Get("Retry-After"))
	}
	other := h.newKey("one", "ingest")
	if rep := h.send("POST", "/v1/telemetry/batch", events("other", 250), "X-API-Key", "", "X-API-Key", other); rep.status != 200 {
		t.Errorf("another key: %d %s", rep.status, rep.body)
	}
	now.Advance(3 * time.Second)
	if res := decoded[wire.BatchResponse](t, h.send("POST", "/v1/telemetry/batch", events("over", 250))); res.ProcessedEvents != 250 {
		t.Errorf("after Retry-After: %+v", res)
	}
}

func TestValidateNamesEveryField(t *testing.T) {
	t.Parallel()
	_, err := New(Options{MaxBodyBytes: -1, RatePerKey: -1, RetryAfter: 1, MaxHeaderBytes: 1, IdleTimeout: -1})
	for _, field := range []string{"Ingest", "Log", "Receipts", "Warehouse", "Keys", "MaxBodyBytes", "RatePerKey", "RetryAfter", "MaxHeaderBytes", "IdleTimeout"} {
		if err == nil || !strings.Contains(err.Error(), field+" is") {
			t.Errorf("%s is not named in %v", field, err)
		}
	}
}
