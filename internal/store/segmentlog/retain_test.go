package segmentlog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// aging is a Log under retention, on a clock of the test.
type aging struct {
	*testing.T
	*Log
	fs    *vfs.MemFS
	clock *clock.Stopped
	n     int
}

func newAging(t *testing.T) *aging {
	a := &aging{T: t, fs: vfs.NewMem(), clock: clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	a.Log = openTest(t, a.fs, "log", Options{SegmentBytes: 16 << 10, TailBytes: 1, Now: a.clock.Now})
	return a
}

// store appends a batch of events that happened so long ago.
func (a *aging) store(n int, ago time.Duration) (first entity.Seq) {
	a.Helper()
	a.n++
	b := testBatch(fmt.Sprint("b", a.n), n, 900)
	b.ReceivedAt = a.clock.Now()
	for i := range b.Events {
		b.Events[i].Timestamp = wire.At(a.clock.Now().Add(-ago))
	}
	first = a.Head() + 1
	if _, err := a.Append(context.Background(), b); err != nil {
		a.Fatal(err)
	}
	return first
}

// pass expires what is older than an hour, up to a Seq.
func (a *aging) pass(upto entity.Seq) {
	a.Helper()
	a.Hide(store.Cutoffs{Now: a.clock.Now(), Retention: store.Retention{Default: time.Hour}})
	if err := a.Expire(context.Background(), upto); err != nil {
		a.Fatal(err)
	}
}

func (a *aging) later(d time.Duration) { a.clock.Advance(d) }

func (a *aging) disk() int64 { return a.Stats().DiskBytes }

// A segment is rewritten when half of its events have expired, or one for a tenth of
// the retention; until then they are hidden only.
func TestExpireSlack(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	a.store(2, 55*time.Minute)
	a.store(8, 0)
	before := a.disk()
	a.later(6 * time.Minute)
	a.pass(a.Head())
	if recs, err := a.Get(t.Context(), []entity.Seq{1, 2, 3}); err != nil || len(recs) != 1 || recs[0].Seq != 3 {
		t.Errorf("shown %v, %v", recs, err)
	}
	if a.disk() != before || a.Removed("p1") != (store.Removed{}) {
		t.Errorf("%d bytes of %d, %+v: rewritten for two of ten events, expired a minute ago", a.disk(), before, a.Removed("p1"))
	}
	a.later(6 * time.Minute)
	a.pass(a.Head())
	if a.disk() >= before || a.Removed("p1") != (store.Removed{Aged: 2}) {
		t.Errorf("%d bytes of %d, %+v: not rewritten after the slack", a.disk(), before, a.Removed("p1"))
	}
}

// A segment of which half has expired is rewritten at once when the rest stays for long, and only when all of it has expired when
// that comes before the slack of the first is over.
func TestExpireTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		apart time.Duration
		waits bool
	}{{5 * time.Minute, true}, {30 * time.Minute, false}} {
		a := newAging(t)
		a.store(6, c.apart)
		a.store(6, 0)
		before := a.disk()
		a.later(time.Hour - c.apart + time.Minute)
		a.pass(a.Head())
		if waits := a.disk() == before && a.Removed("p1") == (store.Removed{}); waits != c.waits {
			t.Errorf("%v apart: %d bytes of %d, %+v", c.apart, a.disk(), before, a.Removed("p1"))
		}
		a.later(c.apart)
		a.pass(a.Head())
		if a.disk() >= before/2 || a.Removed("p1") != (store.Removed{Aged: 12}) {
			t.Errorf("%v apart: %d bytes of %d, %+v when all has expired", c.apart, a.disk(), before, a.Removed("p1"))
		}
	}
}

// Nothing behind the follower's cursor goes; late events are counted apart.
func TestExpireUpto(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	second := a.store(100, 2*time.Hour) + 100 // more than one segment
	a.store(100, 30*time.Minute)
	a.store(100, 30*time.Minute)
	a.later(2 * time.Hour)
	a.pass(second - 1)
	if got := a.Removed("p1"); got != (store.Removed{Late: 100}) {
		t.Errorf("removed up to %d: %+v", second-1, got)
	}
	a.pass(a.Head())
	if got := a.Removed("p1"); got != (store.Removed{Late: 100, Aged: 200}) {
		t.Errorf("removed: %+v", got)
	}
}

// What has expired takes no room: the segments go when their receipts have; the
// newest stays, and those with the request of a pending job.
func TestExpireWhole(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	job := store.Job{ID: "job_1", Project: "p1", Environment: "default", BatchID: "jb", ReceivedAt: a.clock.Now(), Body: []byte(`{"events":[]}`)}
	for i := range 10 {
		a.store(100, 0)
		if i == 5 {
			if err := a.AddJob(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
	}
	full := a.disk()
	a.later(2 * time.Hour)
	a.pass(a.Head())
	if a.disk() > full/4 || a.Removed("p1").Aged != 1000 {
		t.Errorf("%d bytes of %d are left, %+v", a.disk(), full, a.Removed("p1"))
	}
	if _, err := a.BatchReceipt(t.Context(), "p1", "batch-b1"); err != nil {
		t.Errorf("receipt after two hours: %v", err)
	}
	a.later(store.ReceiptTTL)
	a.store(1, 0)
	a.pass(a.Head())
	if jobs, err := a.PendingJobs(t.Context()); err != nil || len(jobs) != 1 || string(jobs[0].Body) != string(job.Body) {
		t.Fatalf("pending jobs %v, %v", jobs, err)
	}
	if err := a.FailJob(t.Context(), "p1", job.ID, nil, wire.ErrorBody{Code: "x"}); err != nil {
		t.Fatal(err)
	}
	a.later(store.ReceiptTTL + time.Hour)
	last := a.store(1, 0)
	a.pass(a.Head())
	if s := a.Stats(); s.Segments > 2 || s.DiskBytes > 4<<10 {
		t.Errorf("%d segments with %d bytes for one event", s.Segments, s.DiskBytes)
	}
	if recs, err := a.Get(t.Context(), []entity.Seq{last}); err != nil || len(recs) != 1 {
		t.Errorf("the new event: %v, %v", recs, err)
	}
}

// What is left of events without texts is ids: thousands of a block, not all that fit into a mebibyte, for whoever reads a block
// has all of its events in memory.
func TestExpiredBlocksAreOfThousands(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	const batch = 1000
	for range 3 * packEvents / batch {
		a.store(batch, 0)
	}
	a.later(2 * time.Hour)
	a.pass(a.Head())
	blocks, events := 0, 0
	for _, seg := range a.segs {
		if err := a.each(seg, func(h *blockHeader, _ []byte) error {
			if blocks++; h.events >= packEvents+batch {
				t.Errorf("a block of %d events", h.events)
			}
			events += int(h.events)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if events != a.n*batch || blocks > 2*events/packEvents {
		t.Errorf("%d blocks of %d events, %d were stored", blocks, events, a.n*batch)
	}
}

// After years of small batches there are few files, and each pass has little to do.
func TestExpireKeepsFilesFew(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	for range 120 {
		a.store(20, time.Duration(a.n%3)*20*time.Minute)
		a.later(10 * time.Minute)
		a.pass(a.Head())
		if s := a.Stats(); s.Segments > 12 || s.DiskBytes > 256<<10 {
			t.Fatalf("after %d batches: %d segments, %d bytes", a.n, s.Segments, s.DiskBytes)
		}
	}
}
