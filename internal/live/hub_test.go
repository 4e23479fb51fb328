package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Who does not keep up is cut, and others get everything.
func TestCutsSlowReaders(t *testing.T) {
	t.Parallel()
	h, l := hub(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	defer func() {
		cancel()
		running.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	slow, quick := h.join("one"), h.join("one")
	if h.Streams() != 2 {
		t.Fatalf("%d streams", h.Streams())
	}
	big := `{"name":"` + strings.Repeat("x", 3<<20) + `"}`
	for i := range 4 {
		id := fmt.Sprint("big", i)
		_, err := l.Append(t.Context(), &store.Batch{Project: "one", ID: id, ReceivedAt: time.Now(),
			Events: []wire.Event{{ID: id, Type: wire.EventCreate, Payload: []byte(big), Timestamp: wire.At(time.Now())}}})
		if err != nil {
			t.Fatal(err)
		}
		c := <-quick.chunks
		quick.queued.Add(-c.bytes)
		if len(c.events) != 1 || c.events[0].rec.Event.ID != id {
			t.Errorf("the quick reader got %d events, the first %s", len(c.events), c.events[0].rec.Event.ID)
		}
	}
	if h.Streams() != 1 {
		t.Errorf("%d streams: the slow one is not out", h.Streams())
	}
	n := 0
	for c := range slow.chunks {
		n += len(c.events)
	}
	if slow.why != endTooSlow || n == 0 || n >= 4 {
		t.Errorf("it ended with %q after %d events", slow.why, n)
	}
}

func hub(t *testing.T) (*Hub, *segmentlog.Log) {
	l, err := segmentlog.Open("log", segmentlog.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{
		Log: l, Most: 10, Heartbeat: time.Minute, WriteTimeout: time.Minute, Encode: func(v any) ([]byte, error) { return json.Marshal(v) },
		ID: func(_ string, at entity.Seq) string { return fmt.Sprint(at) }, Logger: slog.New(slog.DiscardHandler),
	}), l
}

// lent is a connection's answer, which is the handler's until that returns: net/http uses it for others then.
type lent struct {
	*httptest.ResponseRecorder
	returned atomic.Bool
	late     atomic.Int64
}

func (l *lent) SetWriteDeadline(time.Time) error {
	if l.returned.Load() {
		l.late.Add(1)
	}
	return nil
}

func (l *lent) SetReadDeadline(time.Time) error { return nil }

// A stream whose client leaves while the server stops does not touch the connection afterwards.
func TestLeavesTheConnectionAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, l := hub(t)
		late := int64(0)
		for range 500 {
			stopping, stop := context.WithCancel(t.Context())
			gone, leave := context.WithCancel(t.Context())
			leave()
			w := &lent{ResponseRecorder: httptest.NewRecorder()}
			stop()
			h.Serve(gone, w, Stream{Project: "one", Allowed: func() bool { return true }, Stopping: stopping})
			w.returned.Store(true)
			synctest.Wait()
			late += w.late.Load()
		}
		if late > 0 {
			t.Errorf("%d deadlines were set on connections that had been given back", late)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
