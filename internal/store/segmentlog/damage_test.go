package segmentlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func crashConfig(percent int, seed uint64) vfs.CrashCloneCfg {
	return vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: chance.From(seed, 3)}
}

// badChange is one that no index applies.
func badChange() []idindex.Change {
	return []idindex.Change{{Project: "p", IDs: []string{"x"}, Block: 6, TTL: 1}}
}

// written makes a log of n blocks of k events in one segment, or several, and closes it.
func written(t *testing.T, o Options, n, k int) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewCrashableMem()
	o.FS = mem
	l, err := Open("log", o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), k, 150)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return mem
}

func segmentFiles(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := fs.List("log")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range names {
		if _, ok := parseSegmentName(name); ok {
			out = append(out, fs.PathJoin("log", name))
		}
	}
	slices.Sort(out)
	return out
}

func readFile(t *testing.T, fs *vfs.MemFS, path string) []byte {
	t.Helper()
	b, err := fs.UnsafeGetFileDataBuffer(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

func writeFile(t *testing.T, fs vfs.FS, path string, b []byte, sync bool) {
	t.Helper()
	f, err := fs.Create(path, writeCategory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if sync {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := durable.SyncDirIn(fs, "log"); err != nil {
		t.Fatal(err)
	}
}

// Cut or flipped anywhere in its only segment, the Log keeps every block that
// is whole, says what it lost, and calls duplicate just what it holds.
func TestDamagedTail(t *testing.T) {
	t.Parallel()
	s := chance.Seed(t)
	rng := chance.From(s, 0)
	const blocks, k = 8, 3
	mem := written(t, Options{}, blocks, k)
	path := segmentFiles(t, mem)[0]
	whole := readFile(t, mem, path)
	for round := range chance.Rounds(40) {
		clone := mem.CrashClone(vfs.CrashCloneCfg{})
		b := bytes.Clone(whole)
		what := ""
		switch at := rng.IntN(len(b)); round % 4 {
		case 0:
			b, what = b[:at], fmt.Sprint("cut at ", at)
		case 1:
			b[at] ^= 1 << rng.IntN(8)
			what = fmt.Sprint("flipped at ", at)
		case 2:
			clear(b[at:])
			what = fmt.Sprint("zeros from ", at)
		case 3:
			n := min(rng.IntN(400), len(b)-at)
			for i := range n {
				b[at+i] = byte(rng.Uint32())
			}
			what = fmt.Sprintf("noise from %d to %d", at, at+n)
		}
		writeFile(t, clone, path, b, true)
		if round%8 < 4 { // with and without the index of before
			if err := clone.RemoveAll("log/index"); err != nil {
				t.Fatal(err)
			}
		}
		checkDamaged(t, clone, what, blocks, k, round%4 == 1)
		if t.Failed() {
			return
		}
	}
}

func checkDamaged(t *testing.T, fs vfs.FS, what string, blocks, k int, flipped bool) {
	t.Helper()
	l, err := Open("log", Options{FS: fs})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	recs, err := storetest.ReadAll(l)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(recs)%k != 0 || flipped && len(recs) < (blocks-1)*k {
		t.Errorf("%s: %d records of %d blocks", what, len(recs), blocks)
	}
	held := map[string]bool{}
	last := entity.Seq(0)
	for _, r := range recs {
		held[r.Event.ID], last = true, r.Seq
	}
	if st := l.Stats(); len(recs) < blocks*k && st.TornBytes == 0 && st.CorruptBlocks == 0 && st.Head == last && last+1 < entity.Seq(blocks*k) {
		// A clean cut between blocks cannot be told from a shorter log.
		if !strings.HasPrefix(what, "cut") {
			t.Errorf("%s: lost events and said nothing: %+v", what, st)
		}
	}
	for i := range blocks {
		b := testBatch(fmt.Sprint("b", i), k, 150)
		out, err := l.Append(context.Background(), b)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for j, e := range b.Events {
			if (out[j] == store.Duplicate) != held[e.ID] {
				t.Errorf("%s: %s: outcome %d, held %t", what, e.ID, out[j], held[e.ID])
			}
		}
	}
	if recs, err = storetest.ReadAll(l); err != nil || len(recs) != blocks*k {
		t.Errorf("%s: %d records in the end, %v", what, len(recs), err)
	}
}

// Damage in an earlier segment costs the blocks it hits, not those behind it.
func TestDamagedMiddle(t *testing.T) {
	t.Parallel()
	mem := written(t, Options{SegmentBytes: 4 << 10}, 30, 3)
	files := segmentFiles(t, mem)
	if len(files) < 3 {
		t.Fatalf("%d segments", len(files))
	}
	b := readFile(t, mem, files[1])
	second := bytes.Index(b[headerLen+4:], []byte(blockMagic)) + headerLen + 4
	b[second+20] ^= 0xff
	writeFile(t, mem, files[1], b, true)
	if err := mem.RemoveAll("log/index"); err != nil {
		t.Fatal(err)
	}
	l := openTest(t, mem, "log", Options{SegmentBytes: 4 << 10})
	recs, err := storetest.ReadAll(l)
	if err != nil || len(recs) != 29*3 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	if st := l.Stats(); st.CorruptBlocks == 0 {
		t.Errorf("stats %+v", st)
	}
}

// A segment that is gone, or cut exactly between two blocks, leaves no bad byte behind: the
// segment behind it knows, and it is reported at every start. Skipped Seqs are not.
func TestMissingSegment(t *testing.T) {
	t.Parallel()
	o := Options{SegmentBytes: 4 << 10}
	for name, harm := range map[string]func(mem *vfs.MemFS, path string){
		"deleted": func(mem *vfs.MemFS, path string) {
			if err := errors.Join(mem.Remove(path), durable.SyncDirIn(mem, "log")); err != nil {
				t.Fatal(err)
			}
		},
		"cut between blocks": func(mem *vfs.MemFS, path string) {
			b := readFile(t, mem, path)
			writeFile(t, mem, path, b[:bytes.LastIndex(b, []byte(blockMagic))], true)
		},
	} {
		mem := written(t, o, 30, 3)
		files := segmentFiles(t, mem)
		slices.Sort(files)
		l := openTest(t, mem.CrashClone(vfs.CrashCloneCfg{}), "log", o)
		if recs, err := storetest.ReadAll(l); err != nil || len(recs) != 90 || l.Stats().CorruptBlocks != 0 {
			t.Fatalf("unharmed: %d records, %v, %+v", len(recs), err, l.Stats())
		}
		harm(mem, files[1])
		o.AcceptLoss = true // TestMissingSegmentIsAnError is about a start without
		for range 2 {
			l := openTest(t, mem.CrashClone(vfs.CrashCloneCfg{}), "log", o)
			recs, err := storetest.ReadAll(l)
			if st := l.Stats(); err != nil || len(recs) == 90 || len(recs) < 60 || st.CorruptBlocks == 0 {
				t.Errorf("%s: %d records, %v, %+v", name, len(recs), err, st)
			}
		}
	}

	// A torn end skips Seqs; nothing is missing there.
	dir := t.TempDir()
	for i := range 3 {
		l, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("c", i), 3, 150)); err != nil {
			t.Fatal(err)
		}
		if recs, err := storetest.ReadAll(l); err != nil || len(recs) != 3*(i+1) || l.Stats().CorruptBlocks != 0 {
			t.Errorf("torn end: %d records, %v, %+v", len(recs), err, l.Stats())
		}
		path := l.segs[len(l.segs)-1].path
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, append(b, make([]byte, 500)...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What a start found only in the page cache is called a duplicate from then on,
// so it must be on disk by then: the process was killed, and then the power went.
func TestRecoveredTailIsSynced(t *testing.T) {
	t.Parallel()
	from := written(t, Options{}, 2, 3)
	path := segmentFiles(t, from)[0]
	mem := vfs.NewCrashableMem()
	if err := makeDir(mem, "log"); err != nil {
		t.Fatal(err)
	}
	writeFile(t, mem, path, readFile(t, from, path), false)
	l := openTest(t, mem, "log", Options{})
	if out, err := l.Append(context.Background(), testBatch("b1", 3, 150)); err != nil || out[0] != store.Duplicate {
		t.Fatalf("%v, %v", out, err)
	}
	l = openTest(t, mem.CrashClone(vfs.CrashCloneCfg{}), "log", Options{})
	if recs, err := storetest.ReadAll(l); err != nil || len(recs) != 6 {
		t.Errorf("%d records after the power went, %v", len(recs), err)
	}
}

// A deleted index is rebuilt from the segments, recompressed ones too.
func TestIndexDeleted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mem := vfs.NewCrashableMem()
	o := Options{SegmentBytes: 4 << 10}
	l := openTest(t, mem, "log", o)
	for i := range 20 {
		b := testBatch(fmt.Sprint("b", i), 3, 150)
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AddJob(ctx, store.Job{ID: "j", Project: "p1", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	packAll(t, l)
	clone := mem.CrashClone(vfs.CrashCloneCfg{})
	if err := clone.RemoveAll("log/index"); err != nil {
		t.Fatal(err)
	}
	l = openTest(t, clone, "log", o)
	for i := range 20 {
		b := testBatch(fmt.Sprint("b", i), 3, 150)
		out, err := l.Append(ctx, b)
		if err != nil || out[0] != store.Duplicate || out[2] != store.Duplicate {
			t.Fatalf("batch %d: %v, %v", i, out, err)
		}
		if r, err := l.EventReceipt(ctx, "p1", b.Events[1].ID); err != nil || r.Status != "stored" {
			t.Errorf("receipt %+v, %v", r, err)
		}
		if r, err := l.BatchReceipt(ctx, "p1", b.ID); err != nil || r.Result.DuplicateEvents != 3 {
			t.Errorf("receipt of the second attempt %+v, %v", r, err)
		}
	}
	if jobs, err := l.PendingJobs(ctx); err != nil || len(jobs) != 1 || jobs[0].ID != "j" {
		t.Errorf("jobs %+v, %v", jobs, err)
	}
}
