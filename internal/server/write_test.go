package server

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A client that reads steadily gets all of its answer, however long that takes beyond the
// write timeout; HTTP/1.1 and HTTP/2.
func TestSteadyReaderGetsItAll(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.WriteTimeout = 400 * time.Millisecond }})
	h.fat("fat", 24, 1<<20-200)
	for name, ask := range h.slowReaders(t, "/v1/traces/fat") {
		res := ask()
		began := time.Now()
		n := int64(0)
		tick := time.NewTicker(20 * time.Millisecond)
		for {
			m, err := io.CopyN(io.Discard, res.Body, 256<<10) // 12 MB a second
			if n += m; err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: cut after %d bytes, %v: %v", name, n, time.Since(began), err)
			}
			<-tick.C
		}
		tick.Stop()
		if took := time.Since(began); n < 24<<20-10_000 || took < 1200*time.Millisecond {
			t.Errorf("%s: %d bytes in %v", name, n, took)
		}
	}
}

// A client that stops reading is cut off, and what it then finds is no whole answer.
func TestStoppedReaderSeesABrokenAnswer(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.WriteTimeout = 200 * time.Millisecond }})
	h.fat("fat", 24, 1<<20-200)
	for name, ask := range h.slowReaders(t, "/v1/traces/fat") {
		res := ask()
		h.until("the answer is given up", func() bool { st := h.srv.answers.stats(); return st.used == 0 && !st.large })
		n, err := io.Copy(io.Discard, res.Body)
		if err == nil || n >= 24<<20-10_000 {
			t.Errorf("%s: ended after %d bytes with %v", name, n, err)
		}
	}
}

// slowReaders ask over connections that hold little: HTTP/1.1, HTTP/2.
func (h *house) slowReaders(t *testing.T, path string) map[string]func() *http.Response {
	t.Helper()
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = h.srv.HTTPServer(h.srv.Handler())
	ts.EnableHTTP2 = true
	ts.StartTLS()
	t.Cleanup(ts.Close)
	one := func() *http.Response {
		c := h.dial()
		_ = c.SetReadBuffer(16 << 10)
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", path, h.key); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		return res
	}
	two := func() *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), "GET", ts.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-Key", h.key)
		res, err := ts.Client().Do(req)
		if err != nil || res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
			t.Fatal(res, err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	return map[string]func() *http.Response{"HTTP/1.1": one, "HTTP/2": two}
}

// A deadline of one answer is none of the next one's on the same connection, whoever writes it.
func TestDeadlineEndsWithItsAnswer(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.WriteTimeout = 100 * time.Millisecond }})
	for _, path := range []string{"/metrics", "/v1/traces", "/", "/healthz"} {
		c := h.dial()
		r := bufio.NewReader(c)
		ask := func(path string) {
			t.Helper()
			if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", path, h.key); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d %v", path, res.StatusCode, err)
			}
		}
		ask("/healthz")
		<-time.NewTimer(150 * time.Millisecond).C
		ask(path)
	}
}
