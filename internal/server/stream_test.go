package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/live"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// message is one message of a stream; comments come with the name "".
type message struct{ id, name, data, comment string }

// sse is one connection to the stream.
type sse struct {
	tb     testing.TB
	status int
	lines  *bufio.Reader
	cancel context.CancelFunc
	body   io.Closer
}

// stream connects; the connection ends with the test.
func (h *house) stream(query string, headers ...string) *sse {
	h.tb.Helper()
	ctx, cancel := context.WithCancel(h.tb.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", h.url+"/v1/telemetry/stream"+query, nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	req.Header.Set("X-API-Key", h.key)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.tb.Fatal(err)
	}
	s := &sse{tb: h.tb, status: res.StatusCode, lines: bufio.NewReader(res.Body), cancel: cancel, body: res.Body}
	h.tb.Cleanup(s.close)
	return s
}

func (s *sse) close() { s.cancel(); _ = s.body.Close() }

// next is the next message, or the error that ended the connection.
func (s *sse) next() (m message, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return m, nil
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			m.id = value
		case "event":
			m.name = value
		case "data":
			m.data += value
		case "":
			m.comment = value
		}
	}
}

// event is the next message with an event, as it was sent.
func (s *sse) event() (message, live.Message) {
	s.tb.Helper()
	for {
		m, err := s.next()
		if err != nil {
			s.tb.Fatalf("the stream ended: %v", err)
		}
		if m.name == "event" {
			var ev live.Message
			if err := json.Unmarshal([]byte(m.data), &ev); err != nil {
				s.tb.Fatalf("%s: %v", m.data, err)
			}
			return m, ev
		}
	}
}

// end reads to the end and returns what the last message said, "" for nothing.
func (s *sse) end() string {
	last := ""
	for {
		m, err := s.next()
		if err != nil {
			return last
		}
		if m.name == "end" {
			last = m.data
		}
	}
}

func TestStreamShowsAcceptedEvents(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("before", "trace_create", `{"id":"t0","name":"n"}`))
	s := h.stream("")
	if hello, err := s.next(); err != nil || hello.id == "" || hello.data != "" {
		t.Fatalf("a stream begins with where it is: %+v %v", hello, err)
	}
	h.send("POST", "/v1/telemetry/batch", batch(event("of-two", "trace_create", `{"id":"secret","name":"n"}`)), "X-API-Key", "", "X-API-Key", h.newKey("two", "ingest"))
	h.postProd(
		event("e1", "observation_create", "{\"id\":\"o1\",\"name\":\"n\",\n\"trace_id\":\"t1\",\r\n\"type\":\"generation\"}"))
	m, ev := s.event()
	if ev.ID != "e1" || ev.Type != "observation_create" || ev.TraceID != "t1" || ev.EntityID != "o1" || ev.Environment != "prod" ||
		ev.BatchID == "" || ev.ReceivedAt.IsZero() || ev.Timestamp.Unix() != 1700000000 || !strings.Contains(string(ev.Payload), `"generation"`) {
		t.Errorf("%+v", m)
	}
	h.post(event("e1", "observation_create", `{"id":"o1"}`), event("bad", "nonsense", `{}`), event("e2", "event_create", `{"name":"x"}`))
	if _, ev := s.event(); ev.ID != "e2" {
		t.Errorf("after e1 came %s: neither duplicates nor refused events are accepted", ev.ID)
	}
	again := h.stream("", "Last-Event-ID", m.id)
	if _, ev := again.event(); ev.ID != "e2" {
		t.Errorf("behind e1 came %s", ev.ID)
	}
	first := h.stream("?last_event_id=0")
	for _, want := range []string{"before", "e1", "e2"} {
		if _, ev := first.event(); ev.ID != want {
			t.Errorf("from the beginning: %s, want %s", ev.ID, want)
		}
	}
}

func TestStreamFilters(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.postProd(
		event("a", "trace_create", `{"id":"t1","name":"chat","user_id":"u","session_id":"s","tags":["red","blue"],"environment":"test"}`),
		event("b", "observation_create", `{"id":"o1","name":"n","trace_id":"t1","type":"generation","model":"m","level":"error"}`),
		event("c", "event_create", `{"name":"click"}`),
		event("d", "trace_update", `{"id":"t2","status":"failed"}`), // says of itself that it failed, as the lists have it
	)
	for query, want := range map[string]string{
		"name=chat": "a", "user_id=u": "a", "session_id=s": "a", "tag=blue": "a", "environment=test": "a", "environment=prod": "b c d",
		"type=generation": "b", "model=m": "b", "level=error": "b", "trace_id=t1": "a b", "has_error=true": "b d", "has_error=false": "a c",
		"event_type=event_create,trace_create": "a c", "trace_id=t1&name=chat": "a", "name=": "a b c d",
	} {
		s := h.stream("?last_event_id=0&" + query)
		for id := range strings.FieldsSeq(want) {
			if _, ev := s.event(); ev.ID != id {
				t.Errorf("%s: %s, want %s", query, ev.ID, id)
			}
		}
		s.close()
	}
	for query, name := range map[string]string{
		"nonsense=1": "nonsense", "event_type=nonsense": "event_type", "has_error=maybe": "has_error", "last_event_id=zzzzzz": "last_event_id",
		"last_event_id=-1": "last_event_id", "last_event_id=00": "last_event_id", "name=a&name=b": "name",
	} {
		if rep := h.get("/v1/telemetry/stream?" + query); rep.status != 400 || !strings.Contains(string(rep.body), `"parameter":"`+name+`"`) {
			t.Errorf("%s: %d %s", query, rep.status, rep.body)
		}
	}
	if rep := h.send("HEAD", "/v1/telemetry/stream", nil); rep.status != 200 {
		t.Errorf("HEAD: %d", rep.status)
	}
}

// Whatever is cut, behind the last id that was seen comes the next event of the project.
func TestStreamHasNoGapAndNoRepeat(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	h := open(t, setup{})
	const appenders, each, perBatch, readers = 64, 10, 5, 4
	other := h.newKey("two", "ingest")
	read := func(rnd *rand.Rand, done chan<- []string) {
		var ids []string
		last := "0"
		for len(ids) < appenders*each*perBatch {
			s := h.stream("", "Last-Event-ID", last)
			for n := rnd.IntN(400); n >= 0 && len(ids) < appenders*each*perBatch; n-- {
				m, err := s.next()
				if err != nil {
					break
				}
				if m.id != "" {
					last = m.id
				}
				if m.name == "event" {
					var ev wire.Event
					if err := json.Unmarshal([]byte(m.data), &ev); err != nil {
						t.Error(err)
					}
					ids = append(ids, ev.ID)
				}
			}
			s.close()
		}
		done <- ids
	}
	done := make(chan []string, readers)
	var running sync.WaitGroup
	for i := range readers {
		running.Go(func() { read(chance.From(seed, uint64(i)), done) })
	}
	for a := range appenders {
		running.Go(func() {
			for b := range each {
				var events []string
				for e := range perBatch {
					events = append(events, event(fmt.Sprintf("%d-%d-%d", a, b, e), "event_create", `{"name":"x"}`))
				}
				for _, key := range []string{h.key, other} {
					if rep, err := h.try("POST", "/v1/telemetry/batch", bytes.NewReader(batch(events...)), "X-API-Key", "", "X-API-Key", key); err != nil || rep.status != 200 {
						t.Errorf("%v %d %s", err, rep.status, rep.body)
					}
				}
			}
		})
	}
	running.Wait()
	var order []string
	for range readers {
		ids := <-done
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				t.Errorf("%s came twice", id)
			}
			seen[id] = true
		}
		if len(seen) != appenders*each*perBatch {
			t.Errorf("%d of %d events came", len(seen), appenders*each*perBatch)
		}
		if order == nil {
			order = ids
		} else if strings.Join(order, " ") != strings.Join(ids, " ") {
			t.Error("two readers saw different orders")
		}
	}
}

func TestStreamEndsWithItsKey(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	secret, key, err := h.keys.Create("one", "short-lived", []string{"read"})
	if err != nil {
		t.Fatal(err)
	}
	byKey := h.stream("", "X-API-Key", secret)
	cookie := h.session(secret)
	bySession := h.stream("", "X-API-Key", "", "Cookie", cookie)
	theirs := h.session(h.key)
	signedOut := h.stream("", "X-API-Key", "", "Cookie", theirs)
	if byKey.status != 200 || bySession.status != 200 {
		t.Fatal(byKey.status, bySession.status)
	}
	start := time.Now()
	if err := h.keys.Revoke(key.ID); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*sse{byKey, bySession} {
		if end := s.end(); !strings.Contains(end, "unauthorized") {
			t.Errorf("the end says %q", end)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("the streams of a revoked key went on for %v", took)
	}
	if rep := h.send("DELETE", "/v1/session", nil, "X-API-Key", "", "Cookie", theirs, "Origin", h.url); rep.status != http.StatusNoContent {
		t.Fatalf("sign out: %d %s", rep.status, rep.body)
	}
	if end := signedOut.end(); !strings.Contains(end, "unauthorized") {
		t.Errorf("without its session: %q", end)
	}
}

// A shutdown ends the streams, also that of a client that reads nothing.
func TestStreamEndsAtShutdown(t *testing.T) {
	t.Parallel()
	h := open(t, setup{limits: limitsOf(4 << 20)})
	s := h.stream("")
	if _, err := s.next(); err != nil {
		t.Fatal(err)
	}
	stalled, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	fmt.Fprintf(stalled, "GET /v1/telemetry/stream HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", h.key)
	h.until("both listen", func() bool { return h.srv.live.Streams() == 2 })
	// One at a time, each read by the other stream before the next comes: how much the sockets hold differs between machines,
	// and a stream that keeps up must not be cut for what is still on its way.
	big := `{"name":"` + strings.Repeat("x", 3<<20) + `"}`
	for i := 0; h.srv.live.Streams() == 2; i++ {
		if i == 100 {
			t.Fatal("the stalled one is not cut after 300 MB")
		}
		id := fmt.Sprint("big", i)
		h.post(event(id, "event_create", big))
		if _, ev := s.event(); ev.ID != id {
			t.Fatalf("%s, want %s", ev.ID, id)
		}
	}
	if n := h.srv.live.Streams(); n != 1 {
		t.Fatalf("%d streams are left, want the one that reads", n)
	}
	ended := make(chan string)
	go func() { ended <- s.end() }()
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := h.servers[0].Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the shutdown took %v", took)
	}
	if end := <-ended; !strings.Contains(end, "stopping") {
		t.Errorf("the end says %q", end)
	}
}

func TestStreamHeartbeatsAndBound(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.StreamHeartbeat, o.MaxStreams = 20*time.Millisecond, 1 }})
	s := h.stream("?name=nothing")
	hello, err := s.next()
	if err != nil {
		t.Fatal(err)
	}
	h.until("it listens", func() bool { return h.srv.live.Streams() == 1 })
	if rep := h.get("/v1/telemetry/stream"); rep.status != 503 || rep.code(t) != "overloaded" || rep.header.Get("Retry-After") == "" {
		t.Errorf("one stream too many: %d %s", rep.status, rep.body)
	}
	h.post(event("e", "event_create", `{"name":"other"}`))
	for {
		m, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		if m.comment == "" || m.data != "" {
			t.Fatalf("not a heartbeat: %+v", m)
		}
		if m.id != "" { // it has passed over the event, which a resumed stream need not read again
			if m.id == hello.id {
				t.Error("the place did not move")
			}
			break
		}
	}
	s.close()
	h.until("it is gone", func() bool { return h.srv.live.Streams() == 0 })
}

// The SDK's Stream goes on across a server that ends its streams.
func TestStreamWithTheSDK(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	c, err := brokle.New(brokle.Config{APIKey: h.key, Host: h.url})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background()) //nolint:errcheck // it sent nothing
	got := make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ev, err := range c.Stream(ctx, brokle.Filter{Name: "mine"}) {
			if err != nil {
				t.Error(err)
				return
			}
			got <- ev.EventID
		}
	}()
	h.until("it listens", func() bool { return h.srv.live.Streams() == 1 })
	for i := range 6 {
		h.post(event(fmt.Sprint("no", i), "event_create", `{"name":"theirs"}`), event(fmt.Sprint("yes", i), "event_create", `{"name":"mine"}`))
		if id := <-got; id != fmt.Sprint("yes", i) {
			t.Errorf("%s, want yes%d", id, i)
		}
		if i%2 == 1 {
			h.srv.live.End("too_slow")
		}
	}
	cancel()
	<-ended
}

func limitsOf(payload int) (l wireformat.Limits) {
	l.MaxPayloadBytes = payload
	return l
}

// postProd sends events of the environment prod.
func (h *house) postProd(events ...string) {
	h.tb.Helper()
	body := []byte(`{"environment":"prod","events":[` + strings.Join(events, ",") + `]}`)
	rep := h.send("POST", "/v1/telemetry/batch", body)
	if got := decoded[wire.BatchResponse](h.tb, rep); rep.status != 200 || got.ProcessedEvents != len(events) {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
}
