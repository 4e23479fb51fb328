package brokle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
)

// Issue 11, point 28: a logger's word for a level is the level, the same one that the server reads in it, and is kept.
func TestALevelAsLoggersWriteItIsALevel(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"CRITICAL": "ERROR", "critical": "ERROR", "Fatal": "ERROR", "EMERGENCY": "ERROR", "severe": "ERROR", "ALERT": "ERROR", "panic": "ERROR",
		"TRACE": "DEBUG", "verbose": "DEBUG", "Notice": "INFO", "WARNING": "WARN",
		"ERROR": "ERROR", "error": "ERROR", "warn": "WARN", "Info": "INFO", "debug": "DEBUG", "default": "DEFAULT", "banana": "banana",
	} {
		srv := brokletest.NewServer(t)
		c := open(t, srv, nil)
		_, span := c.StartSpan(t.Context(), "s", brokle.Level(word))
		span.Update(brokle.Level(word))
		span.End(brokle.Level(word), brokle.StatusMessage("text"))
		closeClient(t, c)
		for _, typ := range []brokle.EventType{brokle.ObservationCreate, brokle.ObservationUpdate, brokle.ObservationComplete} {
			var p struct {
				ID, Level    string
				SeverityText string `json:"severity_text"`
			}
			if err := json.Unmarshal(srv.OfType(typ)[0].Payload, &p); err != nil {
				t.Fatal(err)
			}
			read, failure := extract.Extract(&srv.OfType(typ)[0])
			byWord, _ := extract.Extract(&brokle.Event{Type: typ, Payload: json.RawMessage(`{"id":"o","trace_id":"t","name":"n","level":"` + word + `"}`)})
			if failure != nil || levelIn(read) != levelIn(byWord) || want != word && levelIn(read) != want {
				t.Errorf("%s: the server reads %q, and %q of the word itself (%v)", word, levelIn(read), levelIn(byWord), failure)
			}
			if kept := p.SeverityText; p.Level != want || p.ID != span.ID() || kept != "" && kept != word || (kept == "") != (strings.EqualFold(word, want)) {
				t.Errorf("%s: %s %s", word, typ, srv.OfType(typ)[0].Payload)
			}
		}
	}
}

func levelIn(f *entity.Fields) string {
	v, _ := f.Get(entity.Level)
	return v.Text
}

// Tracing helpers return no error: what they could not hand over is told by OnOutcome and in the log.
func TestWhatATracingHelperCouldNotHandOverIsTold(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*brokle.Config)
		use    func(*brokle.Client, *brokle.ActiveTrace, *brokle.ActiveObservation)
		code   string
		cause  error
		count  func(brokle.RefusedCounts) int64
	}{
		"a channel as input": {nil, func(_ *brokle.Client, _ *brokle.ActiveTrace, o *brokle.ActiveObservation) {
			o.Update(brokle.Input(make(chan int)))
		}, "invalid_payload", nil, func(r brokle.RefusedCounts) int64 { return r.Invalid }},
		"a cost that is no number": {nil, func(_ *brokle.Client, _ *brokle.ActiveTrace, o *brokle.ActiveObservation) {
			o.End(brokle.Cost(math.NaN(), 0), brokle.Level("FATAL"))
		}, "invalid_payload", nil, func(r brokle.RefusedCounts) int64 { return r.Invalid }},
		"a score of no type": {nil, func(_ *brokle.Client, tr *brokle.ActiveTrace, _ *brokle.ActiveObservation) {
			tr.Score("quality", struct{}{})
		}, "invalid_payload", nil, func(r brokle.RefusedCounts) int64 { return r.Invalid }},
		"too large": {func(c *brokle.Config) { c.EventMaxBytes = 4000 }, func(_ *brokle.Client, tr *brokle.ActiveTrace, _ *brokle.ActiveObservation) {
			tr.Update(brokle.Input(strings.Repeat("x", 5000)))
		}, "too_large", brokle.ErrTooLarge, func(r brokle.RefusedCounts) int64 { return r.TooLarge }},
		"after Close": {nil, func(c *brokle.Client, tr *brokle.ActiveTrace, _ *brokle.ActiveObservation) {
			closeClient(t, c)
			tr.End()
		}, "closed", brokle.ErrClosed, func(r brokle.RefusedCounts) int64 { return r.Closed }},
		"a full queue": {func(c *brokle.Config) { c.QueueMaxEvents = 2 }, func(_ *brokle.Client, tr *brokle.ActiveTrace, _ *brokle.ActiveObservation) {
			tr.End()
		}, "queue_full", brokle.ErrQueueFull, func(r brokle.RefusedCounts) int64 { return r.QueueFull }},
	} {
		srv := brokletest.NewServer(t)
		var log bytes.Buffer
		var mu sync.Mutex
		var told []brokle.Outcome
		accepted := int64(0)
		c := open(t, srv, func(c *brokle.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
			c.OnOutcome = func(o brokle.Outcome) {
				mu.Lock()
				defer mu.Unlock()
				if o.Kind == brokle.Refused {
					told = append(told, o)
				} else {
					accepted++
				}
			}
			if tc.change != nil {
				tc.change(c)
			}
		})
		ctx, trace := c.StartTrace(t.Context(), "t")
		_, span := brokle.StartSpan(ctx, "s")
		tc.use(c, trace, span)
		closeClient(t, c)
		m := c.ProcessorMetrics()
		balanced(t, m)
		var ee *brokle.EventError
		if len(told) != 1 || !errors.As(told[0].Err, &ee) || ee.Code != tc.code || told[0].Type == "" || tc.cause != nil && !errors.Is(told[0].Err, tc.cause) {
			t.Errorf("%s: told %+v", name, told)
		}
		if n := tc.count(m.Refused); n != 1 || m.Accepted != 2 || accepted != 2 {
			t.Errorf("%s: %d refused, %d accepted were told, %+v", name, n, accepted, m)
		}
		if !strings.Contains(log.String(), "not taken") {
			t.Errorf("%s: log %q", name, log.String())
		}
	}
	if brokle.Refused.String() != "refused" {
		t.Error(brokle.Refused)
	}
}
