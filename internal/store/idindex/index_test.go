package idindex

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// put applies one block of ids of project p, received now.
func put(t *testing.T, x *Index, c *clock.Stopped, project string, ttl time.Duration, ids ...string) {
	t.Helper()
	first := x.Cursor() + 1
	seqs := make([]entity.Seq, len(ids))
	for i := range seqs {
		seqs[i] = first + entity.Seq(i)
	}
	ch := Change{Project: project, Block: first, At: c.Now(), TTL: ttl, IDs: ids, Seqs: seqs}
	if err := x.Apply([]Change{ch}, first+entity.Seq(len(ids))); err != nil {
		t.Fatal(err)
	}
}

// seen looks one id up at the clock's time.
func seen(t *testing.T, x *Index, c *clock.Stopped, project, id string) entity.Seq {
	t.Helper()
	out := make([]Entry, 1)
	if err := x.Seen(project, []string{id}, c.Now(), out); err != nil {
		t.Fatal(err)
	}
	return out[0].Seq
}

// idShapes are ids that clients send: their own time bits say anything.
func idShapes() []string {
	return []string{
		"01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "01k0zv6b3t8m5q2y7r4n1w9xcd", // ULID, and not the same in lower case
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "00000000000000000000000000", // the year 10889, 1970
		"FFFFFFFFFFFFFFFFFFFFFFFFFF", "550E8400E29B41D4A716446655", // 26 hex characters overflow a ULID
		"550e8400-e29b-41d4-a716-446655440000", "550e8400e29b41d4a716446655440000",
		"evt_01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "trace_0123456789abcdef",
		"x", "xx", strings.Repeat("x", 128), strings.Repeat("x", 127), "~!@#$%^&*()/\\\"'",
	}
}

func TestMarkLastsForItsTTL(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		for _, reopen := range []bool{false, true} {
			c, fs := newClock(), vfs.NewMem()
			x := openSmall(t, fs, c)
			for _, id := range idShapes() {
				put(t, x, c, "p", ttl, id)
			}
			if reopen {
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
				x = openSmall(t, fs, c)
			}
			for _, step := range []struct {
				d     time.Duration
				known bool
			}{{0, true}, {ttl - time.Microsecond, true}, {time.Microsecond, false}, {time.Hour, false}} {
				c.Advance(step.d)
				for i, id := range idShapes() {
					want := entity.Seq(0)
					if step.known {
						want = entity.Seq(2*i + 1)
					}
					if got := seen(t, x, c, "p", id); got != want {
						t.Errorf("ttl %v, reopen %v, %v later: %q has seq %d, want %d", ttl, reopen, step.d, id, got, want)
					}
				}
			}
		}
	}
}

func TestProjectsAreApart(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	projects := []string{"a", "ab", "b", "", "a\x00"}
	for _, p := range projects[:3] {
		put(t, x, c, p, time.Hour, "bc", "c", p)
	}
	for i, p := range projects {
		for j, id := range []string{"bc", "c", p} {
			want := entity.Seq(0)
			if i < 3 {
				want = entity.Seq(4*i + j + 1)
			}
			if got := seen(t, x, c, p, id); got != want {
				t.Errorf("project %q id %q: seq %d, want %d", p, id, got, want)
			}
		}
	}
}

func TestNoTTLNoMark(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	put(t, x, c, "p", 0, "a")
	put(t, x, c, "p", -time.Second, "b")
	if seen(t, x, c, "p", "a") != 0 || seen(t, x, c, "p", "b") != 0 || x.Stats().Entries != 0 {
		t.Error("a block without ttl left a mark")
	}
	if x.Cursor() != 4 {
		t.Errorf("cursor %d, want 4", x.Cursor())
	}
}

// A receipt of a failed event never makes the retry look like a duplicate, and
// stays beside the mark when the retry is stored.
func TestFailedEventIsNotSeen(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	if err := x.Apply([]Change{{Project: "p", BatchID: "B", Block: 7, At: c.Now(), TTL: time.Hour, Failed: []string{"id", ""}}}, 7); err != nil {
		t.Fatal(err)
	}
	if seq, ok, err := x.FailedEvent("p", "id"); seq != 7 || !ok || err != nil {
		t.Errorf("failed event: %d %v %v", seq, ok, err)
	}
	if _, ok, _ := x.FailedEvent("p", ""); ok {
		t.Error("an empty id has a receipt")
	}
	if seen(t, x, c, "p", "id") != 0 {
		t.Error("a failed event counts as seen")
	}
	put(t, x, c, "p", time.Hour, "id")
	if seen(t, x, c, "p", "id") != 8 {
		t.Error("the retry is not known")
	}
	c.Advance(store.ReceiptTTL)
	if _, ok, _ := x.FailedEvent("p", "id"); ok {
		t.Error("the receipt outlives its time")
	}
}

func TestReplayChangesNothing(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	first := []Change{{Project: "p", BatchID: "B1", Block: 1, At: c.Now(), TTL: time.Minute, IDs: []string{"id"}, Seqs: []entity.Seq{1}}}
	if err := x.Apply(first, 1); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	put(t, x, c, "p", time.Minute, "id") // accepted again: Seq 2
	for _, upto := range []entity.Seq{1, x.Cursor(), x.Cursor() + 1} {
		if err := x.Apply(first, upto); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, x, c, "p", "id"); got != 2 {
			t.Fatalf("after a replay up to %d the id has seq %d, want 2", upto, got)
		}
	}
	if n := x.Stats().Entries; n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	good := Change{Project: "p", Block: 1, At: c.Now(), TTL: time.Hour, IDs: []string{"a"}, Seqs: []entity.Seq{1}}
	for name, bad := range map[string]Change{
		"more ids than seqs":          {Project: "p", Block: 2, At: c.Now(), TTL: time.Hour, IDs: []string{"b"}},
		"block behind the new cursor": {Project: "p", Block: 4, At: c.Now()},
	} {
		if err := x.Apply([]Change{good, bad}, 3); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if x.Cursor() != 0 || seen(t, x, c, "p", "a") != 0 {
		t.Error("a refused Apply left something")
	}
	if err := x.Seen("p", []string{"a"}, c.Now(), nil); err == nil {
		t.Error("no room for the answer: no error")
	}
}

func TestStatsSurviveReopen(t *testing.T) {
	t.Parallel()
	c, fs := newClock(), vfs.NewMem()
	x := openSmall(t, fs, c)
	put(t, x, c, "p", time.Hour, "a", "b", "c")
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = openSmall(t, fs, c)
	if s := x.Stats(); s.Entries != 3 || s.DiskBytes == 0 {
		t.Errorf("stats %+v", s)
	}
	if x.Cursor() != 4 {
		t.Errorf("cursor %d, want 4", x.Cursor())
	}
}

// After a Flush nothing is left to the Log's tail: not one Seq, of a block of whatever kind.
func TestFlushLeavesOutNothing(t *testing.T) {
	t.Parallel()
	c, fs := newClock(), vfs.NewCrashableMem()
	x := openSmall(t, fs, c)
	last := entity.Seq(0)
	for i, ch := range []Change{
		{TTL: time.Hour, IDs: []string{"a"}, Seqs: []entity.Seq{1}},
		{BatchID: "empty"},
		{},
		{JobID: "j", Job: JobAdded},
		{JobID: "j", Job: JobFailed},
		{TTL: time.Hour, IDs: []string{"b"}, Seqs: []entity.Seq{6}},
	} {
		last++
		ch.Project, ch.Block, ch.At = "p", last, c.Now()
		if err := x.Apply([]Change{ch}, last); err != nil {
			t.Fatal(err)
		}
		if err := x.Flush(); err != nil {
			t.Fatal(err)
		}
		left := openSmall(t, fs.CrashClone(vfs.CrashCloneCfg{}), c)
		if got := left.Cursor(); got != last {
			t.Errorf("change %d: a crash after Flush leaves the cursor at %d, applied was %d", i, got, last)
		}
		if len(ch.IDs) > 0 && seen(t, left, c, "p", ch.IDs[0]) != last {
			t.Errorf("change %d: a crash after Flush leaves out its id", i)
		}
		if jobs := left.PendingJobs(); (len(jobs) > 0) != (ch.Job == JobAdded) {
			t.Errorf("change %d: pending jobs %v", i, jobs)
		}
	}
}

func TestOpenRefusesAnotherFormat(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("idx", 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]error{
		"brokle id index 3 00000000\n{}\n": ErrNewer, "brokle id index 1 00000000\n{}\n": ErrFormat,
		"brokle id index 2 00000000\n{}\n": errDamaged, "{}\n": errDamaged, "": errDamaged,
	} {
		if err := durable.ReplaceIn(fs, "idx/manifest", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open("idx", Options{FS: fs}); !errors.Is(err, want) {
			t.Errorf("%q: open: %v, want %v", text, err, want)
		}
		if _, err := OpenReadOnly("idx", Options{FS: fs}); !errors.Is(err, want) {
			t.Errorf("%q: open read-only: %v, want %v", text, err, want)
		}
	}
	if err := fs.RemoveAll("idx"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly("idx", Options{FS: fs}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there, open read-only: %v", err)
	}
}

// The files of an earlier release stay until what replaces them is on disk.
func TestEarlierRelease(t *testing.T) {
	t.Parallel()
	fs, c := vfs.NewMem(), newClock()
	db, err := pebble.Open("idx", &pebble.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte{1, 1}, []byte{9}, pebble.Sync), db.Flush(), db.Close()); err != nil {
		t.Fatal(err)
	}
	before := listing(t, fs)
	if _, err := OpenReadOnly("idx", Options{FS: fs}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open read-only: %v", err)
	}
	for range 2 { // the first start is interrupted
		x := openSmall(t, fs, c)
		put(t, x, c, "p", time.Hour, "a", "b")
		for _, name := range before {
			if !slices.Contains(listing(t, fs), name) {
				t.Errorf("%s went before the new index was on disk", name)
			}
		}
	}
	x := openSmall(t, fs, c)
	put(t, x, c, "p", time.Hour, "a", "b")
	if err := x.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, fs); !slices.Equal(got, []string{"00000001.run", "manifest"}) {
		t.Errorf("left are %v", got)
	}
}

func listing(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := fs.List("idx")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// Look-ups, applies and sweeps run beside each other; what Apply has returned is seen by
// every look-up that begins after it.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if err := x.Sweep(c.Now()); err != nil {
				t.Error(err)
			}
		}
	})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for range 2000 {
				at := x.Cursor()
				if at == 0 {
					continue
				}
				// Block n marks id n%50 again and again; its mark is younger than the clock's step.
				if got := seen(t, x, c, "p", name(at)); got < at {
					t.Errorf("id of block %d: seq %d", at, got)
					return
				}
			}
		})
	}
	stop := make(chan struct{})
	wg.Go(func() {
		for n := entity.Seq(1); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			ch := Change{Project: "p", Block: n, At: c.Now(), TTL: 61 * time.Second, IDs: []string{name(n)}, Seqs: []entity.Seq{n}}
			if err := x.Apply([]Change{ch}, n); err != nil {
				t.Error(err)
			}
			if n%50 == 0 {
				c.Advance(time.Second)
			}
		}
	})
	readers.Wait()
	close(stop)
	close(done)
	wg.Wait()
}

func name(n entity.Seq) string { return "id-" + string(rune('A'+n%50)) }
