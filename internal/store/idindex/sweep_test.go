package idindex

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// keysLeft counts what is in the index beside the cursor.
func keysLeft(t *testing.T, x *Index) (n int) {
	t.Helper()
	it, err := x.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for it.First(); it.Valid(); it.Next() {
		n++
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return n - 1
}

func TestSweepLeavesNothingExpired(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := open(t, vfs.NewMem(), c)
	var ids []string
	for i := range 3 * sweepChunk {
		ids = append(ids, fmt.Sprintf("id-%d", i))
	}
	put(t, x, c, "p", time.Minute, ids...)
	put(t, x, c, "q", time.Hour, ids...)
	if n := sweepAll(t, x, c.Now().Add(time.Minute-time.Microsecond)); n != 0 {
		t.Fatalf("%d entries swept before their time", n)
	}
	if n := sweepAll(t, x, c.Now().Add(2*time.Minute)); n != len(ids) {
		t.Fatalf("%d entries swept, want %d", n, len(ids))
	}
	if n := x.Stats().Entries; n != int64(len(ids)) {
		t.Errorf("%d entries, want %d", n, len(ids))
	}
	if n := sweepAll(t, x, c.Now().Add(2*time.Hour)); n != len(ids) {
		t.Fatalf("%d entries swept, want %d", n, len(ids))
	}
	if n := keysLeft(t, x); n != 0 {
		t.Errorf("%d keys remain", n)
	}
}

func TestSweepKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := open(t, vfs.NewMem(), c)
	for i := range 20 {
		put(t, x, c, "p", time.Minute, fmt.Sprint("a", i), fmt.Sprint("b", i))
	}
	c.Advance(3 * time.Minute)
	for _, want := range []int{6, 6, 6, 6, 6, 6, 4, 0} {
		if n, err := x.Sweep(c.Now(), 5); n != want || err != nil {
			t.Fatalf("swept %d %v, want %d", n, err, want)
		}
	}
}

// An id accepted again after its ttl has a new mark, which the old block's due list must not take.
func TestSweepKeepsTheNewMark(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := open(t, vfs.NewMem(), c)
	put(t, x, c, "p", time.Minute, "id", "other")
	c.Advance(time.Minute)
	put(t, x, c, "p", time.Hour, "id")
	c.Advance(5 * time.Minute)
	if n := sweepAll(t, x, c.Now()); n != 1 {
		t.Errorf("swept %d, want 1", n)
	}
	if got := seen(t, x, c, "p", "id"); got != 4 {
		t.Errorf("the new mark has seq %d, want 4", got)
	}
	if n := x.Stats().Entries; n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
	c.Advance(time.Hour)
	if n := sweepAll(t, x, c.Now()); n != 1 || keysLeft(t, x) != 0 {
		t.Errorf("swept %d, %d keys remain", n, keysLeft(t, x))
	}
}

// What is filed behind the point that Sweep has reached is found all the same.
func TestSweepGoesBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := open(t, vfs.NewMem(), c)
	put(t, x, c, "p", time.Minute, "a")
	if n := sweepAll(t, x, c.Now().Add(10*time.Minute)); n != 1 { // a clock that ran ahead
		t.Fatalf("swept %d, want 1", n)
	}
	put(t, x, c, "p", time.Minute, "b")
	// And so is what is filed while a walk is under way.
	_, end := x.sweepRange(kindMarkDue, c.Now().Add(10*time.Minute).UnixMicro())
	put(t, x, c, "p", time.Minute, "c")
	x.sweptTo(kindMarkDue, end)
	if n := sweepAll(t, x, c.Now().Add(10*time.Minute)); n != 2 {
		t.Errorf("swept %d, want 2", n)
	}
	if x.first[0] != end {
		t.Errorf("the next walk begins at minute %d, want %d", x.first[0], end)
	}
}

func TestReceiptsAndJobsExpire(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := open(t, vfs.NewMem(), c)
	created := c.Now()
	apply := func(ch Change) {
		t.Helper()
		ch.Project, ch.At, ch.Block = "p", c.Now(), x.Cursor()+1
		if err := x.Apply([]Change{ch}, ch.Block); err != nil {
			t.Fatal(err)
		}
	}
	apply(Change{BatchID: "B1", Failed: []string{"f"}})
	apply(Change{BatchID: "B2", JobID: "j", Job: JobAdded})
	apply(Change{BatchID: "B3", JobID: "k", Job: JobAdded})
	c.Advance(30 * 24 * time.Hour)
	sweepAll(t, x, c.Now())
	if _, ok, _ := x.Batch("p", "B1"); ok {
		t.Error("the receipt of B1 outlives its time")
	}
	if seq, ok, err := x.Batch("p", "B2"); seq != 2 || !ok || err != nil {
		t.Errorf("batch of a pending job: %d %v %v", seq, ok, err)
	}
	if j, ok, err := x.Job("p", "j"); j != (JobEntry{Request: 2, Status: wire.JobPending, CreatedAt: created}) || !ok || err != nil {
		t.Errorf("pending job: %+v %v %v", j, ok, err)
	}
	if _, ok, _ := x.Job("q", "j"); ok {
		t.Error("another project knows the job")
	}
	done := c.Now()
	apply(Change{BatchID: "B2", JobID: "j", Job: JobCompleted})
	apply(Change{JobID: "k", Job: JobFailed})
	apply(Change{BatchID: "B2", JobID: "j", Job: JobFailed}) // ended before: changes nothing
	want := JobEntry{Request: 2, Result: 4, Status: wire.JobCompleted, CreatedAt: created, CompletedAt: done}
	if j, ok, err := x.Job("p", "j"); j != want || !ok || err != nil {
		t.Errorf("completed job: %+v %v %v, want %+v", j, ok, err, want)
	}
	if seq, ok, _ := x.Batch("p", "B3"); seq != 5 || !ok {
		t.Errorf("the batch of the failed job is at %d %v, want 5", seq, ok)
	}
	if p, err := x.PendingJobs(); len(p) != 0 || err != nil {
		t.Errorf("pending jobs: %v %v", p, err)
	}
	c.Advance(store.ReceiptTTL - time.Microsecond)
	if _, ok, _ := x.Job("p", "k"); !ok {
		t.Error("the job is forgotten too early")
	}
	c.Advance(time.Microsecond)
	if _, ok, _ := x.Job("p", "k"); ok {
		t.Error("the job outlives its time")
	}
	c.Advance(time.Minute)
	if n := sweepAll(t, x, c.Now()); n != 4 || keysLeft(t, x) != 0 {
		t.Errorf("swept %d, want 4; %d keys remain", n, keysLeft(t, x))
	}
}

// Apply renews an expired mark at the moment at which Sweep wants to delete it.
func TestSweepBesideApply(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := open(t, vfs.NewMem(), c)
	for i := range 500 {
		put(t, x, c, "p", time.Minute, "id")
		c.Advance(2 * time.Minute)
		swept := make(chan error)
		go func() {
			_, err := x.Sweep(c.Now(), 10)
			swept <- err
		}()
		put(t, x, c, "p", time.Minute, "id")
		if err := <-swept; err != nil {
			t.Fatal(err)
		}
		if seen(t, x, c, "p", "id") == 0 {
			t.Fatalf("round %d: Sweep took the new mark", i)
		}
		c.Advance(2 * time.Minute)
	}
}
