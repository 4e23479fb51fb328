package forward_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/forward"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// sender is a Log, a Warehouse that is filled from it, and a forwarder.
type sender struct {
	t      *testing.T
	dir    string
	log    *segmentlog.Log
	wh     *duckstore.Warehouse
	idx    *indexer.Indexer
	logs   watch.Output
	target forward.Target
	f      *forward.Forwarder
	end    func() // of the forwarder
	n      int
}

func newSender(t *testing.T, url string) *sender {
	s := &sender{t: t, dir: t.TempDir()}
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.log, err = segmentlog.Open(filepath.Join(s.dir, "log"), segmentlog.Options{})
	check()
	s.wh, err = duckstore.Open(filepath.Join(s.dir, "warehouse.duckdb"), duckstore.Options{Records: extract.Records(s.log.Get)})
	check()
	s.idx, err = indexer.New(indexer.Options{Log: s.log, Warehouse: s.wh, Dir: filepath.Join(s.dir, "quarantine"), Gather: time.Millisecond})
	check()
	s.target, err = forward.TargetOf(url, []string{"X-API-Key=bk_secret_of_the_target", "X-Tenant = a b"})
	check()
	ctx, cancel := context.WithCancel(context.Background())
	var indexing sync.WaitGroup
	indexing.Go(func() {
		if err := s.idx.Run(ctx); err != nil {
			t.Errorf("indexer: %v", err)
		}
	})
	s.start()
	t.Cleanup(func() {
		s.end()
		cancel()
		indexing.Wait()
		if err := s.wh.Close(); err != nil {
			t.Error(err)
		}
		if err := s.log.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start forwards until end.
func (s *sender) start() {
	s.t.Helper()
	var err error
	s.f, err = forward.New(forward.Options{
		Log: s.log, Warehouse: s.wh, Indexed: s.idx.CatchUp, Gone: s.log.Gone, Target: s.target, Cursor: filepath.Join(s.dir, "forward.json"),
		Make: func(recs []entity.Record) forward.Request {
			r := outgoing.Of(recs)
			return forward.Request{Traces: r.Traces(), Logs: r.Logs(), Spans: r.Spans, Records: r.Records}
		},
		Logger: slog.New(slog.NewTextHandler(&s.logs, nil)), MaxRecords: 16, Gather: 5 * time.Millisecond, FirstBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.f.Run(ctx); err != nil {
			s.t.Errorf("forwarder: %v", err)
		}
	})
	s.end = sync.OnceFunc(func() { cancel(); running.Wait() })
}

// add stores events of a project, each as type and payload.
func (s *sender) add(project string, events ...string) {
	s.t.Helper()
	b := &store.Batch{Project: project, Environment: "default", ID: fmt.Sprintf("b%d", s.n), ReceivedAt: time.Unix(1700000000, 0)}
	for _, e := range events {
		typ, payload, _ := strings.Cut(e, " ")
		s.n++
		b.Events = append(b.Events, wire.Event{ID: fmt.Sprintf("e%d", s.n), Type: wire.EventType(typ), Payload: []byte(payload), Timestamp: wire.At(time.Unix(1700000000+int64(s.n), 0))})
	}
	if _, err := s.log.Append(context.Background(), b); err != nil {
		s.t.Fatal(err)
	}
}

// settled waits until everything has been forwarded.
func (s *sender) settled() store.ForwardStats {
	s.t.Helper()
	watch.Until(s.t, "everything is forwarded", func() bool { return s.f.Stats().Lag == 0 })
	return s.f.Stats()
}

// span is an event of a span n; further members follow door, each with a comma before it.
func span(n int, door string) string {
	return fmt.Sprintf(`observation_create {"otlp":{"door":"otlp"%s,"resource":{"attributes":[]},"span":{"traceId":"%032x","spanId":"%016x","name":"span %d","startTimeUnixNano":"1","endTimeUnixNano":"2"}}}`, door, n, n, n)
}

// home is a target that keeps what it takes.
type home struct {
	*httptest.Server
	mu     sync.Mutex // guards all below
	answer func(path, body string) (status int, header, said string)
	spans  []string // names
	bodies []string
	header http.Header
}

func newHome(t *testing.T) *home {
	h := &home{}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *home) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	status, after, said := http.StatusOK, "", "{}"
	if h.answer != nil {
		status, after, said = h.answer(r.URL.Path, string(raw))
	}
	if after != "" {
		w.Header().Set("Retry-After", after)
	}
	if w.WriteHeader(status); status == http.StatusOK {
		h.header = r.Header
		h.bodies = append(h.bodies, r.URL.Path+" "+string(raw))
		h.spans = append(h.spans, names(raw)...)
	}
	_, _ = io.WriteString(w, said)
}

func (h *home) set(answer func(path, body string) (int, string, string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func (h *home) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.spans)
}

// names are those of the spans in a body.
func names(raw []byte) (all []string) {
	var body struct {
		ResourceSpans []struct {
			ScopeSpans []struct{ Spans []struct{ Name string } }
		}
	}
	if json.Unmarshal(raw, &body) != nil {
		return nil
	}
	for _, r := range body.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, one := range s.Spans {
				all = append(all, one.Name)
			}
		}
	}
	return all
}

func spanNames(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprint("span ", n))
	}
	return all
}

// Spans go out in order and once, from the beginning of the Log and over restarts; what another server forwarded,
// and scores, stay. Requests carry the headers, which nobody logs.
func TestForward(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := newSender(t, h.URL+"/base/")
	for n := 1; n <= 100; n += 10 {
		var events []string
		for k := range 10 {
			events = append(events, span(n+k, ""))
		}
		s.add("p1", append(events, span(1000+n, `,"forwarded":true`), `quality_score_create {"trace_id":"t","name":"q","value":1}`)...)
	}
	st := s.settled()
	if got := h.got(); !slices.Equal(got, spanNames(1, 100)) || st.Sent != 100 {
		t.Fatalf("%d spans %v, %+v", len(got), got, st)
	}
	if h.header.Get("X-API-Key") != "bk_secret_of_the_target" || h.header.Get("X-Tenant") != "a b" || h.header.Get("Content-Type") != "application/json" || h.header.Get(forward.ForwardedHeader) == "" {
		t.Errorf("headers %v", h.header)
	}
	s.end()
	s.add("p1", span(101, ""), `observation_update {"otlp":{"door":"otlp","log":{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","body":{"stringValue":"logged"}}}}`)
	s.add("p2", span(102, ""))
	s.start()
	s.settled()
	if got := h.got(); !slices.Equal(got, spanNames(1, 102)) {
		t.Errorf("after a restart: %v", got)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	logged := slices.IndexFunc(h.bodies, func(b string) bool { return strings.HasPrefix(b, "/base/v1/logs ") })
	if logged < 0 || !strings.Contains(h.bodies[logged], `"stringValue":"logged"`) || !strings.HasPrefix(h.bodies[0], "/base/v1/traces ") {
		t.Errorf("log records: %d in %q", logged, h.bodies)
	}
	if strings.Contains(s.logs.String(), "bk_secret") || strings.Contains(s.f.Health().Detail, "bk_secret") {
		t.Errorf("the secret is logged: %s", s.logs.String())
	}
}

// Whatever the target answers that may pass, the same is sent until it is taken; Retry-After is waited for.
func TestForwardTriesAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 502, 503, 504, 408, 401, 404, 301, 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			var s *sender
			tries, began, health := 0, time.Now(), ""
			h.set(func(string, string) (int, string, string) {
				if tries++; tries <= 3 {
					health = s.f.Health().Detail
					if status == 0 {
						panic(http.ErrAbortHandler)
					}
					after := ""
					if status == 503 && tries == 1 {
						after = "1"
					}
					return status, after, "not now"
				}
				return 200, "", ""
			})
			s = newSender(t, h.URL)
			s.add("p1", span(1, ""), span(2, ""))
			st := s.settled()
			// Who asks for /readyz needs no key: what the target said is for the log.
			if strings.Contains(health, "not now") || status != 0 && !strings.Contains(health, fmt.Sprint("last error: ", status)) {
				t.Errorf("health: %s", health)
			}
			if got := h.got(); !slices.Equal(got, spanNames(1, 2)) || st.Retries != 3 || st.Fault != "" || len(st.Dropped) != 0 {
				t.Errorf("%v %+v", got, st)
			}
			if waited := time.Since(began); status == 503 && waited < time.Second {
				t.Errorf("it came again after %v", waited)
			}
			if !strings.Contains(s.logs.String(), "takes nothing now") || !strings.Contains(s.logs.String(), "takes requests again") {
				t.Errorf("log: %s", s.logs.String())
			}
		})
	}
}

// What the target refuses for good costs the records that it is about, and no others.
func TestForwardGivesUpAlone(t *testing.T) {
	t.Parallel()
	for status, why := range map[int]string{400: "refused", 413: "too_large", 422: "refused", 500: "refused"} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.set(func(_, body string) (int, string, string) {
				if strings.Contains(body, `"span 7"`) || strings.Contains(body, `"span 8"`) {
					return status, "", "no such span"
				}
				return 200, "", "{}"
			})
			s := newSender(t, h.URL)
			for n := 1; n <= 20; n++ {
				s.add("p1", span(n, ""))
			}
			st := s.settled()
			want := append(spanNames(1, 6), spanNames(9, 20)...)
			if got := h.got(); !slices.Equal(got, want) || st.Sent != 18 || st.Dropped[why] != 2 {
				t.Errorf("%v %+v", got, st)
			}
			if detail := s.f.Health().Detail; !strings.Contains(detail, "2 dropped ("+why+")") {
				t.Errorf("health: %s", detail)
			}
			if n := strings.Count(s.logs.String(), "for good"); n != 1 {
				t.Errorf("%d lines within a minute: %s", n, s.logs.String())
			}
		})
	}
}

// A partial success is one, and is counted.
func TestForwardPartialSuccess(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.set(func(string, string) (int, string, string) {
		return 200, "", `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"one was odd"}}`
	})
	s := newSender(t, h.URL)
	s.add("p1", span(1, ""), span(2, ""), span(3, ""))
	if st := s.settled(); st.Sent != 2 || st.Dropped["partial"] != 1 || !strings.Contains(s.logs.String(), "one was odd") {
		t.Errorf("%+v %s", st, s.logs.String())
	}
}

// What is erased while the target is away is not sent when it is back, and is counted as gone only where nobody has read it.
func TestForwardNothingErased(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.set(func(string, string) (int, string, string) { return 503, "", "" })
	s := newSender(t, h.URL)
	s.add("p1", span(1, ""), span(2, ""))
	watch.Until(t, "it has been tried", func() bool { return s.f.Stats().Retries > 2 })
	s.add("p1", span(3, ""), span(4, ""))
	if err := s.log.Erase(context.Background(), []entity.Seq{1, 4}); err != nil {
		t.Fatal(err)
	}
	tried := s.f.Stats().Retries
	watch.Until(t, "what was on its way has been refused", func() bool { return s.f.Stats().Retries > tried+1 })
	h.set(nil)
	if st := s.settled(); !slices.Equal(h.got(), []string{"span 2", "span 3"}) || st.Gone != 1 {
		t.Errorf("%v %+v", h.got(), st)
	}
	if !strings.Contains(s.f.Health().Detail, "1 gone before they were sent") {
		t.Errorf("health: %s", s.f.Health().Detail)
	}
}

// An observation of another door goes out whole, though its events came one after the other.
func TestForwardOwnEvents(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := newSender(t, h.URL)
	s.add("p1", `observation_create {"id":"o1","trace_id":"t1","name":"call","type":"generation","model":"m1","start_time":1700000000}`)
	watch.Until(t, "the first half", func() bool { return len(h.got()) == 1 })
	s.add("p1", `observation_complete {"id":"o1","output":"done","end_time":1700000002,"usage":{"prompt_tokens":11}}`)
	s.settled()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.spans, []string{"call", "call"}) {
		t.Fatalf("%v", h.spans)
	}
	for _, want := range []string{"m1", "done", `"11"`, "1700000002000000000", "o1"} {
		if !strings.Contains(h.bodies[1], want) {
			t.Errorf("%s is not in %s", want, h.bodies[1])
		}
	}
}
