package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// world is what a monitor sees; tests change it.
type world struct {
	mu      sync.Mutex // guards all below
	free    Bytes
	freeErr error
	log     store.LogStats
	indexer store.IndexerStats
	logged  bytes.Buffer
}

func (w *world) monitor() *monitor {
	m := &monitor{
		minFree: 1 << 30, maxBacklog: 1000,
		free:    func() (Bytes, error) { w.mu.Lock(); defer w.mu.Unlock(); return w.free, w.freeErr },
		log:     func() store.LogStats { return w.log },
		indexer: func() store.IndexerStats { return w.indexer },
		logger:  slog.New(slog.NewTextHandler(&w.logged, nil)),
	}
	m.check()
	return m
}

func lineOf(m *monitor, name string) store.Health {
	for _, h := range m.Health() {
		if h.Part == name {
			return h
		}
	}
	return store.Health{}
}

func TestMonitor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		trouble      func(*world)
		part         string
		ok, blocking bool
		admits       bool
		says         string
	}{
		{"all is well", func(*world) {}, "disk", true, true, true, "2048 MiB free"},
		{"disk full", func(w *world) { w.free = 1<<30 - 1 }, "disk", false, true, false, "1023 MiB free"},
		{"disk silent", func(w *world) { w.freeErr = errors.New("gone") }, "disk", false, false, true, "gone"},
		{"backlog at its bound", func(w *world) { w.indexer.Lag = 1000 }, "warehouse", true, false, true, "1000 events behind"},
		{"backlog over its bound", func(w *world) { w.indexer.Lag = 1001 }, "warehouse", false, true, false, "1001 events"},
		{"warehouse failing", func(w *world) { w.indexer.Fault = "disk error" }, "warehouse", false, false, true, "disk error"},
		{"quarantine", func(w *world) { w.indexer.Quarantined = 3 }, "warehouse", true, false, true, "3 in quarantine"},
		{"log failing", func(w *world) { w.log.Fault = "sync: no" }, "log", false, true, true, "sync: no"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := &world{free: 2 << 30}
			tc.trouble(w)
			m := w.monitor()
			h := lineOf(m, tc.part)
			if h.OK != tc.ok || h.Blocking != tc.blocking || !strings.Contains(h.Detail, tc.says) {
				t.Errorf("%+v, want ok %v, blocking %v, saying %q", h, tc.ok, tc.blocking, tc.says)
			}
			err := m.Admit()
			if (err == nil) != tc.admits || err != nil && !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Admit: %v, want admitted %v", err, tc.admits)
			}
		})
	}
}

func TestMonitorComesBackByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{free: 2 << 30}
		m := w.monitor()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.Run(ctx) }()

		look := func(free Bytes) error {
			w.mu.Lock()
			w.free = free
			w.mu.Unlock()
			waitTicks(1)
			return m.Admit()
		}
		if look(0) == nil {
			t.Error("a full disk is admitted")
		}
		if err := look(2 << 30); err != nil {
			t.Errorf("room again, and still: %v", err)
		}
		m.draining.Store(true)
		if !errors.Is(m.Admit(), store.ErrUnavailable) {
			t.Error("a stopping node admits")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(w.logged.String(), "level="); n != 2 {
			t.Errorf("%d lines logged, want one when it begins and one when it ends:\n%s", n, w.logged.String())
		}
	})
}

// waitTicks lets the fake clock pass n looks and everything they set off.
func waitTicks(n int) {
	timer := time.NewTimer(time.Duration(n)*watchEvery + watchEvery/2)
	<-timer.C
	synctest.Wait()
}

// A warehouse that takes nothing while more and more waits makes the node not ready, long
// before the bound; one that lags, fails or is idle does not.
func TestMonitorOfAWarehouseThatStandsStill(t *testing.T) {
	t.Parallel()
	w := &world{free: 2 << 30}
	m := w.monitor()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m.now = func() time.Time { return now }
	look := func(after time.Duration, cursor, lag entity.Seq) store.Health {
		now = now.Add(after)
		w.indexer.Cursor, w.indexer.Lag = cursor, lag
		m.check()
		return lineOf(m, "warehouse")
	}
	for i, step := range []struct {
		after       time.Duration
		cursor, lag entity.Seq
		ready       bool
	}{
		{time.Second, 100, 0, true},
		{time.Hour, 100, 0, true}, // idle
		{time.Second, 100, 10, true},
		{29 * time.Second, 100, 20, true},
		{2 * time.Second, 100, 20, false},
		{time.Second, 101, 30, true},  // it moves
		{time.Minute, 101, 30, true},  // nothing more came
		{time.Minute, 101, 31, false}, // now it did
		{time.Second, 132, 0, true},
	} {
		h := look(step.after, step.cursor, step.lag)
		if ready := h.OK || !h.Blocking; ready != step.ready || !ready && !strings.Contains(h.Detail, "nothing was taken for") {
			t.Errorf("step %d: %+v", i, h)
		}
		if err := m.Admit(); err != nil {
			t.Errorf("step %d: events are refused: %v", i, err)
		}
	}
}
