package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// exchange writes raw bytes on a new connection and returns the answers until the
// server ends it. The client says that it sends no more, so that nothing waits.
func (h *house) exchange(raw string) []reply {
	h.tb.Helper()
	c := h.dial()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		return nil // refused while it was still sending
	}
	_ = c.CloseWrite()
	return readAnswers(h.tb, c)
}

func readAnswers(tb testing.TB, c io.Reader) (answers []reply) {
	tb.Helper()
	r := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset") {
				return answers
			}
			tb.Fatalf("after %d answers: %v", len(answers), err)
		}
		body, _ := io.ReadAll(res.Body)
		answers = append(answers, reply{status: res.StatusCode, header: res.Header, body: body})
	}
}

// A request of which two readers could see different ends is refused, or answered once and
// the connection ended: what follows is never taken as a request (RFC 9112, section 11.2).
func TestRequestsThatHideOthers(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	body := string(batch(event("smuggle", "event_create", `{}`)))
	hidden := "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n" // 404 when it is taken as a request
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(s), s) }
	head := "POST /v1/telemetry/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: " + h.key + "\r\nContent-Type: application/json\r\n"
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	const chunked = "Transfer-Encoding: chunked\r\n"

	if got := h.exchange(head + length(len(body)) + "\r\n" + body + hidden); len(got) != 2 || got[0].status != 200 || got[1].status != 404 {
		t.Fatalf("two requests in a row: %d answers: the rest proves nothing", len(got))
	}
	if got := h.exchange(head + chunked + "\r\n" + chunk(body) + head + chunked + "\r\n" + chunk(body)); len(got) != 2 || got[0].status != 200 || got[1].status != 200 {
		t.Fatalf("two chunked requests in a row: %d answers: a connection is good for more than one", len(got))
	}
	for _, c := range []struct {
		name, raw string
		statuses  []int // of the one answer there may be; nil: none but a refusal
	}{
		{"length, then chunks", head + length(len(chunk(body)+hidden)) + chunked + "\r\n" + chunk(body) + hidden, []int{200}},
		{"chunks, then length", head + chunked + length(4) + "\r\n" + chunk(body) + hidden, []int{200}},
		{"length in lower case", head + "content-length: 4\r\n" + chunked + "\r\n" + chunk(body) + hidden, []int{200}},
		{"length and empty chunks", head + length(len(hidden)+5) + chunked + "\r\n0\r\n\r\n" + hidden, []int{400}},
		{"two lengths", head + length(len(body)) + length(len(body)+len(hidden)) + "\r\n" + body + hidden, nil},
		{"two lengths in one line", head + fmt.Sprintf("Content-Length: %d, %d\r\n", len(body), len(body)+1) + "\r\n" + body + hidden, nil},
		{"a plus before the length", head + "Content-Length: +" + fmt.Sprint(len(body)) + "\r\n\r\n" + body + hidden, nil},
		{"a negative length", head + "Content-Length: -1\r\n\r\n" + body + hidden, nil},
		{"a length in hex", head + "Content-Length: 0x10\r\n\r\n" + body + hidden, nil},
		{"a length of 2^64", head + "Content-Length: 18446744073709551616\r\n\r\n" + body + hidden, nil},
		{"a length of 2^63", head + "Content-Length: 9223372036854775808\r\n\r\n" + body + hidden, nil},
		{"a length of 2^63-1", head + "Content-Length: 9223372036854775807\r\n\r\n" + body + hidden, []int{413}},
		{"no digits as length", head + "Content-Length: \r\n\r\n" + body + hidden, nil},
		{"xchunked", head + "Transfer-Encoding: xchunked\r\n\r\n" + chunk(body) + hidden, nil},
		{"chunked twice", head + chunked + chunked + "\r\n" + chunk(body) + hidden, nil},
		{"gzip, chunked", head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk(body) + hidden, nil},
		{"chunked, identity", head + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunk(body) + hidden, nil},
		{"a vertical tab before chunked", head + "Transfer-Encoding: \vchunked\r\n\r\n" + chunk(body) + hidden, nil},
		{"a space before the colon", head + "Transfer-Encoding : chunked\r\n" + length(4) + "\r\n" + chunk(body) + hidden, nil},
		{"a folded line", head + "X-Folded: a\r\n b\r\n" + length(len(body)+len(hidden)) + "\r\n" + body + hidden, []int{200, 400}},
		{"a folded Transfer-Encoding", head + "Transfer-Encoding:\r\n chunked\r\n" + length(4) + "\r\n" + chunk(body) + hidden, []int{200}},
		{"a name with a NUL", head + "X-\x00: a\r\n" + length(len(body)) + "\r\n" + body + hidden, nil},
		{"a value with a NUL", head + "X-A: a\x00b\r\n" + length(len(body)) + "\r\n" + body + hidden, nil},
		{"a value with a bare CR", head + "X-A: a\rTransfer-Encoding: chunked\r\n" + length(len(body)) + "\r\n" + body + hidden, nil},
		{"no Host", "GET /healthz HTTP/1.1\r\n\r\n" + hidden, nil},
		{"two Hosts", "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + hidden, nil},
		{"HTTP/1.0 with chunks", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + chunked + "\r\n" + chunk(body) + hidden, []int{200, 400}},
		{"HTTP/2.0 in the line", strings.Replace(head, "HTTP/1.1", "HTTP/2.0", 1) + length(len(body)) + "\r\n" + body + hidden, nil},
		{"chunk size of 2^64", head + chunked + "\r\n10000000000000000\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}},
		{"a negative chunk size", head + chunked + "\r\n-1\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}},
		{"a chunk size with 0x", head + chunked + "\r\n0x10\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}},
		{"a chunk longer than its size", head + chunked + "\r\n2\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}},
		{"chunks that end with LF", head + chunked + "\r\n" + fmt.Sprintf("%x\n%s\n0\n\n", len(body), body) + hidden, []int{400}},
		{"an extension of 1 MiB", head + chunked + "\r\n2;" + strings.Repeat("e", 1<<20) + "\r\n{}\r\n0\r\n\r\n" + hidden, []int{400}},
		{"no method", " /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + hidden, nil},
		{"no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n" + hidden, nil},
		{"NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n" + hidden, nil},
		{"TLS in place of HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + hidden, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := h.exchange(c.raw)
			if len(got) > 1 {
				t.Fatalf("%d answers, %d after %d: what followed was taken as a request", len(got), got[1].status, got[0].status)
			}
			if len(got) == 0 {
				return // it hung up
			}
			ok := c.statuses == nil && (got[0].status == 400 || got[0].status == 431 || got[0].status == 501 || got[0].status == 505)
			for _, want := range c.statuses {
				ok = ok || got[0].status == want
			}
			if !ok {
				t.Errorf("%d %.200s; want %v", got[0].status, got[0].body, c.statuses)
			}
		})
	}
	if res := h.post(event("after-hostile", "event_create", `{}`)); res.ProcessedEvents != 1 {
		t.Errorf("%+v", res)
	}
}

// Chunks with extensions and trailers are read as what they are: one body, and a next request behind it.
func TestChunkExtensionsAndTrailers(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	body := batch(event("extended", "event_create", `{}`))
	raw := "POST /v1/telemetry/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: " + h.key + "\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
		fmt.Sprintf("%x;name=value;other=\"a;b\"\r\n%s\r\n0;last\r\nX-Sum: 1\r\n\r\n", len(body), body) +
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	got := h.exchange(raw)
	if len(got) != 2 || got[0].status != 200 || got[1].status != 200 {
		t.Fatalf("%d answers: %+v", len(got), got)
	}
	checked(t, got[0])
}

// Headers are bounded in bytes, also in their number, and nothing is kept of too many.
func TestHeaderBombs(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	key := "X-API-Key: " + h.key + "\r\n"
	many := strings.Builder{}
	for i := range 100_000 {
		fmt.Fprintf(&many, "X-%d: y\r\n", i)
	}
	for _, c := range []struct {
		name, headers string
		status        int
	}{
		{"below the limit", key + "X-A: " + strings.Repeat("a", 60<<10) + "\r\n", 200},
		{"one of 100 KiB", key + "X-A: " + strings.Repeat("a", 100<<10) + "\r\n", 431},
		{"one of 8 MiB", key + "X-A: " + strings.Repeat("a", 8<<20) + "\r\n", 431},
		{"100 000 of them", key + many.String(), 431},
		{"a name of 100 KiB", key + strings.Repeat("a", 100<<10) + ": b\r\n", 431},
		{"a cookie of 100 KiB", "Cookie: brokle_session=" + strings.Repeat("a", 100<<10) + "\r\n", 431},
		{"a key of 60 KiB", "X-API-Key: bk_" + strings.Repeat("a", 60<<10) + "\r\n", 401},
		{"10 000 session cookies", "Cookie: " + strings.Repeat("brokle_session=a;", 3000) + "\r\n", 401},
	} {
		got := h.exchange("GET /v1/keys HTTP/1.1\r\nHost: x\r\n" + c.headers + "\r\n")
		// A client that is refused while it sends may be cut off before it sees the answer.
		if c.status == 431 && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0].status != c.status {
			t.Errorf("%s: %d answers: %+v", c.name, len(got), got)
		}
	}
	long := h.exchange("GET /v1/traces?" + strings.Repeat("a", 100<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n")
	if len(long) > 1 || len(long) == 1 && long[0].status != 431 && long[0].status != 414 {
		t.Errorf("a target of 100 KiB: %+v", long)
	}
	if !bytes.Contains(h.get("/healthz").body, []byte("ok")) {
		t.Error("not well afterwards")
	}
}
