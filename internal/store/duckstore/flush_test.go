package duckstore

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// openStopped opens a Warehouse whose clock moves only when it is told to.
func openStopped(t *testing.T) (*Warehouse, *generator, *clock.Stopped) {
	t.Helper()
	g := newGenerator(1)
	now := clock.NewStopped(g.at)
	w, err := Open(filepath.Join(t.TempDir(), "w.db"), Options{Records: g.Records, Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w, g, now
}

// What waits is written when something comes after flushAfter, by the warehouse's clock; until then nothing is.
func TestFlushAfter(t *testing.T) {
	t.Parallel()
	w, g, now := openStopped(t)
	cursor := func() entity.Seq {
		c, err := w.Cursor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	insert := func() entity.Seq {
		recs := g.next(1)
		if err := w.Insert(t.Context(), recs, recs[0].Seq); err != nil {
			t.Fatal(err)
		}
		return recs[0].Seq
	}
	insert()
	now.Advance(flushAfter)
	insert()
	w.hotMu.Lock()
	if w.hot.due(now.Now()) || len(w.hot.events) != 2 {
		t.Errorf("%d events are hot, due %v", len(w.hot.events), w.hot.due(now.Now()))
	}
	w.hotMu.Unlock()
	now.Advance(time.Microsecond)
	last := insert()
	watch.Until(t, "what waited is written", func() bool { return cursor() == last })
}

// A question does not try again what just failed, by the same clock.
func TestAskAgain(t *testing.T) {
	t.Parallel()
	w, g, now := openStopped(t)
	recs := g.next(1)
	if err := w.Insert(t.Context(), recs, recs[0].Seq); err != nil {
		t.Fatal(err)
	}
	w.hotMu.Lock()
	w.flushErr, w.failedAt = errOlder, now.Now()
	w.hotMu.Unlock()
	for _, written := range []entity.Seq{0, recs[0].Seq} {
		if err := w.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c, err := w.Cursor(t.Context()); c != written || err != nil {
			t.Errorf("the cursor is %d, %v; want %d", c, err, written)
		}
		now.Advance(askAgain)
	}
}
