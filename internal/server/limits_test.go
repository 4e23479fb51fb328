package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Property 26 over the wire: bombs and depth get an answer, memory stays bounded.
func TestHostileBodies(t *testing.T) {
	skipBulk(t)
	h := open(t, setup{})
	zeros := make([]byte, 80<<20)
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	deepObject := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	fine := event("fine", "event_create", `{}`)
	for _, c := range []struct {
		name, coding string
		body         []byte
		status       int
		code         string // of the envelope, or of the one failed event
	}{
		{"gzip bomb", "gzip", compressed(t, "gzip", zeros), 413, "decoded_body_too_large"},
		{"zstd bomb", "zstd", compressed(t, "zstd", zeros), 413, "decoded_body_too_large"},
		{"sized zstd bomb", "zstd", compressed(t, "zstd-sized", zeros), 413, "decoded_body_too_large"},
		{"deflate bomb", "deflate", compressed(t, "deflate", zeros), 413, "decoded_body_too_large"},
		{"raw deflate bomb", "deflate", compressed(t, "raw-deflate", zeros), 413, "decoded_body_too_large"},
		{"deep body", "", []byte(deep), 400, "invalid_json"},
		{"deep open body", "", []byte(deep[:100_000]), 400, "invalid_json"},
		{"deep payload", "", batch(event("deep", "event_create", deepObject), fine), 200, "payload_too_deep"},
		{"deep list in a payload", "", batch(event("deep", "event_create", `{"a":`+deep+`}`), fine), 200, "payload_too_deep"},
		{"deep metadata", "", []byte(`{"events":[` + fine + `],"metadata":` + deepObject + `}`), 200, ""},
		{"deep event id", "", batch(`{"event_id":`+deep+`,"event_type":"event_create","payload":{}}`, fine), 200, "invalid_event_id"},
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rep := h.send("POST", "/v1/telemetry/batch", c.body, "Content-Encoding", c.coding)
		runtime.ReadMemStats(&after)
		if rep.status != c.status {
			t.Errorf("%s: %d %.300s", c.name, rep.status, rep.body)
			continue
		}
		switch {
		case rep.status != 200 && rep.code(t) != c.code:
			t.Errorf("%s: %.300s", c.name, rep.body)
		case rep.status == 200 && c.code != "":
			if res := checked(t, rep); len(res.Errors) != 1 || res.Errors[0].Code != c.code {
				t.Errorf("%s: %.300s", c.name, rep.body)
			}
		}
		// What one request may hold, and as much again for the buffers it grew out of.
		if grew := after.TotalAlloc - before.TotalAlloc; grew > 2*(DefaultMaxBodyBytes+DefaultMaxDecodedBytes) {
			t.Errorf("%s: %d bytes were allocated", c.name, grew)
		}
	}
	if used := h.srv.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in flight", used)
	}
}

// Property 28: slow clients hold their own connections and next to no memory,
// are told to go, and ingest goes on meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) {
		o.BodyTimeout, o.ReadHeaderTimeout = 2*time.Second, 2*time.Second
		o.MaxBodyBytes, o.MaxInFlightBytes = 10<<20, 80<<20
	}})
	const clients = 300
	head := h.raw(bytes.Repeat([]byte(" "), 10<<20)) // announces 10 MiB each, 3 GB in all
	head = head[:bytes.Index(head, []byte("\r\n\r\n"))+4]
	var slow, idle []*net.TCPConn
	for range clients {
		c := h.dial()
		if _, err := c.Write(append(bytes.Clone(head), ' ')); err != nil {
			t.Fatal(err)
		}
		slow, idle = append(slow, c), append(idle, h.dial())
	}
	for _, c := range idle[:clients/2] { // half of these stop within the headers
		if _, err := io.WriteString(c, "POST /v1/tele"); err != nil {
			t.Fatal(err)
		}
	}
	h.until("all bodies have begun", func() bool { return h.srv.inFlight.used.Load() >= clients*firstBuffer })
	if used := h.srv.inFlight.used.Load(); used > clients*2*firstBuffer {
		t.Errorf("%d slow clients hold %d bytes", clients, used)
	}
	if res := h.post(event("among-slow", "event_create", `{}`)); res.ProcessedEvents != 1 {
		t.Errorf("among slow clients: %+v", res)
	}
	for i, c := range slow {
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("slow client %d: %v", i, err)
		}
		body, err := io.ReadAll(res.Body)
		if rep := (reply{status: res.StatusCode, body: body}); err != nil || rep.status != 408 || rep.code(t) != "request_timeout" || !res.Close {
			t.Fatalf("slow client %d: %d %s %v", i, res.StatusCode, body, err)
		}
	}
	if used := h.srv.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in flight", used)
	}
	if left, err := io.ReadAll(idle[0]); err != nil || bytes.Contains(left, []byte(" 200 ")) { // cut off by ReadHeaderTimeout
		t.Errorf("a client that stopped within its headers: %q %v", left, err)
	}
}

// A body that keeps the least rate may take longer than BodyTimeout.
func TestSteadySlowBodyIsTaken(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.BodyTimeout, o.MinBodyRate = 300*time.Millisecond, 1000 }})
	body := append(bytes.Repeat([]byte(" "), 2000), batch(event("steady", "event_create", `{}`))...)
	whole := h.raw(body)
	c := h.dial()
	tick := time.NewTicker(50 * time.Millisecond) // 4 KB a second
	defer tick.Stop()
	began := time.Now()
	for len(whole) > 0 {
		k := min(200, len(whole))
		if _, err := c.Write(whole[:k]); err != nil {
			t.Fatal(err)
		}
		whole = whole[k:]
		<-tick.C
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("took only %v: this proves nothing", took)
	}
}

// What is in flight is bounded over all requests: the excess gets 503 and a
// Retry-After, and what was let in is stored.
func TestInFlightBound(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	var held *faulty
	h := open(t, setup{
		log:     holding(&held),
		options: func(o *Options) { o.MaxBodyBytes, o.MaxDecodedBytes, o.MaxInFlightBytes = 1<<20, 1<<20, 3<<20 },
	})
	held.set(func(*store.Batch) error { <-gate; return nil })
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	const posts = 12
	for i := range posts {
		all.Go(func() {
			body := append(bytes.Repeat([]byte(" "), 900<<10), batch(event(fmt.Sprintf("if-%d", i), "event_create", `{}`))...)
			rep, err := h.try("POST", "/v1/telemetry/batch", bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			if rep.status == 503 && (rep.code(t) != "overloaded" || rep.header.Get("Retry-After") != "1") {
				t.Errorf("%s, Retry-After %q", rep.body, rep.header.Get("Retry-After"))
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[rep.status]++
		})
	}
	h.until("the excess is refused", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return statuses[503] >= posts-3
	})
	close(gate)
	all.Wait()
	if statuses[200] == 0 || statuses[200] > 3 || statuses[200]+statuses[503] != posts {
		t.Errorf("%v of %d", statuses, posts)
	}
	if got := h.stored(); got != int64(statuses[200]) {
		t.Errorf("%d are stored, %d were accepted", got, statuses[200])
	}
}
