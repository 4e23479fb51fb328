package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"
)

// overTLS serves h over TLS too. It returns the address and what a client needs to trust it.
func (h *house) overTLS() (addr string, trust *tls.Config) {
	h.tb.Helper()
	known := httptest.NewTLSServer(nil) // has a certificate, and a client that trusts it
	known.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.tb.Fatal(err)
	}
	hs := h.srv.HTTPServer(h.srv.Handler())
	var serving sync.WaitGroup
	serving.Go(func() { _ = Serve(hs, ln, known.TLS) })
	h.tb.Cleanup(func() { _ = hs.Close(); serving.Wait() })
	return ln.Addr().String(), known.Client().Transport.(*http.Transport).TLSClientConfig
}

// Exporters of OpenTelemetry send every body in chunks: their connection is kept, over TLS too,
// also beside requests that tell their length.
func TestChunkedRequestsKeepTheirConnection(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	addr, trust := h.overTLS()
	for _, c := range []struct {
		name, url string
		http2     bool
	}{{"TCP", h.url, false}, {"TLS", "https://" + addr, false}, {"HTTP/2", "https://" + addr, true}} {
		t.Run(c.name, func(t *testing.T) {
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: c.http2}}
			defer client.CloseIdleConnections()
			fresh := 0
			trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
				if !info.Reused {
					fresh++
				}
			}}
			post := func(body io.Reader) {
				t.Helper()
				req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, c.url+"/v1/telemetry/batch", body)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-API-Key", h.key)
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = res.Body.Close() }()
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 || (res.ProtoMajor == 2) != c.http2 {
					t.Fatalf("%s over %s, %v", res.Status, res.Proto, err)
				}
			}
			body := batch(event("chunked-"+c.name, "event_create", `{}`))
			for range 5 {
				post(struct{ io.Reader }{bytes.NewReader(body)}) // of no known length: in chunks
			}
			for range 3 {
				post(bytes.NewReader(body))
				post(struct{ io.Reader }{bytes.NewReader(body)})
			}
			if fresh != 1 {
				t.Errorf("11 requests took %d connections", fresh)
			}
		})
	}
}

// What hides behind a request with two ends is not read, also where the bytes come encrypted.
func TestRequestsThatHideOthersOverTLS(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	addr, trust := h.overTLS()
	body := string(batch(event("smuggle", "event_create", `{}`)))
	head := "POST /v1/telemetry/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: " + h.key + "\r\n"
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	hidden := "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	told := head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
	for _, c := range []struct {
		name, raw string
		answers   int
	}{
		{"chunks alone", head + "Transfer-Encoding: chunked\r\n\r\n" + chunks + hidden, 2},
		{"chunks behind a length", told + head + "Transfer-Encoding: chunked\r\n\r\n" + chunks, 2},
		{"a length beside chunks", head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + hidden, 1},
		{"a length beside chunks, behind a length", told + told + head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + hidden, 3},
		{"a length in lower case", head + "Transfer-Encoding: chunked\r\ncontent-length: 4\r\n\r\n" + chunks + hidden, 1},
	} {
		conn, err := tls.Dial("tcp", addr, trust)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, c.raw); err != nil {
			t.Fatal(err)
		}
		_ = conn.CloseWrite()
		if got := readAnswers(t, conn); len(got) != c.answers {
			t.Errorf("%s: %d answers, want %d", c.name, len(got), c.answers)
		}
		_ = conn.Close()
	}
}
