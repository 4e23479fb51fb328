package segmentlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// eager packs everything as soon as it is there, in small blocks.
var eager = Options{SegmentBytes: 16 << 10, IdleAfter: time.Nanosecond, packBytes: 2 << 10}

// running is a Log whose background work goes on beside what is done with it.
type running struct {
	*Log
	stop context.CancelFunc
	done chan error
}

func (r *running) Close() error {
	r.stop()
	return errors.Join(<-r.done, r.Log.Close())
}

func runningOpener(o Options) storetest.OpenLog {
	return func(fs vfs.FS, now func() time.Time) (storetest.FullLog, error) {
		l, err := opener(o)(fs, now)
		if err != nil {
			return nil, err
		}
		r := &running{Log: l.(*Log), done: make(chan error, 1)}
		var ctx context.Context
		ctx, r.stop = context.WithCancel(context.Background())
		go func() { r.done <- r.Run(ctx) }()
		return r, nil
	}
}

// packStep packs a block or so, as the background does.
func packStep(t testing.TB, l *Log) {
	t.Helper()
	if _, err := l.packSome(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// packUpToHead packs all of the segment that is appended to.
func packUpToHead(t testing.TB, l *Log) {
	t.Helper()
	for n := 0; l.making == nil || l.making.after < l.Head(); n++ {
		if packStep(t, l); n > 10_000 {
			t.Fatal("nothing is packed")
		}
	}
}

// mixed is a batch of everything that a batch can be: events of several kinds, some again, failed ones, notes, none at all.
func mixed(t testing.TB, rng *rand.Rand, n int) *store.Batch {
	b := testBatch(fmt.Sprintf("m%d", n), rng.IntN(8), 50+rng.IntN(300))
	b.Project = fmt.Sprint("p", 1+rng.IntN(2))
	b.ReceivedAt = time.UnixMicro(int64(1_700_000_000_000_000 + n))
	for i := range b.Events {
		e := &b.Events[i]
		e.Timestamp = wire.At(b.ReceivedAt)
		if rng.IntN(4) == 0 && n > 0 {
			e.ID = fmt.Sprintf("m%d-%d", rng.IntN(n), rng.IntN(8)) // perhaps again
		}
		if rng.IntN(3) == 0 {
			e.Type = wire.ObservationCreate
			e.Payload = fmt.Appendf(nil, `{"id":"o%d","trace_id":"t%d","type":"llm","name":"call","user_id":"u%d","attributes":{"k":"v%d"},"input":"%s"}`, n, n/3, n%5, n, text(300, n))
		}
		fields, failure := extract.Extract(e)
		if failure != nil {
			t.Fatal(failure)
		}
		b.Rows = append(b.Rows, fields.AppendRow(nil))
	}
	if rng.IntN(5) == 0 {
		b.Failed = []wire.BatchEventError{{EventID: fmt.Sprint("bad", n), Message: "no", Code: "c"}}
	}
	if len(b.Events) > 0 && rng.IntN(5) == 0 {
		b.Notes = []wire.EventNote{{EventID: b.Events[0].ID, Note: "read otherwise"}}
	}
	return b
}

// What is packed from memory, as it comes, is what is packed from the file: blocks, receipts, filters.
func TestMakingFromMemoryAndFile(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	packed := func(tail int64) (dump string, filters [][]byte) {
		rng := chance.From(seed, 0)
		mem := vfs.NewMem()
		now := time.UnixMicro(1_700_000_001_000_000)
		l := openTest(t, mem, "log", Options{packBytes: 2 << 10, SegmentBytes: 64 << 10, TailBytes: tail, Now: func() time.Time { return now }})
		for n := range 120 {
			if n%9 == 0 {
				if err := l.AddJob(context.Background(), store.Job{ID: fmt.Sprint("j", n), Project: "p1", ReceivedAt: now, Body: []byte(`{"n":` + text(50, n) + `}`)}); err != nil {
					t.Fatal(err)
				}
			}
			b := mixed(t, rng, n)
			if n%9 == 0 && n%18 == 0 {
				b.Job = fmt.Sprint("j", n)
			}
			if _, err := l.Append(context.Background(), b); err != nil {
				t.Fatal(err)
			}
			if tail > 1 {
				packStep(t, l)
			}
		}
		sealNow(t, l)
		for more := true; more; {
			var err error
			if more, err = l.packSome(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range segmentFiles(t, mem) {
			filters = append(filters, readFile(t, mem, filterPath(path)))
		}
		return dumpAll(t, mem), filters
	}
	plain := func(dump string) string { // without what is chance
		var out []string
		for line := range strings.Lines(dump) {
			if !strings.HasPrefix(line, "segment ") {
				out = append(out, line)
			}
		}
		return strings.Join(out, "")
	}
	memory, filters := packed(1 << 30)
	file, same := packed(1)
	if plain(memory) != plain(file) || !strings.Contains(memory, "packed=true") {
		for a, b := strings.Split(plain(memory), "\n"), strings.Split(plain(file), "\n"); len(a) > 0 && len(b) > 0; a, b = a[1:], b[1:] {
			if a[0] != b[0] {
				t.Fatalf("packed from memory:\n%s\nfrom the file:\n%s", a[0], b[0])
			}
		}
		t.Fatal("one is longer than the other")
	}
	for i := range filters {
		if a, b := filters[i][headerLen:], same[i][headerLen:]; !bytes.Equal(a, b) { // the header has the salt
			t.Errorf("the filters of segment %d differ", i)
		}
	}
}

// A crash at any write of appending, packing and sealing loses nothing that was acknowledged, doubles nothing, and
// leaves nothing that the next start does not put right.
func TestCrashWhilePacking(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	for n, step := 1, chance.From(seed, 1); ; n += 1 + step.IntN(4) {
		if !crashWhilePacking(t, seed, n) {
			t.Logf("%d crash points at the most", n)
			return
		}
	}
}

func crashWhilePacking(t *testing.T, seed uint64, point int) (reached bool) {
	n := point
	ctx := context.Background()
	rng := chance.From(seed, uint64(point))
	mem := vfs.NewCrashableMem()
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng}
	var mu sync.Mutex // guards all here
	acked, tried, atCrash := map[string]string{}, map[string]string{}, map[string]string{}
	var clone *vfs.MemFS
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			if n--; n == 0 {
				clone = mem.CrashClone(cfg)
				for id, p := range acked {
					atCrash[id] = p
				}
			}
		}
		return nil
	}))
	l, err := Open("log", Options{FS: fs, SegmentBytes: 8 << 10, packBytes: 1 << 10, IdleAfter: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		b := mixed(t, chance.From(seed, 1000+uint64(i)), i)
		mu.Lock()
		for _, e := range b.Events {
			if _, had := tried[b.Project+e.ID]; !had {
				tried[b.Project+e.ID] = string(e.Payload)
			}
		}
		mu.Unlock()
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		for _, e := range b.Events {
			acked[b.Project+e.ID] = tried[b.Project+e.ID]
		}
		mu.Unlock()
		packStep(t, l)
		switch {
		case i == 15:
			err = l.Erase(ctx, []entity.Seq{l.Head() + 1000}) // seals, and finds nothing
		case i%10 == 9:
			err = l.tidy(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(l.tidy(ctx), l.Close()); err != nil {
		t.Fatal(err)
	}
	if reached = clone != nil; !reached {
		clone, atCrash = mem.CrashClone(cfg), acked
	}
	check := func(when string, l *Log) {
		t.Helper()
		seen := map[string]bool{}
		for _, r := range records(t, l) {
			key := r.Project + r.Event.ID
			if seen[key] {
				t.Errorf("%s: event %s is there twice", when, key)
			}
			seen[key] = true
			if string(r.Event.Payload) != tried[key] {
				t.Errorf("%s: event %s is %.40q", when, key, r.Event.Payload)
			}
		}
		for key := range atCrash {
			if !seen[key] {
				t.Errorf("%s: event %s was acknowledged and is lost", when, key)
			}
		}
	}
	l = openTest(t, clone, "log", Options{SegmentBytes: 8 << 10, packBytes: 1 << 10, IdleAfter: time.Nanosecond})
	check("after the crash", l)
	if st := l.Stats(); st.CorruptBlocks != 0 {
		t.Errorf("%+v", st)
	}
	if err := l.tidy(ctx); err != nil {
		t.Fatal(err)
	}
	check("packed after the crash", l)
	report, err := Check(ctx, "log", CheckOptions{FS: clone, Filters: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings { // of a file without a whole block, whose name the next write takes, there may be one
		base, _ := parseSegmentName(f.File)
		if f.Filter || slices.ContainsFunc(l.segs, func(s *segment) bool { return s.base == base }) {
			t.Errorf("%+v", f)
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d, crash point %d", seed, point)
	}
	return reached
}

// Nothing that was erased is left in what is in the making, nor comes back with it: whether it was taken from memory or from the file, and
// when the file cannot be read any more.
func TestEraseInTheMaking(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, c := range []struct {
		name    string
		tail    int64
		damaged bool
	}{{"memory", 1 << 20, false}, {"file", 1, false}, {"memory, and the file is damaged", 1 << 20, true}} {
		mem := vfs.NewMem()
		l := openTest(t, mem, "log", Options{packBytes: 2 << 10, SegmentBytes: 256 << 10, TailBytes: c.tail})
		for i := range 400 {
			b := testBatch(fmt.Sprint("b", i), 3, 200)
			if i == 200 {
				b.Events[1].Payload = []byte(`{"name":"unforgettable","input":"x"}`)
			}
			if _, err := l.Append(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		packUpToHead(t, l)
		secret := []entity.Seq{602}
		if c.damaged {
			path := segmentFiles(t, mem)[0]
			raw := readFile(t, mem, path)
			sc := newScanner(bytes.NewReader(raw), int64(len(raw)), scanAhead)
			for h, off := range sc.blocks() {
				if h.holds(secret[0]) {
					raw[off+h.size()-1] ^= 1
				}
			}
			writeFile(t, mem, path, raw, false)
		}
		if err := l.Erase(ctx, secret); err != nil {
			t.Fatal(err)
		}
		gone := func(when string) {
			t.Helper()
			if names, err := mem.List("log"); err != nil || slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, tempExt) }) {
				t.Errorf("%s, %s: files %v, %v", c.name, when, names, err)
			}
			if strings.Contains(dumpAll(t, mem), "unforgettable") {
				t.Errorf("%s, %s: it is in a file", c.name, when)
			}
			if got, err := l.Get(ctx, secret); err != nil || len(got) > 0 {
				t.Errorf("%s, %s: get %v, %v", c.name, when, got, err)
			}
			if found := found(t, l, "p1", "unforgettable"); len(found) > 0 {
				t.Errorf("%s, %s: it is found", c.name, when)
			}
		}
		gone("erased")
		packAll(t, l)
		gone("packed")
		if n := len(records(t, l)); n != 1199 {
			t.Errorf("%s: %d events", c.name, n)
		}
	}
}

// After an erasure the file has a block in another form than the memory: what is packed then, half from here and half
// from there, is all of the rest.
func TestMakingAfterErase(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for seed, n := chance.Seed(t), 0; n < 12; n++ {
		rng := chance.From(seed, uint64(n))
		mem := vfs.NewMem()
		l := openTest(t, mem, "log", Options{packBytes: 1 << 10, SegmentBytes: 24 << 10, TailBytes: 4 << 10 << rng.IntN(6)})
		gone := map[entity.Seq]bool{}
		stored := 0
		for i := range 80 {
			if rng.IntN(4) == 0 {
				if err := l.AddJob(ctx, store.Job{ID: fmt.Sprint("j", i), Project: "p1", ReceivedAt: time.Now(), Body: []byte(`{"a":"b"}`)}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 5, 200)); err != nil {
				t.Fatal(err)
			}
			stored += 5
			if rng.IntN(3) == 0 {
				packStep(t, l)
			}
			if rng.IntN(12) == 0 {
				recs := records(t, l)
				seq := recs[len(recs)-1-rng.IntN(min(len(recs), 20))].Seq
				if err := l.Erase(ctx, []entity.Seq{seq}); err != nil {
					t.Fatal(err)
				}
				gone[seq] = true
			}
		}
		sealNow(t, l)
		packAll(t, l)
		if got := records(t, l); len(got) != stored-len(gone) || l.packNext() != nil || l.Stats().CorruptBlocks != 0 {
			t.Errorf("%d of %d events, %+v", len(got), stored-len(gone), l.Stats())
		}
		report, err := Check(ctx, "log", CheckOptions{FS: mem, Filters: true})
		if err != nil || len(report.Findings) > 0 || report.Events != stored-len(gone) {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

// A disk that fails at any operation on the file in the making: nothing is lost, what was begun goes away, appends go on, and packing
// succeeds when the disk works again.
func TestMakingFaults(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for at := 1; ; at++ {
		mem := vfs.NewMem()
		d := newDisk(mem)
		l := openTest(t, d, "log", Options{packBytes: 2 << 10, SegmentBytes: 32 << 10})
		left := at
		d.failing(func(op errorfs.Op) error {
			if strings.HasSuffix(op.Path, tempExt) && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpRemove && !strings.Contains(op.Path, listFile) && !strings.Contains(op.Path, "index") {
				if left--; left == 0 {
					return syscall.ENOSPC
				}
			}
			return nil
		})
		failed := 0
		for i := range 120 {
			if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 3, 300)); err != nil {
				t.Fatal(err)
			}
			if _, err := l.packSome(ctx); err != nil {
				if failed++; !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				if names, err := mem.List("log"); err != nil || slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, tempExt) }) {
					t.Fatalf("operation %d: files %v, %v", at, names, err)
				}
			}
		}
		sealNow(t, l)
		if err := l.tidy(ctx); err != nil {
			if failed++; !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			runTidy(t, l)
		}
		if n := len(records(t, l)); n != 360 || l.packNext() != nil || len(found(t, l, "p1", "call")) != 360 {
			t.Fatalf("operation %d: %d events, all packed %t", at, n, l.packNext() == nil)
		}
		if failed == 0 {
			t.Logf("%d operations", at-1)
			return
		}
	}
}

// The request of a job that was pending when the packer came by is in the packed segment as long as it is pending, and a
// segment that would be full of the requests of finished ones is made without.
func TestMakingJobs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, done := range []int{0, 1, 20} {
		mem := vfs.NewMem()
		l := openTest(t, mem, "log", Options{packBytes: 1 << 10, SegmentBytes: 1 << 20})
		for i := range 20 {
			if err := l.AddJob(ctx, store.Job{ID: fmt.Sprint("j", i), Project: "p1", ReceivedAt: time.Now(), Body: []byte(`{"request":"` + text(4000, i*977) + `"}`)}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 1500 {
			if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 3, 200)); err != nil {
				t.Fatal(err)
			}
		}
		packUpToHead(t, l)
		for i := range done {
			b := testBatch(fmt.Sprint("of job", i), 1, 100)
			b.Job = fmt.Sprint("j", i)
			if _, err := l.Append(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		sealNow(t, l)
		packAll(t, l)
		requests := strings.Count(dumpAll(t, mem), "kind=job-request")
		if jobs, err := l.PendingJobs(ctx); err != nil || len(jobs) != 20-done || requests < len(jobs) || done == 20 && requests != 0 {
			t.Errorf("%d jobs done: %d pending, %d requests in the file, %v", done, len(jobs), requests, err)
		}
		if st := l.segs[0]; !st.packed || int(st.jobs) != requests {
			t.Errorf("packed %t, the header says %d requests of %d", st.packed, st.jobs, requests)
		}
		if n := len(records(t, l)); n != 4500+done {
			t.Errorf("%d events", n)
		}
	}
}

// Close in the middle leaves no file in the making behind, and everything in its place.
func TestCloseInTheMaking(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mem := vfs.NewMem()
	l, err := Open("log", Options{FS: mem, packBytes: 1 << 10, SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 3, 400)); err != nil {
			t.Fatal(err)
		}
	}
	packStep(t, l)
	temps := func() (n int) {
		names, err := mem.List("log")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, tempExt) {
				n++
			}
		}
		return n
	}
	if temps() != 1 {
		t.Fatal("nothing is in the making")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if temps() != 0 {
		t.Error("what was in the making is left")
	}
	if _, err := l.packSome(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("packing after Close: %v", err)
	}
	l = openTest(t, mem, "log", Options{})
	if n := len(records(t, l)); n != 180 {
		t.Errorf("%d events", n)
	}
}

// Bursts with rests between them make few segments, and an event is written again only as often as its segment doubles.
func TestFewSegments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	written := int64(0)
	d := newDisk(vfs.NewMem())
	l := openTest(t, d, "log", Options{IdleAfter: time.Nanosecond})
	const bursts = 24
	for i := range bursts {
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 2000, 400)); err != nil {
			t.Fatal(err)
		}
		before := l.Stats().RecompressedSegs
		runTidy(t, l)
		written += l.Stats().RecompressedSegs - before
	}
	if n := l.Stats().Segments; n > 8 {
		t.Errorf("%d segments of %d bursts", n, bursts)
	}
	if most := int64(bursts * 6); written > most {
		t.Errorf("%d segments were written again, more than %d", written, most)
	}
	if n := len(records(t, l)); n != bursts*2000 {
		t.Errorf("%d events", n)
	}
}

// Small segments, as erasures leave them, are made one though events keep coming.
func TestFewSegmentsWhenBusy(t *testing.T) {
	t.Parallel()
	l := openTest(t, vfs.NewMem(), "log", Options{IdleAfter: time.Hour})
	for i := range 100 {
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), 3, 400)); err != nil {
			t.Fatal(err)
		}
		sealNow(t, l)
		runTidy(t, l)
	}
	if n := l.Stats().Segments; n > 2*mergeBusy {
		t.Errorf("%d segments", n)
	}
	if n := len(records(t, l)); n != 300 {
		t.Errorf("%d events", n)
	}
}

// Retention that comes between takes the expired events out of the segment whose packed form is in the making; with
// retention, what was taken from memory is left as it is for those who read it.
func TestExpireInTheMaking(t *testing.T) {
	t.Parallel()
	for _, tail := range []int64{1, 1 << 20} {
		a := &aging{T: t, fs: vfs.NewMem(), clock: clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
		a.Log = openTest(t, a.fs, "log", Options{SegmentBytes: 64 << 10, packBytes: 1 << 10, TailBytes: tail, Now: a.clock.Now})
		a.Hide(store.Cutoffs{Now: a.clock.Now(), Retention: store.Retention{Default: time.Hour}})
		for i := range 60 {
			a.store(3, time.Duration(i%2)*50*time.Minute)
		}
		for range 5 {
			packStep(t, a.Log)
		}
		if a.making == nil {
			t.Fatal("nothing is in the making")
		}
		a.later(30 * time.Minute) // half of all has expired
		a.pass(a.Head())
		sealNow(t, a.Log)
		packAll(t, a.Log)
		for _, r := range records(t, a.Log) {
			if a.clock.Now().Sub(r.Event.Timestamp.Time) >= time.Hour || r.Event.ID == "" {
				t.Errorf("event %d %q of %s is there", r.Seq, r.Event.ID, r.Event.Timestamp)
			}
		}
		report, err := Check(context.Background(), "log", CheckOptions{FS: a.fs, Filters: true})
		if err != nil || len(report.Findings) > 0 || report.Events != 90 || a.Removed("p1").Aged != 90 || a.packNext() != nil {
			t.Errorf("tail %d: %+v, %v, removed %+v", tail, report, err, a.Removed("p1"))
		}
		if n := len(records(t, a.Log)); n != 90 {
			t.Errorf("tail %d: %d events", tail, n)
		}
	}
}

// Packing takes out what is hidden by then, and leaves the blocks in memory to those who read them.
func TestPackingTakesOutExpired(t *testing.T) {
	t.Parallel()
	a := &aging{T: t, fs: vfs.NewMem(), clock: clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	a.Log = openTest(t, a.fs, "log", Options{SegmentBytes: 1 << 20, packBytes: 1 << 10, Now: a.clock.Now})
	for i := range 60 {
		var ago time.Duration
		if i%3 == 0 {
			ago = 59 * time.Minute
		}
		a.store(3, ago)
	}
	a.later(2 * time.Minute)
	a.pass(a.Head()) // too little to rewrite a segment for
	sealNow(t, a.Log)
	packAll(t, a.Log)
	if n := len(records(t, a.Log)); n != 120 || a.Removed("p1").Aged != 60 {
		t.Errorf("%d events, removed %+v", n, a.Removed("p1"))
	}
	for seq := entity.Seq(1); seq <= a.Head(); seq++ {
		if b, known := a.tail.next(seq); !known || b.erased != nil || b.ids[0] == "" {
			t.Fatalf("the block in memory of %d was changed", seq)
		}
	}
}
