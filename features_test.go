package brokle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

func traceOf(t testing.TB, ev brokle.Event) string {
	t.Helper()
	var p struct {
		ID      string `json:"id"`
		TraceID string `json:"trace_id"`
	}
	if err := json.Unmarshal(ev.Payload, &p); err != nil {
		t.Fatal(err)
	}
	if p.TraceID == "" && ev.Type == brokle.TraceCreate {
		if p.ID == "" {
			return ev.ID
		}
		return p.ID
	}
	return p.TraceID
}

func spooled(t testing.TB, dir string) (files []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSpoolKeepsWhatCloseCouldNotDeliverAndTheNextStartSendsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := brokletest.NewServer(t)
	srv.Rule(brokletest.Every(1, brokletest.Status(503)))
	spool := func(c *brokle.Config) { c.SpoolDir = dir; c.BatchMaxSize = 10 }
	c := open(t, srv, spool)
	ids := submit(t, c, 25)
	own, err := c.SubmitEvent(brokle.Event{ID: `own"id\1`, Type: brokle.EventCreate, Payload: json.RawMessage(`{"environment":"],\"environment\":"}`)})
	if err != nil {
		t.Fatal(err)
	}
	var pe *brokle.PendingError
	if err := c.Close(t.Context()); !errors.As(err, &pe) || pe.Spooled != 26 || pe.Pending != 26 {
		t.Fatalf("close: %v", err)
	}
	m := c.ProcessorMetrics()
	balanced(t, m)
	if m.Spooled != 26 || m.Pending != 26 || len(spooled(t, dir)) == 0 {
		t.Fatalf("%+v, files %v", m, spooled(t, dir))
	}
	srv.Rule(nil)
	c = open(t, srv, spool)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.RequireIDs(t, append(ids, own)...)
	if m := c.ProcessorMetrics(); m.Accepted != 26 || m.Delivered != 26 || m.Spooled != 0 {
		t.Errorf("%+v", m)
	}
	closeClient(t, c)
	if left, _ := os.ReadDir(filepath.Join(dir)); len(spooled(t, dir)) != 0 || len(left) != 1 {
		t.Errorf("left behind: %v", spooled(t, dir))
	}
}

func TestSpoolTakesOverWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := brokletest.NewServer(t)
	var mu sync.Mutex
	away := true
	srv.Rule(func(int, *brokle.BatchRequest) brokletest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if away {
			return brokletest.Fault{HangUp: brokletest.BeforeStore}
		}
		return brokletest.OK()
	})
	c := open(t, srv, func(c *brokle.Config) { c.SpoolDir = dir; c.BatchMaxSize = 10; c.QueueMaxEvents = 60 })
	deadline := time.Now().Add(10 * time.Second)
	var ids []string
	for len(ids) < 500 { // far more than the queue holds
		id, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{"n": len(ids)})
		if err == nil {
			ids = append(ids, id)
		} else if time.Now().After(deadline) {
			t.Fatalf("%v after %d: %+v", err, len(ids), c.ProcessorMetrics())
		}
		balanced(t, c.ProcessorMetrics())
	}
	mu.Lock()
	away = false
	mu.Unlock()
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeClient(t, c)
	srv.RequireIDs(t, ids...)
	if len(spooled(t, dir)) != 0 {
		t.Errorf("left behind: %v", spooled(t, dir))
	}
}

func TestSpoolIsBounded(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	srv.Rule(brokletest.Every(1, brokletest.Status(503)))
	dir := t.TempDir()
	c := open(t, srv, func(c *brokle.Config) { c.SpoolDir = dir; c.SpoolMaxBytes = 64 << 10; c.BatchMaxSize = 10 })
	for range 100 {
		if _, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{"text": strings.Repeat("x", 2000)}); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close(t.Context())
	m := c.ProcessorMetrics()
	balanced(t, m)
	if m.Spooled == 0 || m.Dropped[brokle.DropSpoolFull] == 0 || m.Spooled+m.Dropped[brokle.DropSpoolFull] != 100 {
		t.Errorf("%+v", m)
	}
}

func TestSpoolIsNotSharedAcrossKeys(t *testing.T) {
	t.Parallel()
	srv, dir := brokletest.NewServer(t), t.TempDir()
	srv.Rule(brokletest.Every(1, brokletest.Status(503)))
	c := open(t, srv, func(c *brokle.Config) { c.SpoolDir = dir; c.APIKey = "bk_of_another_project" })
	submit(t, c, 3)
	srv.Script(brokletest.Status(503))
	_ = c.Close(t.Context())
	srv.Rule(nil)
	c = open(t, srv, func(c *brokle.Config) { c.SpoolDir = dir })
	closeClient(t, c)
	srv.RequireStored(t, 0)
}

func TestSamplingKeepsATraceWholeOrAbsent(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, func(c *brokle.Config) { c.SampleRate = 0.3 })
	const traces = 1000
	for range traces {
		id, err := c.SubmitBatchEvent(brokle.TraceCreate, map[string]any{"name": "t"})
		if err != nil {
			t.Fatal(err)
		}
		obs := brokle.NewID()
		for _, e := range []struct {
			t brokle.EventType
			p map[string]any
		}{
			{brokle.ObservationCreate, map[string]any{"trace_id": id, "id": obs, "name": "o"}},
			{brokle.ObservationComplete, map[string]any{"id": obs}},
			{brokle.QualityScoreCreate, map[string]any{"observation_id": obs, "name": "s", "value": 1}},
		} {
			if _, err := c.SubmitBatchEvent(e.t, e.p); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeClient(t, c)
	kept := len(srv.OfType(brokle.TraceCreate))
	for _, typ := range []brokle.EventType{brokle.ObservationCreate, brokle.ObservationComplete, brokle.QualityScoreCreate} {
		if n := len(srv.OfType(typ)); n != kept {
			t.Errorf("%d %s for %d traces", n, typ, kept)
		}
	}
	if kept < 230 || kept > 370 {
		t.Errorf("%d of %d traces kept at a rate of 0.3", kept, traces)
	}
	m := c.ProcessorMetrics()
	balanced(t, m)
	if m.Dropped[brokle.DropSampled] != int64(4*(traces-kept)) {
		t.Errorf("%+v with %d kept", m, kept)
	}
}

func TestMaskFailsClosed(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, func(c *brokle.Config) {
		c.Mask = func(_ brokle.EventType, p json.RawMessage) (json.RawMessage, error) {
			switch {
			case bytes.Contains(p, []byte("fail")):
				return nil, errors.New("no")
			case bytes.Contains(p, []byte("panic")):
				panic("4111")
			case bytes.Contains(p, []byte("nonsense")):
				return json.RawMessage(`{"a":`), nil
			}
			return bytes.ReplaceAll(p, []byte("4111"), []byte("####")), nil
		}
	})
	for _, v := range []string{"4111", "fail 4111", "panic 4111", "nonsense 4111"} {
		if err := c.SubmitTelemetry(map[string]string{"card": v}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.SendBatch(t.Context(), &brokle.BatchRequest{Events: []brokle.Event{{Type: brokle.EventCreate, Payload: json.RawMessage(`{"card":"4111"}`)}}}); err != nil {
		t.Fatal(err)
	}
	var ee *brokle.EventError
	if _, err := c.SendBatch(t.Context(), &brokle.BatchRequest{Events: []brokle.Event{{Type: brokle.EventCreate, Payload: json.RawMessage(`{"card":"fail 4111"}`)}}}); !errors.As(err, &ee) {
		t.Errorf("sync batch: %v", err)
	}
	closeClient(t, c)
	srv.RequireStored(t, 2)
	for _, ev := range srv.Events() {
		if string(ev.Payload) != `{"card":"####"}` {
			t.Errorf("payload %s", ev.Payload)
		}
	}
	m := c.ProcessorMetrics()
	balanced(t, m)
	if m.Dropped[brokle.DropMask] != 3 {
		t.Errorf("%+v", m)
	}
}

func TestCompressionBeginsWhenTheServerSaysSo(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string][]string{
		"auto": {"", "zstd"}, "none": {"", ""}, "gzip": {"gzip", "gzip"}, "zstd": {"zstd", "zstd"},
	} {
		srv := brokletest.NewServer(t)
		c := open(t, srv, func(c *brokle.Config) { c.Compression = setting })
		for range 2 {
			if err := c.SubmitTelemetry(map[string]string{"text": strings.Repeat("again and ", 1000)}); err != nil {
				t.Fatal(err)
			}
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		closeClient(t, c)
		if n := len(srv.Events()); n != 2 {
			t.Fatalf("%s: %d stored, %+v", setting, n, c.ProcessorMetrics())
		}
		for i, r := range srv.Requests() {
			if got := r.Header.Get("Content-Encoding"); got != want[i] {
				t.Errorf("%s: request %d is encoded as %q, want %q", setting, i, got, want[i])
			}
			if want[i] != "" && r.Bytes > 1000 {
				t.Errorf("%s: %d bytes on the wire", setting, r.Bytes)
			}
		}
	}
}

func TestA415TurnsCompressionOffAndLosesNothing(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	srv.Script(brokletest.Status(415))
	c := open(t, srv, func(c *brokle.Config) { c.Compression = "zstd" })
	if err := c.SubmitTelemetry(map[string]string{"text": strings.Repeat("x", 5000)}); err != nil {
		t.Fatal(err)
	}
	closeClient(t, c)
	srv.RequireStored(t, 1)
}

func TestWhatIsNoEventIsRefusedByName(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, func(c *brokle.Config) { c.EventMaxBytes = 2000 })
	for name, tc := range map[string]struct {
		typ     brokle.EventType
		payload any
		code    string
	}{
		"type":    {"trace_destroy", map[string]any{}, "unknown_event_type"},
		"nil":     {brokle.EventCreate, nil, "invalid_payload"},
		"list":    {brokle.EventCreate, []int{1}, "invalid_payload"},
		"channel": {brokle.EventCreate, map[string]any{"c": make(chan int)}, "invalid_payload"},
		"text":    {brokle.EventCreate, "hello", "invalid_payload"},
	} {
		_, err := c.SubmitBatchEvent(tc.typ, tc.payload)
		var ee *brokle.EventError
		if !errors.As(err, &ee) || ee.Code != tc.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]string{"x": strings.Repeat("x", 2000)}); err != brokle.ErrTooLarge {
		t.Errorf("too large: %v", err)
	}
	if _, err := c.SubmitEvent(brokle.Event{ID: "with space", Type: brokle.EventCreate, Payload: json.RawMessage(`{}`)}); err == nil {
		t.Error("an id with a space was taken")
	}
	// Bytes are looked into off the caller's path; the batch around them must not suffer.
	if _, err := c.SubmitBatchEvent(brokle.EventCreate, json.RawMessage(`{"broken"}`)); err != nil {
		t.Fatal(err)
	}
	submit(t, c, 3)
	closeClient(t, c)
	srv.RequireStored(t, 3)
	m := c.ProcessorMetrics()
	balanced(t, m)
	if m.Rejected != 1 || m.Refused.Invalid != 6 || m.Refused.TooLarge != 1 {
		t.Errorf("%+v", m)
	}
}

func TestANilAndADisabledClientTakeEveryCall(t *testing.T) {
	t.Setenv("BROKLE_API_KEY", "")
	off, err := brokle.New(brokle.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*brokle.Client{"nil": nil, "no key": off} {
		n := testing.AllocsPerRun(100, func() {
			_, _ = c.SubmitBatchEvent(brokle.TraceCreate, nil)
			_ = c.SubmitTelemetry(nil)
			ctx, tr := c.StartTrace(t.Context(), "x")
			tr.Update()
			tr.Score("s", 1)
			tr.End()
			_ = ctx
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if err := errors.Join(c.Flush(t.Context()), c.Close(t.Context())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.SendBatch(t.Context(), &brokle.BatchRequest{}); err != brokle.ErrDisabled {
			t.Errorf("%s: %v", name, err)
		}
		if c.Err() != brokle.ErrDisabled || c.ProcessorHealthy() || c.ProcessorMetrics().Accepted != 0 {
			t.Errorf("%s: not disabled", name)
		}
	}
}

func TestWarningsAreLimitedAndHoldNoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		srv := brokletest.New()
		srv.Rule(brokletest.Every(1, brokletest.Status(503)))
		c := open(t, srv, func(c *brokle.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&buf, nil))
			c.Senders = 1
		})
		if err := c.SubmitTelemetry(map[string]string{"password": "hunter2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Second)
		synctest.Wait()
		lines := strings.Count(buf.String(), "\n")
		if lines < 2 || lines > 3 {
			t.Errorf("%d warnings in 25 s of failing:\n%s", lines, buf.String())
		}
		if s := buf.String(); strings.Contains(s, "hunter2") || strings.Contains(s, brokletest.Key) {
			t.Errorf("a secret was logged:\n%s", s)
		}
		_ = c.Close(t.Context())
	})
}

func TestTracingHelpersMakeTheEventsOfATrace(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	ctx, trace := c.StartTrace(t.Context(), "answer", brokle.UserID("u1"), brokle.SessionID("s1"), brokle.Tags("a", "b"), brokle.Input("why?"))
	genCtx, gen := brokle.StartGeneration(ctx, "chat", brokle.Model("small-1"), brokle.ModelParameters(map[string]any{"temperature": 0.5}))
	if err := brokle.Observe(genCtx, "lookup", func(context.Context) error { return errors.New("not found") }); err == nil {
		t.Error("the error was swallowed")
	}
	gen.Update(brokle.Metadata(map[string]any{"k": 1}))
	gen.End(brokle.Output("because"), brokle.Usage(10, 5), brokle.Cost(0.1, 0.2))
	gen.End()
	gen.Score("helpful", true)
	trace.Score("quality", 0.9, brokle.Comment("good"))
	trace.Score("tone", "friendly")
	trace.End(brokle.Output("because"))
	closeClient(t, c)
	want := map[brokle.EventType]int{brokle.TraceCreate: 1, brokle.TraceUpdate: 1, brokle.ObservationCreate: 2, brokle.ObservationUpdate: 1, brokle.ObservationComplete: 2, brokle.QualityScoreCreate: 3}
	for typ, n := range want {
		if got := len(srv.OfType(typ)); got != n {
			t.Errorf("%d %s, want %d", got, typ, n)
		}
	}
	for _, ev := range srv.OfType(brokle.ObservationCreate) {
		var o brokle.Observation
		if err := json.Unmarshal(ev.Payload, &o); err != nil {
			t.Fatal(err)
		}
		switch o.Name {
		case "chat":
			if o.ID != gen.ID() || o.TraceID != trace.ID() || o.Type != "generation" || o.Model != "small-1" || o.ParentObservationID != "" || o.StartTime.IsZero() {
				t.Errorf("generation %s", ev.Payload)
			}
		case "lookup":
			if o.ParentObservationID != gen.ID() || o.Type != "span" {
				t.Errorf("span %s", ev.Payload)
			}
		}
		if bytes.Contains(ev.Payload, []byte("null")) || bytes.Contains(ev.Payload, []byte(`""`)) {
			t.Errorf("zero fields were sent: %s", ev.Payload)
		}
	}
	var o brokle.Observation
	if err := json.Unmarshal(srv.OfType(brokle.ObservationComplete)[1].Payload, &o); err != nil {
		t.Fatal(err)
	}
	if o.ID != gen.ID() || *o.TotalTokens != 15 || *o.OutputCost != 0.2 || o.EndTime == nil || string(o.Output) != `"because"` {
		t.Errorf("complete %+v", o)
	}
}
