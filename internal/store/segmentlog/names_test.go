package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// stored appends and says how many were stored.
func stored(t *testing.T, l *Log, b *store.Batch) (n int) {
	t.Helper()
	out, err := l.Append(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		if o == store.Stored {
			n++
		}
	}
	return n
}

// With five bits of hash all ids meet others. What is new is stored all the same, what is not is a duplicate, and each receipt is
// that of its own id: fresh, after packing, after erasure, and from the disk.
func TestIDsOfOneHash(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	o := Options{SegmentBytes: 16 << 10, indexHashBits: 5}
	const batches, k = 40, 5
	batch := func(i int) *store.Batch {
		b := testBatch(fmt.Sprint("b", i), k, 100)
		b.Project = fmt.Sprint("p", i%3)
		b.Failed = []wire.BatchEventError{{EventID: fmt.Sprint("failed-", i), Message: fmt.Sprint("why ", i), Code: "x"}}
		return b
	}
	check := func(l *Log, when string) {
		t.Helper()
		for i := range batches {
			b := batch(i)
			if n := stored(t, l, b); n != 0 {
				t.Fatalf("%s: %d of batch %d are stored again", when, n, i)
			}
			if r, err := l.EventReceipt(t.Context(), b.Project, b.Events[3].ID); err != nil || r.BatchID != b.ID || r.Status != "stored" {
				t.Errorf("%s: receipt of an event of batch %d: %+v %v", when, i, r, err)
			}
			if r, err := l.EventReceipt(t.Context(), b.Project, b.Failed[0].EventID); err != nil || *r.Error != b.Failed[0] {
				t.Errorf("%s: receipt of the failed event of batch %d: %+v %v", when, i, r, err)
			}
			if r, err := l.BatchReceipt(t.Context(), b.Project, b.ID); err != nil || r.BatchID != b.ID || r.Result.DuplicateEvents != k {
				t.Errorf("%s: receipt of batch %d: %+v %v", when, i, r, err)
			}
		}
		for _, id := range []string{"no such id", "b0-0x"} {
			if r, err := l.EventReceipt(t.Context(), "p0", id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: receipt of an unknown event: %+v %v", when, r, err)
			}
		}
	}
	l := openTest(t, mem, "log", o)
	for i := range batches {
		if n := stored(t, l, batch(i)); n != k {
			t.Fatalf("%d of %d of batch %d are stored", n, k, i)
		}
	}
	check(l, "fresh")
	packAll(t, l)
	check(l, "packed")
	recs, err := storetest.ReadAll(l)
	if err != nil || len(recs) != batches*k {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	var erased []entity.Seq
	for i, r := range recs {
		if i%5 == 0 {
			erased = append(erased, r.Seq)
		}
	}
	if err := l.Erase(t.Context(), erased); err != nil {
		t.Fatal(err)
	}
	check(l, "erased from")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	check(openTest(t, mem, "log", o), "opened again")
}

// A mark of an event that the Log has lost does not keep its retry out.
func TestLostEventIsNoDuplicate(t *testing.T) {
	t.Parallel()
	o := Options{SegmentBytes: 4 << 10}
	mem := written(t, o, 30, 3)
	files := segmentFiles(t, mem)
	slices.Sort(files)
	b := readFile(t, mem, files[1])
	b[headerLen+70] ^= 1 // in the meta section of its first block
	writeFile(t, mem, files[1], b, true)
	l := openTest(t, mem, "log", o)
	recs, err := storetest.ReadAll(l)
	if err != nil || len(recs) == 90 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	held := map[string]bool{}
	for _, r := range recs {
		held[r.Event.ID] = true
	}
	for i := range 30 {
		batch := testBatch(fmt.Sprint("b", i), 3, 150)
		want := 0
		for _, e := range batch.Events {
			if !held[e.ID] {
				want++
			}
		}
		if n := stored(t, l, batch); n != want {
			t.Errorf("batch %d: %d stored, %d were lost", i, n, want)
		}
	}
}

// A block whose ids are more than what is kept of blocks for look-ups: each of its ids is a duplicate when it comes again, and so is what
// comes beside it.
func TestBlockOfManyLongIDs(t *testing.T) {
	t.Parallel()
	l, err := Open("log", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	const many = 64 << 10
	large := testBatch("large", 0, 0)
	for i := range many {
		large.Events = append(large.Events, wire.Event{ID: fmt.Sprintf("%0100d", i), Type: wire.EventCreate, Payload: []byte("{}")})
	}
	small := testBatch("small", 3, 100)
	var done atomic.Bool
	go func() {
		defer done.Store(true)
		for again, want := range []int{many + 3, 0, 0} {
			if n := stored(t, l, large) + stored(t, l, small); n != want {
				t.Errorf("%d events are stored at time %d, want %d", n, again, want)
			}
		}
	}()
	watch.Until(t, "the committer decides all requests", done.Load)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// The index that a release before this one left is built anew, whatever interrupts that, and its files go when the new
// ones are on the disk.
func TestIndexOfEarlierRelease(t *testing.T) {
	t.Parallel()
	s := chance.Seed(t)
	const batches, k = 20, 50
	mem := written(t, Options{SegmentBytes: 64 << 10}, batches, k)
	if err := mem.RemoveAll("log/index"); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open("log/index", &pebble.Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte{1, 1}, []byte{9}, pebble.Sync), db.Flush(), db.Close()); err != nil {
		t.Fatal(err)
	}
	old, err := mem.List("log/index")
	if err != nil || len(old) < 3 {
		t.Fatal(old, err)
	}
	var mu sync.Mutex // guards clones
	var clones []*vfs.MemFS
	watched := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			mu.Lock()
			defer mu.Unlock()
			n := len(clones)
			clones = append(clones, mem.CrashClone(crashConfig([]int{0, 50, 100}[n%3], s+uint64(n))))
		}
		return nil
	}))
	check := func(fs vfs.FS, what string) {
		t.Helper()
		l := openTest(t, fs, "log", Options{})
		names, err := fs.List("log/index")
		if err != nil || slices.ContainsFunc(names, func(n string) bool { return n != "manifest" && !strings.HasSuffix(n, ".run") }) {
			t.Errorf("%s: in the index are %v, %v", what, names, err)
		}
		for i := range batches {
			if n := stored(t, l, testBatch(fmt.Sprint("b", i), k, 150)); n != 0 {
				t.Fatalf("%s: %d of batch %d are stored again", what, n, i)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	check(watched, "the first start")
	for i, fs := range clones {
		check(fs, fmt.Sprint("after crash ", i))
	}
	if len(clones) < 10 {
		t.Errorf("%d crashes: the test shows little", len(clones))
	}
}

// BenchmarkNames asks for the ids of one batch of 100 after the other, as retries do, and for one id here and there of a packed
// log. One op is one id.
func BenchmarkNames(b *testing.B) {
	l := openTest(b, nil, b.TempDir(), Options{})
	const batches, k = 2000, 100
	for i := range batches {
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), k, 600)); err != nil {
			b.Fatal(err)
		}
	}
	ask := func(at func(i int) int) func(b *testing.B) {
		return func(b *testing.B) {
			for i := range b.N {
				n := at(i) % (batches * k)
				if ok, err := l.names(0, entity.Seq(n+1), "p1", fmt.Sprintf("b%d-%d", n/k, n%k)); !ok || err != nil {
					b.Fatal(n, ok, err)
				}
			}
		}
	}
	b.Run("retries", ask(func(i int) int { return i }))
	b.Run("anywhere", ask(func(i int) int { return i * 7919 }))
	packAll(b, l)
	b.Run("packed,retries", ask(func(i int) int { return i }))
	b.Run("packed,anywhere", ask(func(i int) int { return i * 7919 }))
}
