package brokle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// inTrace gives records the context of a trace, as a program's own calls have it.
type inTrace struct {
	slog.Handler
	ctx context.Context
}

func (h inTrace) Handle(_ context.Context, r slog.Record) error { return h.Handler.Handle(h.ctx, r) }
func (h inTrace) Enabled(_ context.Context, l slog.Level) bool  { return h.Handler.Enabled(h.ctx, l) }
func (h inTrace) WithAttrs(a []slog.Attr) slog.Handler          { return inTrace{h.Handler.WithAttrs(a), h.ctx} }
func (h inTrace) WithGroup(n string) slog.Handler               { return inTrace{h.Handler.WithGroup(n), h.ctx} }

// The handler keeps the rules of package slog for attributes and groups.
func TestLogHandlerKeepsTheRulesOfSlog(t *testing.T) {
	t.Parallel()
	var srv *brokletest.Server
	var c *brokle.Client
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		srv = brokletest.NewServer(t)
		c = open(t, srv, nil)
		ctx, _ := c.StartTrace(t.Context(), "t")
		return inTrace{&brokle.LogHandler{}, ctx}
	}, func(t *testing.T) map[string]any {
		closeClient(t, c)
		var o brokle.Observation
		if err := json.Unmarshal(srv.OfType(brokle.ObservationCreate)[0].Payload, &o); err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if o.Metadata != nil {
			if err := json.Unmarshal(o.Metadata, &m); err != nil {
				t.Fatal(err)
			}
		}
		m[slog.MessageKey], m[slog.LevelKey] = o.Name, o.Level
		if !strings.HasSuffix(t.Name(), "zero-time") { // ours has a time: an observation needs one
			m[slog.TimeKey] = o.StartTime
		}
		return m
	})
}

func TestLogHandlerRecordsBelowTheObservationAndPassesOn(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	log := slog.New(&brokle.LogHandler{Next: slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelWarn})}).With("who", "me").WithGroup("g")
	log.Error("nowhere") // no trace: only passed on
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	ctx, o := c.StartSpan(t.Context(), "step")
	log.DebugContext(ctx, "not recorded")
	log.InfoContext(ctx, "recorded only", "took", time.Second, "err", errors.New("no"), "nan", math.NaN(), "fn", func() {})
	log.ErrorContext(ctx, strings.Repeat("é", 300))
	o.End()
	log.WarnContext(ctx, "") // late, and empty
	closeClient(t, c)
	log.ErrorContext(ctx, "after the end") // no harm
	var got []brokle.Observation
	for _, ev := range srv.OfType(brokle.ObservationCreate)[1:] {
		var o brokle.Observation
		if err := json.Unmarshal(ev.Payload, &o); err != nil {
			t.Fatal(err)
		}
		got = append(got, o)
	}
	if len(got) != 3 {
		t.Fatalf("%d records, want 3", len(got))
	}
	for i, want := range []struct{ level, name string }{{"INFO", "recorded only"}, {"ERROR", strings.Repeat("é", 200) + "…"}, {"WARN", "log"}} {
		if g := got[i]; g.Level != want.level || g.Name != want.name || g.Type != brokle.TypeEvent || g.ParentObservationID != o.ID() || g.TraceID != o.TraceID() || g.EndTime == nil || !g.EndTime.Equal(g.StartTime) {
			t.Errorf("%+v", g)
		}
	}
	m := string(compact(t, got[0].Metadata))
	if !strings.HasPrefix(m, `{"g":{"err":"no","fn":"0x`) || !strings.HasSuffix(m, `"nan":"NaN","took":"1s"},"who":"me"}`) {
		t.Errorf("metadata %s", m)
	}
	if string(got[1].Output) != `"`+strings.Repeat("é", 300)+`"` {
		t.Errorf("output %s", got[1].Output)
	}
	if lines := strings.Count(buf.String(), "\n"); lines != 4 || strings.Contains(buf.String(), "recorded only") || !strings.Contains(buf.String(), "who=me") {
		t.Errorf("passed on:\n%s", buf.String())
	}
}
