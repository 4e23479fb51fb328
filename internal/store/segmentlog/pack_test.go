package segmentlog

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// packAll packs until nothing is left to do, and makes small segments one.
func packAll(t testing.TB, l *Log) {
	t.Helper()
	if err := l.packAll(); err != nil {
		t.Fatal(err)
	}
}

func (l *Log) packAll() error {
	for _, work := range []func(context.Context) (bool, error){l.packSome, l.merge} {
		for {
			if more, err := work(context.Background()); err != nil {
				return err
			} else if !more {
				break
			}
		}
	}
	return nil
}

// sealNow ends the active segment, as a full one would.
func sealNow(t testing.TB, l *Log) {
	t.Helper()
	r := l.newRequest(0)
	if err := l.submit(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	l.free(r)
}

// realistic is a batch like those of clients: about 900 bytes of JSON per event.
func realistic(n, k int) *store.Batch {
	b := testBatch(fmt.Sprint("r", n), 0, 0)
	for i := range k {
		x := n*k + i
		b.Events = append(b.Events, testBatch(fmt.Sprintf("01K0ZV6B3T8M%08X%06X", uint32(x)*2654435761, x), 1, 1).Events...)
		b.Events[i].Payload = fmt.Appendf(nil, `{"id":"obs_%08x%08x","trace_id":"01K0ZV6C%016X","type":"llm","name":"generate answer","model":"gpt-4o-mini","provider":"openai","start_time":"2026-03-01T12:%02d:%02d.%06dZ","end_time":"2026-03-01T12:%02d:%02d.%06dZ","prompt_tokens":%d,"completion_tokens":%d,"total_cost":0.%05d,"metadata":{"user":"user_%d","region":"eu-west-1"},"input":{"messages":[{"role":"system","content":"You are a helpful support assistant."},{"role":"user","content":"%s"}]},"output":"%s"}`,
			uint32(x)*40503, x, uint64(x/8)*0x9E3779B97F4A7C15, x%60, x%59, x*7919%1000000, x%60, x%59, x*104729%1000000, x%2000, x%700, x%99999, x%5000, text(170, x), text(180, x+7))
	}
	return b
}

// Recompression keeps every record, drops finished job requests, and needs well below 200 bytes per event.
func TestPack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mem := vfs.NewMem()
	l := openTest(t, mem, "log", Options{SegmentBytes: 2 << 20, TailBytes: 1})
	for _, id := range []string{"done", "pending"} {
		if err := l.AddJob(ctx, store.Job{ID: id, Project: "p1", BatchID: "b-" + id, Body: []byte(`{"secret":"` + id + `"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	const batches, k = 150, 100
	size := 0
	for i := range batches {
		b := realistic(i, k)
		if i == 0 {
			b.Job = "done"
		}
		for j := range b.Events {
			size += len(b.Events[j].Payload)
		}
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	sealNow(t, l)
	before, err := storetest.ReadAll(l)
	if err != nil {
		t.Fatal(err)
	}
	fresh := l.Stats().DiskBytes
	packAll(t, l)
	st := l.Stats()
	t.Logf("%d bytes of payload an event; on disk %d fresh, %d recompressed", size/batches/k, fresh/batches/k, st.DiskBytes/batches/k)
	if st.DiskBytes/batches/k > 200 || st.RecompressedSegs == 0 {
		t.Errorf("stats %+v", st)
	}
	after, err := storetest.ReadAll(l)
	if err != nil || len(after) != len(before) || len(after) != batches*k {
		t.Fatalf("%d records before, %d after, %v", len(before), len(after), err)
	}
	for i := range after {
		a, b := after[i], before[i]
		if a.Seq != b.Seq || a.BatchID != b.BatchID || a.Event.ID != b.Event.ID || !bytes.Equal(a.Event.Payload, b.Event.Payload) ||
			!a.Event.Timestamp.Equal(b.Event.Timestamp.Time) || !a.ReceivedAt.Equal(b.ReceivedAt) {
			t.Fatalf("record %d differs after recompression", i)
		}
	}
	if jobs, err := l.PendingJobs(ctx); err != nil || len(jobs) != 1 || jobs[0].ID != "pending" {
		t.Errorf("pending %+v, %v", jobs, err)
	}
	if r, err := l.JobReceipt(ctx, "p1", "done"); err != nil || r.Result.ProcessedEvents != k {
		t.Errorf("receipt %+v, %v", r, err)
	}
	if s := dumpAll(t, mem); strings.Contains(s, `secret\":\"done`) || !strings.Contains(s, `secret\":\"pending`) {
		t.Error("the request of a finished job is still there, or that of a pending one is not")
	}
}

// A record that was asked for alone does not keep its whole block in memory; one that is most of its block is not copied.
func TestGetKeepsNoBlocks(t *testing.T) {
	t.Parallel()
	l := openTest(t, vfs.NewMem(), "log", Options{TailBytes: 1, BlockCacheBytes: 8 << 20})
	for _, b := range []*store.Batch{realistic(0, 100), testBatch("large", 1, 1<<20)} {
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	sealNow(t, l)
	for seq, copied := range map[entity.Seq]bool{50: true, 101: false} {
		recs, err := l.Get(t.Context(), []entity.Seq{seq})
		if err != nil || len(recs) != 1 {
			t.Fatalf("%v, %v", recs, err)
		}
		b, err := l.find(seq, true)
		if err != nil || b == nil {
			t.Fatal(b, err)
		}
		_, i := b.find(seq)
		got, kept := recs[0].Event.Payload, b.events[i].Payload
		if !bytes.Equal(got, kept) || (&got[0] != &kept[0]) != copied {
			t.Errorf("event %d: the same %v, copied %v, want %v", seq, bytes.Equal(got, kept), &got[0] != &kept[0], copied)
		}
	}
}

// What requests say of events that failed is part of a block's meta section: however much it is, a packed block can be read.
func TestPackManyFailures(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := openTest(t, mem, "log", Options{SegmentBytes: 1 << 30, TailBytes: 1})
	const batches, each = 70, 1000
	for i := range batches {
		b := testBatch(fmt.Sprint("b", i), 1, 10)
		for j := range each {
			b.Failed = append(b.Failed, wire.BatchEventError{EventID: fmt.Sprintf("%d-%d", i, j), Message: text(1000, 1), Code: "x"})
		}
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	sealNow(t, l)
	packAll(t, l)
	if recs, err := storetest.ReadAll(l); err != nil || len(recs) != batches || l.packNext() != nil {
		t.Errorf("%d of %d events, all packed %t, %v", len(recs), batches, l.packNext() == nil, err)
	}
	report, err := Check(t.Context(), "log", CheckOptions{FS: mem})
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if r, err := l.BatchReceipt(t.Context(), "p1", "batch-b7"); err != nil || len(r.Result.Errors) != each {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

func dumpAll(t *testing.T, fs vfs.FS) string {
	t.Helper()
	var out bytes.Buffer
	for _, path := range segmentFiles(t, fs) {
		if err := Dump(&out, fs, path, true); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// Erased payloads are in no file, whatever form the segment has.
func TestEraseLeavesNoBytes(t *testing.T) {
	t.Parallel()
	for _, packed := range []bool{false, true} {
		ctx := context.Background()
		mem := vfs.NewMem()
		l := openTest(t, mem, "log", Options{})
		if err := l.AddJob(ctx, store.Job{ID: "j", Project: "p1", Body: []byte(`{"events":["a secret"]}`)}); err != nil {
			t.Fatal(err)
		}
		b := testBatch("a", 10, 50)
		b.Job = "j"
		b.Events[4].Payload = []byte(`{"name":"a secret"}`)
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
		if packed {
			sealNow(t, l)
			packAll(t, l)
		}
		if !strings.Contains(dumpAll(t, mem), "a secret") {
			t.Fatal("the dump does not show payloads")
		}
		if err := l.Erase(ctx, []entity.Seq{6}); err != nil {
			t.Fatal(err)
		}
		if s := dumpAll(t, mem); strings.Contains(s, "a secret") || strings.Count(s, "call ") != 9 {
			t.Errorf("packed %t: after erasing:\n%s", packed, s)
		}
		if recs, err := storetest.ReadAll(l); err != nil || len(recs) != 9 {
			t.Errorf("%d records, %v", len(recs), err)
		}
	}
}

// Readers go on while segments are recompressed and erased under them.
func TestReadWhileRewriting(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := openTest(t, vfs.NewMem(), "log", Options{SegmentBytes: 16 << 10, TailBytes: 1, BlockCacheBytes: 1 << 10, MaxOpenFiles: 2, IdleAfter: time.Nanosecond})
	const n = 100
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				recs, err := storetest.ReadAll(l)
				if err != nil {
					t.Error(err)
				}
				for _, r := range recs {
					if got, err := l.Get(ctx, []entity.Seq{r.Seq}); err != nil || len(got) != 1 && r.Seq%10 != 1 {
						t.Errorf("get %d: %d records, %v", r.Seq, len(got), err)
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range n {
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 10, 200)); err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 {
			packAll(t, l)
			if err := l.Erase(ctx, []entity.Seq{entity.Seq(i*5/10*10 + 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	wg.Wait()
	packAll(t, l)
	recs, err := storetest.ReadAll(l)
	if err != nil || len(recs) != n*10-10 {
		t.Errorf("%d records, %v", len(recs), err)
	}
}

// Run packs what is sealed at once, and when nothing was appended for a while the rest, too, in few segments; it sweeps what expired,
// and ends with its context. All goroutines and the clock are the bubble's.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, vfs.NewMem(), "log", Options{SegmentBytes: 8 << 10})
		for i := range 83 {
			if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), 5, 200)); err != nil {
				t.Fatal(err)
			}
		}
		unpacked := func() (n int) {
			l.mu.RLock()
			defer l.mu.RUnlock()
			for _, seg := range l.segs {
				if !seg.packed {
					n++
				}
			}
			return n
		}
		if !l.worthPacking(l.segs[len(l.segs)-1]) {
			t.Fatal("the last segment is too small for this test")
		}
		entries, segments := l.Stats().IndexEntries, l.Stats().Segments
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		watch.Within(t, 1500*time.Millisecond, "all segments but the last are packed right after appends", func() bool { return unpacked() == 1 })
		if n := l.Stats().Segments; n != segments {
			t.Errorf("%d segments, there were %d", n, segments)
		}
		watch.Within(t, 3500*time.Millisecond, "the segments of an idle log are packed, and fewer", func() bool { return unpacked() == 0 && l.Stats().Segments < segments })
		if err := clock.Sleep(ctx, 2*time.Hour); err != nil {
			t.Fatal(err)
		}
		if left := l.Stats().IndexEntries; left >= entries {
			t.Errorf("%d index entries, %d when their time had passed", entries, left)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
