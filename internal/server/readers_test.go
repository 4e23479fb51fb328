package server

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// reader asks for a path on a connection of its own that takes little at a time.
func (h *house) reader(path string) (net.Conn, *http.Response) {
	h.tb.Helper()
	c := h.dial()
	_ = c.SetReadBuffer(128 << 10)
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n", path, h.key); err != nil {
		h.tb.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		h.tb.Fatal(res.Status)
	}
	return c, res
}

// A client that takes its answer slowly and steadily gets all of it, however much longer that takes than one write may.
func TestSteadyReaderIsNotCut(t *testing.T) {
	t.Parallel()
	const timeout = 1500 * time.Millisecond // a busy machine may let the reader wait for half of it
	h := open(t, setup{options: func(o *Options) { o.WriteTimeout = timeout }})
	h.fat("large", 6, 1<<20-200)
	want := len(h.get("/v1/traces/large").body)
	_, res := h.reader("/v1/traces/large")
	began := time.Now()
	tick := time.NewTicker(12 * time.Millisecond)
	defer tick.Stop()
	read := int64(0)
	for {
		n, err := io.CopyN(io.Discard, res.Body, 8<<10)
		if read += n; err != nil {
			if err != io.EOF || read != int64(want) {
				t.Errorf("%d of %d bytes in %v: %v", read, want, time.Since(began), err)
			}
			break
		}
		<-tick.C
	}
	if took := time.Since(began); took < 4*timeout {
		t.Errorf("%v is not slow", took)
	}
}

// A client that stops reading is cut after the time of one write, and one that vanishes at once: what they held is given back, and a
// client that reads on sees that the answer is not whole.
func TestDeadReaderIsCut(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.WriteTimeout = 300 * time.Millisecond }})
	h.fat("large", 40, 1<<20-200)
	idle := func() bool { return h.srv.answers.stats().used == 0 && len(h.srv.work) == 0 }
	for _, path := range []string{"/v1/traces/large", "/v1/traces/large?full=true", "/v1/traces/large?format=otlp", "/v1/telemetry/events?limit=1000"} {
		c, res := h.reader(path)
		h.until("it is being sent", func() bool { return h.srv.answers.stats().used > 0 })
		h.until("it is cut", idle)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := io.Copy(io.Discard, res.Body); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %d bytes, and the end looks like one: %v", path, n, err)
		}
		c, _ = h.reader(path)
		h.until("it is being sent", func() bool { return h.srv.answers.stats().used > 0 })
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		h.until("who vanished holds nothing", idle)
	}
}

// ending is a Log that gives nothing any more after so many bytes of payloads.
type ending struct {
	store.Log
	left atomic.Int64
	why  error // nil: the records are not there
}

func (f *ending) Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	recs, err := f.Log.Get(ctx, seqs)
	return f.take(recs), cmp.Or(err, f.failure())
}

func (f *ending) Read(ctx context.Context, after entity.Seq, limit int) ([]entity.Record, entity.Seq, error) {
	recs, upto, err := f.Log.Read(ctx, after, limit)
	return f.take(recs), upto, cmp.Or(err, f.failure())
}

func (f *ending) take(recs []entity.Record) []entity.Record {
	for i := range recs {
		f.left.Add(-int64(len(recs[i].Event.Payload)))
	}
	if f.left.Load() < 0 && f.why == nil {
		return nil
	}
	return recs
}

func (f *ending) failure() error {
	if f.left.Load() < 0 {
		return f.why
	}
	return nil
}

// An answer that cannot be ended does not look whole, and says in the log why; one that has not begun says so itself.
func TestBrokenAnswersShow(t *testing.T) {
	t.Parallel()
	const much = 1 << 40
	for _, why := range []error{nil, errors.New("the disk is gone")} {
		f := &ending{}
		f.left.Store(much)
		var logged bytes.Buffer
		var mu sync.Mutex // guards logged
		h := open(t, setup{log: func(l store.Log) store.Log { f.Log = l; return f }, options: func(o *Options) {
			o.Logger = slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				return logged.Write(b)
			}), nil))
		}})
		h.fat("large", 6, 1<<20-200)
		h.merging("merging", 6)
		f.why = why
		paths := []string{"/v1/traces/large", "/v1/traces/large?full=true", "/v1/traces/large?format=otlp", "/v1/observations/merging", "/v1/observations/merging/history"}
		if why != nil { // a page of events is of what there is
			paths = append(paths, "/v1/telemetry/events?limit=1000")
		}
		for _, path := range paths {
			f.left.Store(much)
			if rep := h.get(path); rep.status != http.StatusOK {
				t.Fatal(rep.status)
			}
			f.left.Store(much - f.left.Load() - 1<<20) // without the last
			if rep, err := h.try("GET", path, nil); err == nil || rep.status != http.StatusOK {
				t.Errorf("%v, %s: %d, %d bytes, %v", why, path, rep.status, len(rep.body), err)
			}
			f.left.Store(0)
			if rep, err := h.try("GET", path, nil); err != nil || rep.status < 400 || why != nil && rep.status < 500 {
				t.Errorf("%v, %s from the beginning: %d, %v", why, path, rep.status, err)
			}
		}
		mu.Lock()
		if n := strings.Count(logged.String(), "request refused"); why != nil && n < len(paths) {
			t.Errorf("%d lines in the log:\n%s", n, logged.String())
		}
		mu.Unlock()
		if st := h.srv.answers.stats(); st.used != 0 || len(h.srv.work) != 0 {
			t.Errorf("left behind: %+v", st)
		}
		f.left.Store(much)
		h.close()
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
