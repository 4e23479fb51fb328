package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// dial opens a raw connection to the server.
func (h *house) dial() *net.TCPConn {
	h.tb.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.tb.Fatal(err)
	}
	h.tb.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		h.tb.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// raw is a POST of the batch endpoint, byte for byte.
func (h *house) raw(body []byte, headers ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /v1/telemetry/batch HTTP/1.1\r\nHost: %s\r\nX-API-Key: %s\r\n", h.addr, h.key)
	for _, line := range headers {
		b.WriteString(line + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	b.Write(body)
	return b.Bytes()
}

// The published Python SDK, as bytes: ids of 26 upper-case hex, X-Environment,
// no compression; the answer is 200, flat, and the connection ends.
func TestPublishedPythonSDK(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for i, agent := range []string{"brokle-python/0.1.0", "brokle-python/0.1.7", "brokle-python/0.2.0", "python-httpx/0.27"} {
		closes := i < 2
		c := h.dial()
		id := fmt.Sprintf("F%025X", i)
		body := []byte(`{"events": [{"event_id": "` + id + `", "event_type": "trace_create", "payload": {"name": "t", "metadata": null}, "timestamp": 1677610602}], ` +
			`"environment": "production", "metadata": null, "deduplication": {"enabled": true, "ttl": 3600, "use_redis_cache": true, "fail_on_duplicate": false}, "async_mode": false}`)
		if _, err := c.Write(h.raw(body, "Accept: */*", "Accept-Encoding: gzip, deflate", "Connection: keep-alive", "User-Agent: "+agent, "X-Environment: staging")); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(c)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if out := checked(t, reply{status: res.StatusCode, body: got}); res.StatusCode != 200 || out.ProcessedEvents != 1 {
			t.Errorf("%s: %d %s", agent, res.StatusCode, got)
		}
		if res.Close != closes {
			t.Errorf("%s: Connection: close is %v", agent, res.Close)
		}
		if closes {
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("%s: the connection is still there: %v", agent, err)
			}
		}
		if res.Header.Get("Content-Encoding") != "" || res.ContentLength != int64(len(got)) {
			t.Errorf("%s: %v", agent, res.Header)
		}
	}
	h.settle()
	page := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?environment=production"))
	if len(page.Data) != 4 {
		t.Errorf("%d traces of 4", len(page.Data))
	}
}

// A client that hangs up after its body has sent its events: at once after
// writing (half-closed, closed), or while they are being stored (closed, reset).
func TestClientHangsUp(t *testing.T) {
	t.Parallel()
	var slow *faulty
	h := open(t, setup{log: holding(&slow)})
	hangUps := []struct {
		name string
		do   func(*net.TCPConn) error
	}{
		{"half-close", (*net.TCPConn).CloseWrite},
		{"close", (*net.TCPConn).Close},
		{"reset", func(c *net.TCPConn) error {
			if err := c.SetLinger(0); err != nil {
				return err
			}
			return c.Close()
		}},
	}
	var want []string
	for _, hang := range hangUps {
		if hang.name != "reset" { // a reset may overtake what was not read yet
			c := h.dial()
			id := "hu-at-once-" + hang.name
			if _, err := c.Write(h.raw(batch(event(id, "event_create", `{}`)))); err != nil {
				t.Fatal(err)
			}
			if err := hang.do(c); err != nil {
				t.Fatal(err)
			}
			want = append(want, id)
		}
		id := "hu-storing-" + hang.name
		reached, gone := make(chan struct{}), make(chan struct{})
		slow.set(func(b *store.Batch) error {
			if b.Events[0].ID == id {
				close(reached)
				<-gone
			}
			return nil
		})
		c := h.dial()
		if _, err := c.Write(h.raw(batch(event(id, "event_create", `{}`)))); err != nil {
			t.Fatal(err)
		}
		<-reached
		if err := hang.do(c); err != nil {
			t.Fatal(err)
		}
		// The server has seen the hang-up once another request was answered after it.
		h.get("/healthz")
		close(gone)
		want = append(want, id)
	}
	for _, id := range want {
		h.until(id+" is stored", func() bool { return h.get("/v1/telemetry/events/"+id).status == 200 })
	}
	if got := h.stored(); got != int64(len(want)) {
		t.Errorf("%d are stored, want %d", got, len(want))
	}
}

// A body that does not arrive whole stores nothing, although a part of it would read as a batch.
func TestHalfABodyStoresNothing(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	whole := h.raw(batch(event("half", "event_create", `{}`)))
	for _, cut := range []int{1, 10, 40} {
		c := h.dial()
		if _, err := c.Write(whole[:len(whole)-cut]); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		rep := reply{status: res.StatusCode, body: body}
		if rep.status != 400 || rep.code(t) != "incomplete_body" {
			t.Errorf("cut by %d: %d %s", cut, rep.status, rep.body)
		}
	}
	if res := h.post(event("half", "event_create", `{}`)); res.ProcessedEvents != 1 {
		t.Errorf("then sent whole: %+v", res)
	}
}

// The later Python SDK: short types, no deduplication, ids of its own shape, parents after children.
func TestLaterPythonSDK(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("c-1", "observation", `{"id":"span-1","trace_id":"trace_0123456789abcdef","parent_observation_id":"span-0","name":"child","type":"generation","usage":{"input_tokens":3,"output_tokens":"4"}}`))
	h.post(event("c-0", "observation", `{"id":"span-0","trace_id":"trace_0123456789abcdef","name":"parent"}`),
		event("c-t", "trace", `{"id":"trace_0123456789abcdef","name":"late trace"}`),
		event("c-q", "quality_score", `{"trace_id":"trace_0123456789abcdef","score_name":"tone","string_value":"kind"}`))
	h.settle()
	trace := decoded[wire.Trace](t, h.get("/v1/traces/trace_0123456789abcdef"))
	if trace.Name != "late trace" || len(trace.Observations) != 1 || len(trace.Observations[0].Children) != 1 || trace.TotalTokens != 7 || trace.Scores["tone"] != "kind" {
		t.Errorf("%+v", trace)
	}
}

// Exporters that send chunks, children before parents, in one connection.
func TestChunkedBodies(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	c := h.dial()
	r := bufio.NewReader(c)
	for i := range 3 {
		body := batch(event(fmt.Sprintf("ch-%d-a", i), "event_create", `{"type":"span","span_id":"s","intValue":5}`), event(fmt.Sprintf("ch-%d-b", i), "trace_create", `{"name":"n"}`))
		var b strings.Builder
		fmt.Fprintf(&b, "POST /v1/ingest/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n", h.key)
		for len(body) > 0 {
			k := min(7, len(body))
			fmt.Fprintf(&b, "%x;ext=1\r\n%s\r\n", k, body[:k])
			body = body[k:]
		}
		b.WriteString("0\r\nTrailer-Field: x\r\n\r\n")
		if _, err := io.WriteString(c, b.String()); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 || checked(t, reply{status: 200, body: got}).ProcessedEvents != 2 {
			t.Errorf("%d %s %v", res.StatusCode, got, err)
		}
	}
}

// Clients that announce a body and wait for 100 Continue.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	c := h.dial()
	whole := h.raw(batch(event("ec", "event_create", `{}`)), "Expect: 100-continue")
	at := bytes.Index(whole, []byte("\r\n\r\n")) + 4
	if _, err := c.Write(whole[:at]); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(whole[at:]); err != nil {
		t.Fatal(err)
	}
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
}

// An operator is not warned of a question that nobody waits for any more: a page
// gives up many of them.
func TestGivenUpQuestion(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/traces", nil)
	r.Header.Set("X-API-Key", h.key)
	h.srv.Handler().ServeHTTP(httptest.NewRecorder(), r)
	if logs := h.logs.String(); !strings.Contains(logs, "context canceled") || strings.Contains(logs, "level=WARN") {
		t.Errorf("the log should note it, for debugging:\n%s", logs)
	}
}
