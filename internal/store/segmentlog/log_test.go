package segmentlog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func openTest(t testing.TB, fs vfs.FS, dir string, o Options) *Log {
	t.Helper()
	o.FS = fs
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// testBatch is a batch of n events with ids from prefix and payloads of about size bytes.
func testBatch(prefix string, n, size int) *store.Batch {
	b := &store.Batch{
		Project: "p1", Environment: "default", ID: "batch-" + prefix, ReceivedAt: time.Now(),
		Dedup: store.Dedup{Enabled: true, TTL: time.Hour},
	}
	for i := range n {
		payload := fmt.Sprintf(`{"name":"call %d","input":"%s"}`, i, text(size, i))
		b.Events = append(b.Events, wire.Event{
			ID: fmt.Sprintf("%s-%d", prefix, i), Type: wire.EventCreate,
			Payload: []byte(payload), Timestamp: wire.At(time.Now()),
		})
	}
	return b
}

// text is n bytes of something like prose.
func text(n, seed int) string {
	words := []string{"the", "model", "answers", "a", "question", "about", "prices", "and", "delivery", "in", "seven", "days"}
	out := make([]byte, 0, n+16)
	x := uint32(seed)*2654435761 + 12345
	for len(out) < n {
		x = x*1664525 + 1013904223
		out = append(out, words[(x>>16)%uint32(len(words))]...)
		if x>>28 == 0 {
			out = fmt.Appendf(out, "%d", x)
		}
		out = append(out, ' ')
	}
	return string(out[:n])
}

func TestAppendReadGetReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx := context.Background()
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := testBatch("a", 100, 900)
	out, err := l.Append(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o != store.Stored {
			t.Fatalf("event %d: outcome %d", i, o)
		}
	}
	check := func(l *Log) {
		t.Helper()
		recs, upto, err := l.Read(ctx, 0, 1000)
		if err != nil || len(recs) != 100 || upto < 100 {
			t.Fatalf("read %d records up to %d: %v", len(recs), upto, err)
		}
		for i, r := range recs {
			if string(r.Event.Payload) != string(b.Events[i].Payload) || r.Event.ID != b.Events[i].ID {
				t.Fatalf("record %d differs", i)
			}
		}
		got, err := l.Get(ctx, []entity.Seq{7, 3, 1000})
		if err != nil || len(got) != 2 || got[0].Seq != 7 || got[1].Seq != 3 {
			t.Fatalf("get: %v %v", got, err)
		}
		out, err := l.Append(ctx, b)
		if err != nil || out[0] != store.Duplicate || out[99] != store.Duplicate {
			t.Fatalf("again: %v %v", out, err)
		}
	}
	check(l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	check(openTest(t, nil, dir, Options{}))
}
