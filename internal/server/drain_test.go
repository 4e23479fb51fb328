package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// A client that sends all of its body before it looks for the answer gets the answer, and no
// reset, whatever it is refused for.
func TestRefusalsReachWhoWritesFirst(t *testing.T) {
	t.Parallel()
	full := false
	h := open(t, setup{options: func(o *Options) {
		o.AuthFailures = 1
		o.Admit = func() error {
			if full {
				return fmt.Errorf("%w: full", store.ErrUnavailable)
			}
			return nil
		}
	}})
	const size = 40 << 20
	for _, c := range []struct {
		name, line, headers string
		status              int
	}{
		{"too large", "POST /v1/telemetry/batch", "", 413},
		{"wrong key", "POST /v1/telemetry/batch", "X-API-Key: bk_0123456789abcdef\r\n", 401},
		{"too many wrong keys", "POST /v1/telemetry/batch", "X-API-Key: bk_0123456789abcdef\r\n", 429},
		{"no such path", "POST /v1/telemetry/batches", "", 404},
		{"another method", "PUT /v1/telemetry/batch", "", 405},
		{"another type", "POST /v1/telemetry/batch", "Content-Type: text/csv\r\n", 415},
		{"an unknown coding", "POST /v1/telemetry/batch", "Content-Encoding: br\r\n", 415},
		{"a read", "GET /v1/traces?nonsense=1", "", 400},
		{"too large to sign in", "POST /v1/session", "Origin: http://x\r\n", 400},
		{"not admitted", "POST /v1/telemetry/batch", "", 503},
	} {
		full = c.status == 503
		for _, chunked := range []bool{false, true} {
			conn := h.dial()
			key := "X-API-Key: " + h.key + "\r\n"
			if bytes.Contains([]byte(c.headers), []byte("X-API-Key")) {
				key = ""
			}
			length := fmt.Sprintf("Content-Length: %d", size)
			if chunked {
				length = "Transfer-Encoding: chunked"
			}
			var err error
			write := func(b []byte) {
				if err == nil {
					_, err = conn.Write(b)
				}
			}
			write(fmt.Appendf(nil, "%s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n\r\n", c.line, key, c.headers, length))
			piece := bytes.Repeat([]byte(" "), 1<<20)
			for range size >> 20 {
				if chunked {
					write(fmt.Appendf(nil, "%x\r\n", len(piece)))
				}
				write(piece)
				if chunked {
					write([]byte("\r\n"))
				}
			}
			if chunked {
				write([]byte("0\r\n\r\n"))
			}
			if err != nil {
				t.Errorf("%s, chunked %v: the body was not taken: %v", c.name, chunked, err)
				continue
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s, chunked %v: %v", c.name, chunked, err)
				continue
			}
			// A second kind of 401 is the 429 of an address that has sent one.
			if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != c.status && !(c.status == 401 && res.StatusCode == 429) {
				t.Errorf("%s, chunked %v: %d %s %v", c.name, chunked, res.StatusCode, body, err)
			}
		}
	}
}

// What does not come is not waited for, and who asks before it sends need not send.
func TestRefusalsDoNotWait(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for name, headers := range map[string]string{"silence": "", "expects": "Expect: 100-continue\r\n"} {
		conn := h.dial()
		began := time.Now()
		if _, err := fmt.Fprintf(conn, "POST /v1/telemetry/batch HTTP/1.1\r\nHost: x\r\n%sContent-Length: 9000000\r\n\r\n", headers); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%s: %v %v", name, res, err)
		}
		took := time.Since(began)
		if took > 10*time.Second || name == "expects" && took > restGrace {
			t.Errorf("%s: answered after %v", name, took)
		}
	}
}

func TestRefusalReachesPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no Python")
	}
	h := open(t, setup{})
	out, err := exec.Command(python, "-c", `
import http.client, sys
for key, body in (("bk_0123456789abcdef", b" " * 9000000), (sys.argv[2], b" " * 40000000)):
    c = http.client.HTTPConnection(sys.argv[1])
    c.request("POST", "/v1/telemetry/batch", body, {"X-API-Key": key, "Content-Type": "application/json"})
    r = c.getresponse()
    print(r.status, len(r.read()) > 0)
`, h.addr, h.key).CombinedOutput()
	if err != nil || string(out) != "401 True\n413 True\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
