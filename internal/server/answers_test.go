package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// All answers together are never more than the limit, with one large one beside them; a key
// has half; and nothing is left when all have gone, however they went.
func TestAnswersBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(100, time.Minute)
		var all sync.WaitGroup
		var now, most, large, mostLarge atomic.Int64
		ofKey := map[string]*atomic.Int64{"a": {}, "b": {}, "c": {}}
		for i := range 200 {
			key := []string{"a", "b", "c"}[i%3]
			weight := []int64{1, 10, 30, 50, 51, 300}[i%6]
			all.Go(func() {
				if err := a.take(t.Context(), key, weight); err != nil {
					t.Errorf("%s %d: %v", key, weight, err)
					return
				}
				count, bound := &now, &most
				if weight > 50 {
					count, bound = &large, &mostLarge
				} else if n := ofKey[key].Add(weight); n > 50 {
					t.Errorf("%s has %d", key, n)
				}
				n := count.Add(weight)
				for m := bound.Load(); n > m && !bound.CompareAndSwap(m, n); m = bound.Load() {
				}
				<-time.NewTimer(100 * time.Millisecond).C
				count.Add(-weight)
				if weight <= 50 {
					ofKey[key].Add(-weight)
				}
				a.give(key, weight)
			})
		}
		all.Wait()
		if most.Load() > 100 || most.Load() < 80 || mostLarge.Load() != 300 {
			t.Errorf("at most %d, large %d", most.Load(), mostLarge.Load())
		}
		if st := a.stats(); st != (answersStats{}) || len(a.keys) != 0 {
			t.Errorf("left behind: %+v %v", st, a.keys)
		}
	})
}

func TestAnswersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(100, 5*time.Second)
		var p *problem
		if err := a.take(t.Context(), "a", 401); !errors.As(err, &p) || p.status != http.StatusUnprocessableEntity || p.code != codeAnswerTooLarge || p.retryAfter != 0 {
			t.Errorf("larger than any may be: %v", err)
		}
		if err := errors.Join(a.take(t.Context(), "a", 200), a.take(t.Context(), "a", 50)); err != nil {
			t.Fatal(err)
		}
		if err := a.take(t.Context(), "a", 200); !errors.As(err, &p) || p.status != http.StatusServiceUnavailable || p.retryAfter == 0 {
			t.Errorf("a second large one: %v", err)
		}
		if err := a.take(t.Context(), "a", 1); !errors.As(err, &p) || p.code != codeOverloaded {
			t.Errorf("more than its half: %v", err)
		}
		if err := a.take(t.Context(), "b", 50); err != nil {
			t.Errorf("another key: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := a.take(ctx, "c", 10); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that goes: %v", err)
		}
		if st := a.stats(); st.waiting != 0 || st.refused != 4 {
			t.Errorf("%+v", st)
		}
		a.give("a", 200)
		a.give("a", 50)
		a.give("b", 50)
		if st := a.stats(); st.used != 0 || st.large {
			t.Errorf("left behind: %+v", st)
		}
	})
}

// fat posts a trace of so many observations with inputs of size bytes each.
func (h *house) fat(trace string, observations, size int) {
	h.tb.Helper()
	text := strings.Repeat("words of a prompt ", size/18+1)[:size]
	for i := range observations {
		h.post(event(fmt.Sprintf("%s-%d", trace, i), "observation_create",
			fmt.Sprintf(`{"id":"%s-o%d","trace_id":%q,"name":"call","input":%q}`, trace, i, trace, text)))
	}
	h.settle()
}

// weighing is a Log that counts how many bytes of payloads one Get takes at most.
type weighing struct {
	store.Log
	most atomic.Int64
}

func (w *weighing) Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	recs, err := w.Log.Get(ctx, seqs)
	n := int64(0)
	for i := range recs {
		n += int64(len(recs[i].Event.Payload))
	}
	w.most.Store(max(w.most.Load(), n))
	return recs, err
}

// A trace of any size is read a little at a time, and comes whole, in little room.
func TestLargeTraces(t *testing.T) {
	t.Parallel()
	w := &weighing{}
	h := open(t, setup{
		log:     func(l store.Log) store.Log { w.Log = l; return w },
		options: func(o *Options) { o.MaxAnswerBytes = leastAnswers },
	})
	const observations, size = 110, 1<<20 - 200
	h.fat("large", observations, size)
	for _, query := range []string{"", "?full=true", "?format=otlp"} {
		w.most.Store(0)
		rep := h.get("/v1/traces/large" + query)
		if rep.status != http.StatusOK || rep.header.Get("Content-Length") != "" || len(rep.body) < observations*size {
			t.Fatalf("%q: %d, %d bytes", query, rep.status, len(rep.body))
		}
		if got := strings.Count(string(rep.body), `words of a prompt words`); got < observations*(size/36-1) {
			t.Errorf("%q: only %d", query, got)
		}
		if most := w.most.Load(); most > firstRead<<20 {
			t.Errorf("%q: %d bytes were read in one step", query, most)
		}
	}
	if got := decoded[wire.Trace](t, h.get("/v1/traces/large")); len(got.Observations) != observations {
		t.Errorf("%d observations", len(got.Observations))
	}
	if st := h.srv.answers.stats(); st.used != 0 || st.large || h.srv.turns.stats().busy != 0 || len(h.srv.work) != 0 {
		t.Errorf("left behind: %+v", st)
	}
}

// grown posts so many exports of one span, each of about 1 MiB. They are answered as a whole, as they were received.
func (h *house) grown(trace, id string, exports int) {
	h.tb.Helper()
	text := strings.Repeat("x", 1<<20-600)
	for i := range exports {
		rep := h.send("POST", "/v1/traces", fmt.Appendf(nil, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":%q,"spanId":%q,"name":"n","startTimeUnixNano":"1700000000000000000",
			"attributes":[{"key":"k%d","value":{"stringValue":%q}}]}]}]}]}`, trace, id, i, text))
		if rep.status != http.StatusOK {
			h.tb.Fatalf("%d %.300s", rep.status, rep.body)
		}
	}
	h.settle()
}

// merging posts an observation of so many events, each with metadata of about 1 MiB.
func (h *house) merging(id string, events int) {
	h.tb.Helper()
	text := strings.Repeat("x", 1<<20-300)
	for i := range events {
		h.post(event(fmt.Sprintf("%s-%d", id, i), "observation_create", fmt.Sprintf(`{"id":%q,"trace_id":"of-%s","name":"n","metadata":{"k%d":%q}}`, id, id, i, text)))
	}
	h.settle()
}

// What cannot be read piece by piece is weighed before it is built: while a large answer is under way another large one waits, and small ones
// and streams do not. One that is larger than any may be is refused by name, with a way to read it.
func TestLargeAnswersGoOneAtATime(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.MaxAnswerBytes, o.QueryWait = leastAnswers, 300*time.Millisecond }})
	const ofLarge, large, ofHuge, huge = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "0af7651916cd43dd8448eb211c80319d", "b7ad6b7169203332"
	h.grown(ofLarge, large, 7)
	h.grown(ofHuge, huge, 9)
	h.fat("small", 1, 100)
	if rep := h.get("/v1/observations/" + huge + "/span"); rep.status != http.StatusUnprocessableEntity || rep.code(t) != "answer_too_large" || rep.header.Get("Retry-After") != "" {
		t.Errorf("%d %.300s", rep.status, rep.body)
	}
	events := 0
	for cursor := ""; ; {
		page := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?limit=1000&trace_id="+ofHuge+"&cursor="+cursor))
		if events += len(page.Data); page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	if events != 9 {
		t.Errorf("page by page %d events", events)
	}
	slow := h.dial()
	_ = slow.SetReadBuffer(4 << 10)
	if _, err := fmt.Fprintf(slow, "GET /v1/observations/%s/span HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", large, h.key); err != nil {
		t.Fatal(err)
	}
	h.until("the first is being sent", func() bool { return h.srv.answers.stats().large })
	if rep := h.get("/v1/observations/" + large + "/span"); rep.status != http.StatusServiceUnavailable || rep.code(t) != "overloaded" || rep.header.Get("Retry-After") == "" {
		t.Errorf("a second large one: %d %.200s", rep.status, rep.body)
	}
	if rep := h.get("/v1/traces/small"); rep.status != http.StatusOK {
		t.Errorf("a small one: %d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/observations/" + large + "/history"); rep.status != http.StatusOK || len(rep.body) < 7<<20-9000 {
		t.Errorf("its history: %d, %d bytes", rep.status, len(rep.body))
	}
	if rep := h.get("/v1/traces?limit=1000"); rep.status != http.StatusOK {
		t.Errorf("a list: %d %s", rep.status, rep.body)
	}
	_ = slow.Close()
	h.until("the client's room is free", func() bool { return !h.srv.answers.stats().large })
	if rep := h.get("/v1/observations/" + large + "/span"); rep.status != http.StatusOK || len(rep.body) < 7<<20-9000 {
		t.Errorf("afterwards: %d, %d bytes", rep.status, len(rep.body))
	}
}

// A client that takes a large answer slowly keeps it while nobody waits for its room; then it
// is cut, visibly, and the other one gets its answer.
func TestSlowReaderOutstays(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) {
		o.MaxAnswerBytes, o.WriteTimeout, o.QueryWait = leastAnswers, 500*time.Millisecond, 20*time.Second
	}})
	h.fat("large", 40, 1<<20-200)
	c := h.dial()
	_ = c.SetReadBuffer(16 << 10)
	if _, err := fmt.Fprintf(c, "GET /v1/traces/large HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", h.key); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	began, alone := time.Now(), int64(0)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for time.Since(began) < 1500*time.Millisecond {
		n, err := io.CopyN(io.Discard, res.Body, 8<<10)
		if alone += n; err != nil {
			t.Fatalf("cut after %v while nobody waited: %v", time.Since(began), err)
		}
		<-tick.C
	}
	cut, served := make(chan error), make(chan struct{})
	go func() {
		for {
			if _, err := io.CopyN(io.Discard, res.Body, 8<<10); err != nil {
				cut <- err
				return
			}
			select {
			case <-tick.C:
			case <-served: // and reads what was sent before it was cut
			}
		}
	}()
	if rep := h.get("/v1/traces/large"); rep.status != http.StatusOK || len(rep.body) < 40<<20 {
		t.Errorf("who waited: %d, %d bytes", rep.status, len(rep.body))
	}
	close(served)
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := <-cut; err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the slow one ended with %v", err)
	}
}

// Whatever way an answer is sent, its bytes are the same: held back whole, in pieces, with
// its length to HTTP/1.0.
func TestAnswersAreWhole(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, size := range []int{10, heldBack - 2000, heldBack, 3 * heldBack, 700 << 10} {
		trace := fmt.Sprint("t", size)
		h.fat(trace, 1, size)
		first := h.get("/v1/traces/" + trace)
		want, err := h.srv.encode(decodedTrace(t, h, trace))
		if err != nil || !bytes.Equal(first.body, want) {
			t.Errorf("%d: %d bytes of %d: %v", size, len(first.body), len(want), err)
		}
		c := h.dial()
		if _, err := fmt.Fprintf(c, "GET /v1/traces/%s HTTP/1.0\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", trace, h.key); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(c)
		head, body, _ := bytes.Cut(all, []byte("\r\n\r\n"))
		if err != nil || !bytes.Equal(body, want) || !strings.Contains(string(head), fmt.Sprintf("Content-Length: %d", len(want))) {
			t.Errorf("HTTP/1.0, %d: %v, %d bytes: %s", size, err, len(body), head)
		}
	}
}

// decodedTrace folds a trace as the handler does.
func decodedTrace(t *testing.T, h *house, id string) *wire.Trace {
	t.Helper()
	seqs, err := store.TraceEvents(t.Context(), h.wh, "one", id)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := h.log.Get(t.Context(), seqs)
	if err != nil {
		t.Fatal(err)
	}
	extract.Fill(recs)
	trace, err := entity.FoldTrace(recs, id)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}
