package idindex

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// faults lets operations of a file system fail while a test wants it.
type faults struct {
	mu   sync.Mutex
	fail func(op errorfs.Op) error
	met  int   // operations that failed
	last error // that one was failed with
}

func (f *faults) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *faults) MaybeError(op errorfs.Op) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		return nil
	}
	err := f.fail(op)
	if err != nil {
		f.met++
		f.last = err
	}
	return err
}

func (f *faults) String() string { return "faults" }

func (f *faults) set(fail func(op errorfs.Op) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

func (f *faults) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met
}

// on fails what changes files whose path holds part.
func on(part string, err error) func(errorfs.Op) error {
	return func(op errorfs.Op) error {
		if strings.Contains(op.Path, part) && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return err
		}
		return nil
	}
}

// within runs do and fails the test when it does not end.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	var done atomic.Bool
	go func() { defer done.Store(true); do() }()
	watch.Until(t, what+" ends", done.Load)
}

func change(i int, ids int) Change {
	c := Change{Project: "p", BatchID: fmt.Sprint("b", i), Block: entity.Seq(1 + i*ids), At: time.Now(), TTL: time.Hour}
	for j := range ids {
		c.IDs = append(c.IDs, fmt.Sprintf("id-%d-%d", i, j))
		c.Seqs = append(c.Seqs, c.Block+entity.Seq(j))
	}
	return c
}

// A disk that takes nothing: Close says so and ends, work is not tried again at once,
// and the next Open has what was written before.
func TestCloseEndsOnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, what := range []string{".run", manifestName} {
		for name, err := range map[string]error{"full": syscall.ENOSPC, "gone": syscall.ENOENT} {
			t.Run(what+" "+name, func(t *testing.T) {
				t.Parallel()
				testCloseOnAFullDisk(t, what, err)
			})
		}
	}
}

func testCloseOnAFullDisk(t *testing.T, what string, err error) {
	mem := vfs.NewMem()
	f, log := &faults{}, &watch.Output{}
	x, openErr := Open("idx", Options{FS: errorfs.Wrap(mem, f), Logger: slog.New(slog.NewTextHandler(log, nil))})
	if openErr != nil {
		t.Fatal(openErr)
	}
	if err := x.Apply([]Change{change(0, 3)}, 3); err != nil {
		t.Fatal(err)
	}
	if err := x.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := x.Apply([]Change{change(1, 3)}, 6); err != nil {
		t.Fatal(err)
	}
	f.set(on(what, err))
	if err := x.Flush(); !errors.Is(err, f.err()) || x.Stats().Fault == "" {
		t.Errorf("Flush on a disk that takes nothing: %v, fault %q", err, x.Stats().Fault)
	}
	within(t, "Close", func() {
		if err := x.Close(); err == nil || !strings.Contains(err.Error(), "id index") {
			t.Errorf("Close on a disk that takes nothing: %v", err)
		}
	})
	if n := f.count(); n > 20 {
		t.Errorf("%d operations were tried on the failing disk", n)
	}
	if n := strings.Count(log.String(), "\n"); n > 10 {
		t.Errorf("%d lines were logged", n)
	}
	f.set(nil)
	x, openErr = Open("idx", Options{FS: mem})
	if openErr != nil {
		t.Fatal(openErr)
	}
	if c := x.Cursor(); c != 3 {
		t.Errorf("the cursor is %d, written was 3", c)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

// While tables cannot be written, Apply refuses before it would wait for ever, failed work is repeated at growing
// intervals, and all goes on when the disk has room again.
func TestApplyRefusesInsteadOfWaiting(t *testing.T) {
	t.Parallel()
	for _, what := range []string{".run", manifestName} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			testApplyRefuses(t, what)
		})
	}
}

func testApplyRefuses(t *testing.T, what string) {
	f, log := &faults{}, &watch.Output{}
	x, err := Open("idx", Options{FS: errorfs.Wrap(vfs.NewMem(), f), CacheBytes: minCache, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	f.set(on(what, syscall.ENOSPC))
	applied, upto := 0, entity.Seq(0)
	within(t, "Apply", func() {
		for err == nil && applied < 1000 {
			upto = entity.Seq((applied + 1) * 1000)
			if err = x.Apply([]Change{change(applied, 1000)}, upto); err == nil {
				applied++
			}
		}
	})
	if !errors.Is(err, syscall.ENOSPC) || applied == 0 {
		t.Fatalf("%d changes were taken, error %v", applied, err)
	}
	if n := strings.Count(log.String(), "\n"); n > 30 {
		t.Errorf("%d lines were logged", n)
	}
	for i := range applied {
		out := make([]Entry, 1)
		if err := x.Seen("p", []string{fmt.Sprintf("id-%d-7", i)}, time.Now(), out); err != nil || out[0].Seq == 0 {
			t.Fatalf("while the disk is full, change %d: %v %v", i, out, err)
		}
	}
	f.set(nil)
	watch.Until(t, "the index takes changes again", func() bool { return x.Apply([]Change{change(applied, 1000)}, upto) == nil })
	if x.Stats().Fault != "" {
		t.Errorf("it goes on, and the fault is %q", x.Stats().Fault)
	}
	within(t, "Close", func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

// The plug is pulled before each operation on a file, with any part of what was not synced lost. The index then holds exactly
// the blocks up to its cursor, which is not behind what was flushed, and nothing is left lying about.
func TestCrashAtEveryOperation(t *testing.T) {
	t.Parallel()
	s := chance.Seed(t)
	r, c, m, ids := chance.From(s, 0), newClock(), newModel(), allIDs(20)
	mem := vfs.NewCrashableMem()
	type crash struct {
		op      string
		flushed entity.Seq // before it
		fs      *vfs.MemFS
	}
	var mu sync.Mutex // guards below
	var crashes []crash
	flushed := entity.Seq(0)
	f := &faults{}
	f.set(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		n := len(crashes)
		crashes = append(crashes, crash{
			fmt.Sprint(n, ": ", op.Kind, " ", op.Path), flushed,
			mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[n%3], RNG: chance.From(s, uint64(n)+1)}),
		})
		return nil
	})
	o := Options{FS: errorfs.Wrap(mem, f), Now: c.Now, Names: m.ledger.names, HashBits: 20, tableSlots: 40}
	x := openWith(t, o)
	var log []Change
	var ends []entity.Seq
	for i := range 220 {
		ch, end := m.change(r, c.Now(), 20)
		log, ends = append(log, ch), append(ends, end)
		m.apply(ch, end)
		if err := x.Apply([]Change{ch}, end); err != nil {
			t.Fatal(err)
		}
		switch {
		case i%20 == 19:
			if err := x.Flush(); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			flushed = end
			mu.Unlock()
		case i%31 == 0: // it merges what is due, and expired
			c.Advance(time.Duration(r.IntN(120)) * time.Second)
			if err := x.Sweep(c.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	merged := 0
	for _, crash := range crashes {
		x, err := Open("idx", Options{FS: crash.fs, Now: c.Now, Names: m.ledger.names, HashBits: 20, tableSlots: 40})
		if err != nil {
			t.Fatalf("%s: %v", crash.op, err)
		}
		n, found := slices.BinarySearch(ends, x.Cursor())
		if found {
			n++
		}
		if !found && x.Cursor() != 0 || x.Cursor() < crash.flushed {
			t.Errorf("%s: cursor %d, flushed was %d", crash.op, x.Cursor(), crash.flushed)
		}
		prefix := newModel()
		for i := range n {
			prefix.apply(log[i], ends[i])
		}
		prefix.check(t, x, c.Now(), ids)
		if err := x.Apply(log, ends[len(ends)-1]); err != nil {
			t.Fatal(err)
		}
		m.check(t, x, c.Now(), ids)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		want := []string{manifestName}
		for _, r := range runsOf(x) {
			want = append(want, runName(r.number))
			if r.entries > 60 { // no table takes so many
				merged++
			}
		}
		slices.Sort(want)
		if got := listing(t, crash.fs); !slices.Equal(got, want) {
			t.Errorf("%s: left are %v, want %v", crash.op, got, want)
		}
	}
	if len(crashes) < 100 || merged == 0 {
		t.Errorf("%d crashes, %d of merged runs: the test shows little", len(crashes), merged)
	}
}

// What fails while runs are merged changes no answer, is tried again, and leaves nothing.
func TestFailingMerge(t *testing.T) {
	t.Parallel()
	r, c, m, ids, mem, f := chance.Of(t), newClock(), newModel(), allIDs(20), vfs.NewMem(), &faults{}
	x := openWith(t, Options{FS: errorfs.Wrap(mem, f), Now: c.Now, tableSlots: 30})
	for range 300 {
		ch, end := m.change(r, c.Now(), 20)
		m.apply(ch, end)
		for x.Apply([]Change{ch}, end) != nil { // refused while the disk was full
			if x.Flush() != nil {
				f.set(nil)
			}
		}
		if r.IntN(10) == 0 {
			n := r.IntN(20)
			f.set(func(op errorfs.Op) error {
				if n--; n < 0 && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
					return syscall.ENOSPC
				}
				return nil
			})
		}
	}
	m.check(t, x, c.Now(), ids)
	f.set(nil)
	within(t, "Flush", func() {
		for x.Flush() != nil {
		}
	})
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = openWith(t, Options{FS: mem, Now: c.Now})
	m.check(t, x, c.Now(), ids)
	watch.Until(t, "nothing is left but the runs", func() bool { return len(listing(t, mem)) == len(runsOf(x))+1 }) // a merge may be at work
	if f.count() == 0 {
		t.Error("nothing failed: the test shows nothing")
	}
}

// A bit that turned over in a file is found by Open or by a look-up, which tells; and no answer before that is wrong. The Open
// after it finds an index that the Log fills again.
func TestDamage(t *testing.T) {
	t.Parallel()
	r, c, m, ids, mem := chance.Of(t), newClock(), newModel(), allIDs(20), vfs.NewCrashableMem()
	x := openWith(t, Options{FS: mem, Now: c.Now, tableSlots: 100})
	for range 60 {
		ch, end := m.change(r, c.Now(), 20)
		m.apply(ch, end)
		if err := x.Apply([]Change{ch}, end); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	late := 0
	for round := range chance.Rounds(60) {
		fs := mem.CrashClone(vfs.CrashCloneCfg{})
		names := listing(t, fs)
		name := fs.PathJoin("idx", names[r.IntN(len(names))])
		b, err := fs.UnsafeGetFileDataBuffer(name)
		if err != nil {
			t.Fatal(err)
		}
		b = slices.Clone(b)
		what := fmt.Sprint("a bit of ", name)
		if at := r.IntN(len(b)); round%4 == 0 {
			b, what = b[:at], fmt.Sprint("a cut of ", name)
		} else {
			b[at] ^= 1 << r.IntN(8)
		}
		if err := durable.ReplaceIn(fs, name, b); err != nil {
			t.Fatal(err)
		}
		x, err := Open("idx", Options{FS: fs, Now: c.Now})
		if err != nil {
			continue
		}
		var found error
		for _, p := range ids {
			e, _, err := x.Event(p.project, p.id)
			if err != nil {
				found = err
			} else if want := m.marks[p]; want.live(c.Now()) != (e.Seq != 0) || e.Seq != 0 && e.Seq != want.seq {
				t.Fatalf("%s: %v is %v, want %v", what, p, e, want)
			}
		}
		for p := range m.batches {
			_, _, err := x.Batch(p.project, p.id)
			found = cmp.Or(found, err)
		}
		for _, p := range ids {
			_, _, err := x.FailedEvent(p.project, p.id)
			_, _, err2 := x.Job(p.project, "job_"+p.id)
			found = cmp.Or(found, err, err2)
		}
		select {
		case <-x.Damaged():
		default:
			if found != nil {
				t.Errorf("%s: %v, but it does not tell of damage", what, found)
			} else {
				m.check(t, x, c.Now(), ids)
			}
		}
		_ = x.Close() // what is damaged cannot be written down
		if found == nil {
			continue
		}
		late++
		if x, err = Open("idx", Options{FS: fs, Now: c.Now}); err != nil || x.Cursor() != 0 {
			t.Fatalf("%s: the Open after it: %v", what, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	if late == 0 {
		t.Error("no look-up found a damage: the test shows little")
	}
}
