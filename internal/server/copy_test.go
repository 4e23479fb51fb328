package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A copy is for admins of the operator's project; its lines come one by one, the last says what became of it, and a client that goes away ends it.
func TestCopy(t *testing.T) {
	t.Parallel()
	asked, ended := make(chan string, 1), make(chan struct{}, 1)
	h := open(t, setup{options: func(o *Options) {
		o.Copy = func(ctx context.Context, url string, told func(CopyLine)) error {
			switch url {
			case "clickhouse://fails/db":
				return errors.New("injected")
			case "clickhouse://waits/db":
				asked <- url
				for ctx.Err() == nil { // what is told too soon after another line is not sent
					told(CopyLine{Step: "copy", At: 1, Of: 2})
					select {
					case <-ctx.Done():
					case <-time.After(tellEvery):
					}
				}
				ended <- struct{}{}
				return ctx.Err()
			}
			told(CopyLine{Step: "copy", At: 1, Of: 2})
			told(CopyLine{Step: "copy", At: 2, Of: 2})
			told(CopyLine{Step: "done", At: 2, Of: 2, Result: &CopyResult{Whole: true, Events: 2}})
			return nil
		}
	}})
	operator := []string{"X-API-Key", "", "X-API-Key", h.newKey("default", "admin")}
	body := func(url string) []byte { return []byte(`{"url":"` + url + `"}`) }
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
	}{
		{"no key", `{"url":"u"}`, []string{"X-API-Key", ""}, 401}, {"an admin of another project", `{"url":"u"}`, nil, 403},
		{"a reader", `{"url":"u"}`, []string{"X-API-Key", "", "X-API-Key", h.newKey("default", "read")}, 403},
		{"no body", ``, operator, 400}, {"no URL", `{}`, operator, 400}, {"something else", `{"url":"u","to":"v"}`, operator, 400}, {"too long", `{"url":"` + strings.Repeat("u", mostCopyURL) + `"}`, operator, 400},
	} {
		if rep := h.send("POST", "/v1/warehouse/copy", []byte(c.body), c.headers...); rep.status != c.status {
			t.Errorf("%s: %d %s", c.name, rep.status, rep.body)
		}
	}
	rep := h.send("POST", "/v1/warehouse/copy", body("clickhouse://a/db"), operator...)
	if lines := strings.Split(strings.TrimSpace(string(rep.body)), "\n"); rep.status != 200 || len(lines) != 2 || !strings.Contains(lines[0], `"at":1`) || !strings.Contains(lines[1], `"whole":true`) {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if rep := h.send("POST", "/v1/warehouse/copy", body("clickhouse://fails/db"), operator...); rep.status != 200 || !strings.Contains(string(rep.body), `"error":"injected"`) {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", h.url+"/v1/warehouse/copy", bytes.NewReader(body("clickhouse://waits/db")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", operator[3])
	left := make(chan error, 1)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		left <- err
	}()
	<-asked
	cancel()
	if err := <-left; err == nil {
		t.Error("an answer that nobody waits for came to its end")
	}
	<-ended
}

// A server that shares its warehouse has nothing to copy.
func TestCopyOfAShared(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	if rep := h.send("POST", "/v1/warehouse/copy", []byte(`{"url":"u"}`), "X-API-Key", "", "X-API-Key", h.newKey("default", "admin")); rep.status != 409 || rep.code(t) != "warehouse_shared" {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}
