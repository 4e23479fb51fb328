package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// disk is a file system whose operations a test can count and let fail.
type disk struct {
	vfs.FS
	mu     sync.Mutex                // guards fail
	fail   func(op errorfs.Op) error // nil: nothing fails
	fsyncs atomic.Int64              // of segment files
}

func newDisk(under vfs.FS) *disk {
	d := &disk{}
	d.FS = errorfs.Wrap(under, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if strings.HasSuffix(op.Path, segmentExt) && (op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSync) {
			d.fsyncs.Add(1)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.fail == nil {
			return nil
		}
		return d.fail(op)
	}))
	return d
}

func (d *disk) failing(f func(op errorfs.Op) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = f
}

// A write, a sync, a new file or a directory sync that fails: the request gets
// store.ErrUnavailable, and the same request is taken when the disk works again.
func TestWriteFaults(t *testing.T) {
	t.Parallel()
	onSegment := func(err error, kinds ...errorfs.OpKind) func(errorfs.Op) error {
		return func(op errorfs.Op) error {
			for _, k := range kinds {
				if op.Kind == k && (strings.HasSuffix(op.Path, segmentExt) || op.Kind == errorfs.OpOpenDir) {
					return err
				}
			}
			return nil
		}
	}
	for name, fail := range map[string]func(errorfs.Op) error{
		"ENOSPC on write":                  onSegment(syscall.ENOSPC, errorfs.OpFileWrite),
		"EIO on sync":                      onSegment(syscall.EIO, errorfs.OpFileSyncData, errorfs.OpFileSync),
		"ENOSPC on all":                    onSegment(syscall.ENOSPC, errorfs.OpFileWrite, errorfs.OpFileSyncData, errorfs.OpCreate),
		"EIO on sync and on the directory": onSegment(syscall.EIO, errorfs.OpFileSyncData, errorfs.OpOpenDir),
	} {
		for _, warm := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s after %d", name, warm), func(t *testing.T) {
				t.Parallel()
				testWriteFault(t, fail, warm)
			})
		}
	}
}

func testWriteFault(t *testing.T, fail func(errorfs.Op) error, warm int) {
	ctx := context.Background()
	mem := vfs.NewCrashableMem()
	d := newDisk(mem)
	l := openTest(t, d, "log", Options{})
	for i := range warm {
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("warm", i), 3, 100)); err != nil {
			t.Fatal(err)
		}
	}
	head := l.Head()
	d.failing(fail)
	b := testBatch("x", 20, 300)
	for range 3 {
		if out, err := l.Append(ctx, b); !errors.Is(err, store.ErrUnavailable) || out != nil {
			t.Fatalf("on a failing disk: %v, %v", out, err)
		}
	}
	if st := l.Stats(); st.Fault == "" || st.Head != head || st.Stored != int64(3*warm) {
		t.Errorf("stats %+v", st)
	}
	if recs, err := storetest.ReadAll(l); err != nil || len(recs) != 3*warm {
		t.Errorf("%d records visible: %v", len(recs), err)
	}
	d.failing(nil)
	// Another batch gets the Seqs that the failed one would have had.
	if out, err := l.Append(ctx, testBatch("y", 20, 300)); err != nil || out[0] != store.Stored {
		t.Fatalf("disk works again: %v, %v", out, err)
	}
	check := func(l *Log) {
		t.Helper()
		recs, err := storetest.ReadAll(l)
		if err != nil || len(recs) != 3*warm+20 || recs[3*warm].Event.ID != "y-0" {
			t.Fatalf("%d records: %v", len(recs), err)
		}
	}
	check(l)
	// What the failed writes left in the files is not read after a crash either,
	// even when all of it reached the disk.
	for _, percent := range []int{0, 100} {
		l := openTest(t, mem.CrashClone(crashConfig(percent, chance.Seed(t))), "log", Options{})
		check(l)
		if out, err := l.Append(ctx, b); err != nil || out[0] != store.Stored || out[19] != store.Stored {
			t.Fatalf("the failed batch after a crash: %v, %v", out, err)
		}
	}
	out, err := l.Append(ctx, b)
	if err != nil || out[0] != store.Stored || out[19] != store.Stored {
		t.Fatalf("disk works again: %v, %v", out, err)
	}
	if st := l.Stats(); st.Fault != "" {
		t.Errorf("still faulty: %s", st.Fault)
	}
}

// An index that refuses a write after the log took it: the answer stands, and
// nothing is decided until the index has caught up.
func TestIndexFault(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := openTest(t, vfs.NewMem(), "log", Options{})
	a := testBatch("a", 5, 100)
	if _, err := l.Append(ctx, a); err != nil {
		t.Fatal(err)
	}
	// The committer is between groups; what it owes is its own, so hand it a
	// debt that the index will refuse, in a group of its own.
	c := &committer{Log: l, next: l.head + 1, fresh: map[idKey]struct{}{}}
	r := l.newRequest(kindEvents)
	if err := l.prepare(r, testBatch("b", 5, 100)); err != nil {
		t.Fatal(err)
	}
	c.owed, c.owedUpto = badChange(), l.head+1
	c.group = []*request{r}
	c.commit()
	if !errors.Is(r.err, store.ErrUnavailable) || r.outcomes != nil {
		t.Fatalf("decided with an index behind the log: %v", r.err)
	}
	if st := l.Stats(); !strings.Contains(st.Fault, "id index") {
		t.Errorf("fault %q", st.Fault)
	}
	if l.Head() != 5 {
		t.Errorf("head %d", l.Head())
	}
}

// 1000 events of 1 KB are one fsync, and requests that wait share one.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDisk(vfs.NewMem())
	l := openTest(t, d, "log", Options{})
	if _, err := l.Append(ctx, testBatch("first", 1000, 1000)); err != nil {
		t.Fatal(err)
	}
	if n := d.fsyncs.Load(); n != 1 {
		t.Errorf("%d fsyncs for the first batch and its segment", n)
	}
	if _, err := l.Append(ctx, testBatch("second", 1000, 1000)); err != nil {
		t.Fatal(err)
	}
	if n := d.fsyncs.Load(); n != 2 || l.Stats().Fsyncs != n {
		t.Errorf("%d fsyncs after two batches, stats say %d", n, l.Stats().Fsyncs)
	}
	// One sync is held up until all others wait in the queue: they share the next.
	const others = 50
	syncing, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	d.failing(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData {
			once.Do(func() { close(syncing); <-release })
		}
		return nil
	})
	var wg sync.WaitGroup
	send := func(name string) {
		wg.Go(func() {
			if _, err := l.Append(ctx, testBatch(name, 10, 100)); err != nil {
				t.Error(err)
			}
		})
	}
	send("held up")
	<-syncing
	for i := range others {
		send(fmt.Sprint("s", i))
	}
	watch.Until(t, "all others wait in the queue", func() bool { return len(l.queue) == others })
	close(release)
	wg.Wait()
	if n := d.fsyncs.Load(); n != 2+2 {
		t.Errorf("%d requests took %d fsyncs", 1+others, n-2)
	}
}

// A second Log may not open the directory while the first has it.
func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openTest(t, nil, dir, Options{})
	if second, err := Open(dir, Options{}); err == nil {
		t.Error("opened twice", second.Close())
	}
	if _, err := l.Append(context.Background(), testBatch("a", 1, 10)); err != nil {
		t.Error(err)
	}
}
