package idindex

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// sweep says how many entries left.
func sweep(t *testing.T, x *Index, c *clock.Stopped) int {
	t.Helper()
	before := entries(x)
	if err := x.Sweep(c.Now()); err != nil {
		t.Fatal(err)
	}
	return before - entries(x)
}

// entries counts what is in the active table and in runs.
func entries(x *Index) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := x.active.n
	for _, r := range x.runs {
		n += r.entries
	}
	return n
}

// runsOf are the runs as they are now: the worker may be at them.
func runsOf(x *Index) []*run {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.runs
}

// Runs leave whole when their last mark's time is over, and not before a caller whose clock lags behind could tell.
func TestRunsExpireWhole(t *testing.T) {
	t.Parallel()
	c, fs := newClock(), vfs.NewMem()
	x := openSmall(t, fs, c)
	for i := range 3 {
		put(t, x, c, "p", time.Hour, fmt.Sprint("a", i), fmt.Sprint("b", i))
		if err := x.Flush(); err != nil {
			t.Fatal(err)
		}
		c.Advance(10 * time.Minute)
	}
	c.Advance(31*time.Minute - time.Microsecond)
	for i, want := range []int{0, 2, 2, 2, 0} { // a minute after 60, 70 and 80 minutes
		if got := sweep(t, x, c); got != want {
			t.Errorf("step %d: %d left, want %d", i, got, want)
		}
		c.Advance(time.Microsecond)
		if i > 0 {
			c.Advance(10 * time.Minute)
		}
	}
	if got := listing(t, fs); len(got) != 1 {
		t.Errorf("left are %v", got)
	}
}

// A run of which a few entries stay long is written again without the others.
func TestLongTailIsCutOff(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	for i := range 40 {
		ch := Change{Project: "p", BatchID: fmt.Sprint(i), Block: x.Cursor() + 1, At: c.Now(), TTL: time.Hour}
		for j := range 9 {
			ch.IDs, ch.Seqs = append(ch.IDs, fmt.Sprint(i, ".", j)), append(ch.Seqs, ch.Block+entity.Seq(j))
		}
		if err := x.Apply([]Change{ch}, ch.Block+8); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Second)
	}
	if err := x.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Advance(2 * time.Hour)
	if got := sweep(t, x, c); got != 40*9 {
		t.Errorf("%d left, want the marks", got)
	}
	if s := x.Stats(); s.Entries != 0 {
		t.Errorf("%+v", s)
	}
	for i := range 40 {
		if seq, ok, err := x.Batch("p", fmt.Sprint(i)); seq != entity.Seq(9*i+1) || !ok || err != nil {
			t.Fatalf("receipt of batch %d: %d %v %v", i, seq, ok, err)
		}
	}
}

// An id accepted again after its ttl has a new mark, which stays when the old one leaves.
func TestSweepKeepsTheNewMark(t *testing.T) {
	t.Parallel()
	for _, flush := range []bool{false, true} {
		c := newClock()
		x := openSmall(t, vfs.NewMem(), c)
		put(t, x, c, "p", time.Minute, "id", "other")
		if flush {
			if err := x.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		c.Advance(time.Minute)
		put(t, x, c, "p", time.Hour, "id")
		if got := seen(t, x, c, "p", "id"); got != 4 {
			t.Errorf("the new mark has seq %d, want 4", got)
		}
		c.Advance(5 * time.Minute)
		if n := sweep(t, x, c); n != 2 {
			t.Errorf("swept %d, want 2", n)
		}
		if got := seen(t, x, c, "p", "id"); got != 4 {
			t.Errorf("after the sweep, the new mark has seq %d, want 4", got)
		}
	}
}

func TestReceiptsAndJobsExpire(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	apply := func(ch Change) {
		t.Helper()
		ch.Project, ch.At, ch.Block = "p", c.Now(), x.Cursor()+1
		if err := x.Apply([]Change{ch}, ch.Block); err != nil {
			t.Fatal(err)
		}
	}
	is := func(what string, want entity.Seq) func(entity.Seq, bool, error) {
		t.Helper()
		return func(got entity.Seq, ok bool, err error) {
			t.Helper()
			if got != want || ok != (want != 0) || err != nil {
				t.Errorf("%s: %d %v %v, want %d", what, got, ok, err, want)
			}
		}
	}
	apply(Change{BatchID: "B1", Failed: []string{"f"}})
	apply(Change{BatchID: "B2", JobID: "j", Job: JobAdded})
	apply(Change{BatchID: "B3", JobID: "k", Job: JobAdded})
	c.Advance(30 * 24 * time.Hour)
	sweep(t, x, c)
	is("the receipt of B1 after its time", 0)(x.Batch("p", "B1"))
	is("batch of a pending job", 2)(x.Batch("p", "B2"))
	is("pending job", 2)(x.Job("p", "j"))
	is("another project's job", 0)(x.Job("q", "j"))
	apply(Change{BatchID: "B2", JobID: "j", Job: JobCompleted})
	apply(Change{JobID: "k", Job: JobFailed})
	apply(Change{BatchID: "B2", JobID: "j", Job: JobFailed}) // ended before: changes nothing
	apply(Change{BatchID: "B2", JobID: "j", Job: JobAdded})
	is("completed job", 4)(x.Job("p", "j"))
	is("its batch", 4)(x.Batch("p", "B2"))
	is("the batch of the failed job", 5)(x.Batch("p", "B3"))
	if p := x.PendingJobs(); len(p) != 0 {
		t.Errorf("pending jobs: %v", p)
	}
	c.Advance(store.ReceiptTTL - time.Microsecond)
	is("the failed job, to the last", 5)(x.Job("p", "k"))
	c.Advance(time.Microsecond)
	is("the failed job after its time", 0)(x.Job("p", "k"))
	c.Advance(time.Minute)
	if n := sweep(t, x, c); n != 4 || entries(x) != 0 {
		t.Errorf("swept %d, want 4; %d remain", n, entries(x))
	}
	apply(Change{BatchID: "B2", JobID: "j", Job: JobAdded}) // its time is over: a new job
	is("the job of later", x.Cursor())(x.Job("p", "j"))
}

// Apply renews an expired mark at the moment at which Sweep drops it.
func TestSweepBesideApply(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	for i := range 500 {
		put(t, x, c, "p", time.Minute, "id")
		c.Advance(2 * time.Minute)
		swept := make(chan error)
		go func() {
			swept <- x.Sweep(c.Now())
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

// However many tables were written, there are few runs, each entry was written a few times, and runs lie in the order of time.
func TestFewRuns(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	const span = 1000
	var runs []*run
	added, written, most, clock := 0, 0, 0, int64(0)
	for added < 3_000_000 {
		n := 1 + rng.IntN(span)
		clock += int64(n)
		runs = append(runs, &run{footer: footer{entries: n, first: clock, most: clock + 1, last: clock + 2}})
		added += n
		written += n
		for from, to := choose(runs, span, 0); to > from; from, to = choose(runs, span, 0) {
			all := &run{footer: footer{first: runs[from].first, last: runs[to-1].last}}
			for _, r := range runs[from:to] {
				all.entries += r.entries
			}
			written += all.entries
			runs = append(append(runs[:from:from], all), runs[to:]...)
		}
		most = max(most, len(runs))
		for i := 1; i < len(runs); i++ {
			if runs[i].first <= runs[i-1].last-2 {
				t.Fatal("runs are not in order")
			}
		}
	}
	if most > 4*fanout || written > 6*added {
		t.Errorf("%d runs at most, %d entries written of %d", most, written, added)
	}
	t.Logf("%d runs at most, %.1f writes an entry", most, float64(written)/float64(added))
}

// A caller whose clock lags behind by less than a minute still sees what has expired since, though runs were written again.
func TestLaggingClock(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprint("m", i))
	}
	put(t, x, c, "p", time.Minute, many...)
	put(t, x, c, "p", 90*time.Second, "late")
	if err := x.Apply([]Change{{Project: "p", BatchID: "B", Block: 40, At: c.Now()}}, 40); err != nil {
		t.Fatal(err)
	}
	if err := x.Flush(); err != nil {
		t.Fatal(err)
	}
	lagging := c.Now().Add(89 * time.Second)
	c.Advance(2 * time.Minute)
	if n := sweep(t, x, c); n != len(many) {
		t.Fatalf("%d left, want %d", n, len(many))
	}
	out := make([]Entry, 1)
	if err := x.Seen("p", []string{"late"}, lagging, out); err != nil || out[0].Seq != 32 {
		t.Errorf("%+v %v, want Seq 32", out, err)
	}
}

// Filters stay within their memory: halved first, then not at all; and what is known stays known.
func TestFiltersFit(t *testing.T) {
	t.Parallel()
	const n = 4000
	for _, room := range []int{1 << 20, 5000, 2500, 1000, 0} {
		x := &Index{o: Options{CacheBytes: int64(room) * 16 / 13, Logger: slog.New(slog.DiscardHandler)}}
		var runs []*run
		for range 2 {
			runs = append(runs, opened(t, wholeRun(t, n)))
		}
		if err := x.fitFilters(runs, false); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, r := range runs {
			if r.filter != nil {
				total += r.filter.Bytes()
			}
			for i := range n {
				if !r.has(uint64(i) << 50) {
					t.Fatalf("room %d: entry %d is lost", room, i)
				}
			}
		}
		if total > room || room > 2000 && total*4 < min(room, runs[0].lines*64) {
			t.Errorf("room %d: filters take %d", room, total)
		}
		x.o.CacheBytes = minCache // there is room again
		if err := x.fitFilters(runs, false); err != nil || runs[0].filter.Lines() != runs[0].lines {
			t.Errorf("room %d, and then plenty: %v, %d lines of %d", room, err, runs[0].filter.Lines(), runs[0].lines)
		}
	}
}

// However many requests fail under one id or have the id of one batch, there is one receipt of it in memory and one in each run: others
// would have to be passed by the next, and by whoever looks for what is beside them.
func TestOneReceiptForOneID(t *testing.T) {
	t.Parallel()
	c := newClock()
	x := openSmall(t, vfs.NewMem(), c)
	failed := make([]string, 100)
	for i := range failed {
		failed[i] = "alike"
	}
	const blocks = 1000
	for block := entity.Seq(1); block <= blocks; block++ {
		ch := Change{Project: "p", BatchID: "alike", Block: block, At: c.Now(), Failed: failed}
		ch.TTL, ch.IDs, ch.Seqs = time.Hour, []string{fmt.Sprint("new", block)}, []entity.Seq{block}
		if err := x.Apply([]Change{ch}, block); err != nil {
			t.Fatal(err)
		}
		if n := x.active.n - x.active.marks; n > 2 {
			t.Fatalf("after block %d: %d receipts in memory, want one of the batch and one of what failed", block, n)
		}
	}
	sweep(t, x, c)
	if err := x.Flush(); err != nil {
		t.Fatal(err)
	}
	runs := runsOf(x)
	for _, r := range runs {
		if n := r.entries - r.marks; n > 2 {
			t.Errorf("%d receipts in a run of %d entries", n, r.entries)
		}
	}
	if len(runs) == 0 || x.Stats().Entries != blocks {
		t.Errorf("%d runs, %+v", len(runs), x.Stats())
	}
	if at, known, err := x.FailedEvent("p", "alike"); at != blocks || !known || err != nil {
		t.Errorf("the receipt is of block %d (%t, %v), want the last", at, known, err)
	}
	if at, known, err := x.Batch("p", "alike"); at != blocks || !known || err != nil {
		t.Errorf("the batch is block %d (%t, %v), want the last", at, known, err)
	}
}

// Two indexes of one log hold the same, wherever their tables ended: which receipts of one id were passed by is no difference. One
// that lacks the last receipt lacks something.
func TestCompareReceipts(t *testing.T) {
	t.Parallel()
	c := newClock()
	fill := func(o Options, blocks entity.Seq) *Index {
		o.FS, o.Now = vfs.NewMem(), c.Now
		x := openWith(t, o)
		for block := entity.Seq(1); block <= blocks; block++ {
			ch := Change{Project: "p", BatchID: fmt.Sprint(block % 3), Block: block, At: c.Now(), Failed: []string{"alike", fmt.Sprint(block)}}
			if err := x.Apply([]Change{ch}, block); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Flush(); err != nil {
			t.Fatal(err)
		}
		return x
	}
	has := fill(Options{tableSlots: 30}, 100)
	for blocks, want := range map[entity.Seq][]Difference{
		100: nil,
		101: {{"failed event", 101, "is missing"}, {"failed event", 101, "is missing"}, {"batch", 101, "is missing"}},
	} {
		var found []Difference
		if err := has.Compare(fill(Options{Like: has}, blocks), 1, c.Now(), func(d Difference) bool { found = append(found, d); return true }); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(found, func(a, b Difference) int { return strings.Compare(b.Entry, a.Entry) })
		if !slices.Equal(found, want) {
			t.Errorf("up to block %d: %v, want %v", blocks, found, want)
		}
	}
}
