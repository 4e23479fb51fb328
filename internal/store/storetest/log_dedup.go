package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Any batch sent twice, split any way, in any order: stored once.
func testLogSplitAnyWay(t *testing.T, b *logBench) {
	rng := chance.Of(t)
	for round := range 5 {
		all := ids(string(rune('a'+round)), 1+rng.IntN(200))
		for pass := range 2 {
			left := slices.Clone(all)
			rng.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
			stored, duplicates := 0, 0
			for len(left) > 0 {
				n := 1 + rng.IntN(len(left))
				s, d := b.append(t, b.batch(left[:n]...))
				stored, duplicates, left = stored+s, duplicates+d, left[n:]
			}
			if want := len(all) * (1 - pass); stored != want || stored+duplicates != len(all) {
				t.Fatalf("pass %d: stored %d, duplicates %d of %d", pass, stored, duplicates, len(all))
			}
			if rng.IntN(2) == 0 {
				b.reopen(t)
			}
		}
	}
}

func testLogSameBatchAtOnce(t *testing.T, b *logBench) {
	const senders = 64
	all := ids("x", 50)
	outs := make([][]store.Outcome, senders)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			out, err := b.log.Append(context.Background(), b.batch(all...))
			if err != nil {
				t.Error(err)
			}
			outs[i] = out
		})
	}
	wg.Wait()
	stored := make([]int, len(all))
	for _, out := range outs {
		for i, o := range out {
			if o == store.Stored {
				stored[i]++
			}
		}
	}
	for i, n := range stored {
		if n != 1 {
			t.Errorf("event %d was stored %d times", i, n)
		}
	}
	b.expectIDs(t, all)
}

func testLogTwiceInOneBatch(t *testing.T, b *logBench) {
	out, err := b.log.Append(context.Background(), b.batch("a", "b", "a", "c", "b"))
	want := []store.Outcome{store.Stored, store.Stored, store.Duplicate, store.Stored, store.Duplicate}
	if err != nil || !slices.Equal(out, want) {
		t.Fatalf("outcomes %v, %v", out, err)
	}
	b.expectIDs(t, []string{"a", "b", "c"})
}

func testLogTTL(t *testing.T, b *logBench) {
	shapes := []string{
		"01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "00000000000000000000000000",
		"ABCDEF0123456789ABCDEF0123", "evt_1", strings.Repeat("~", 128),
	}
	b.expect(t, b.batch(shapes...), len(shapes), 0)
	b.clock.Advance(time.Hour - time.Second)
	b.expect(t, b.batch(shapes...), 0, len(shapes)) // and this does not prolong it
	b.reopen(t)
	b.expect(t, b.batch(shapes...), 0, len(shapes))
	b.clock.Advance(2 * time.Second)
	b.expect(t, b.batch(shapes...), len(shapes), 0)
	b.expect(t, b.batch(shapes...), 0, len(shapes))
}

func testLogProjects(t *testing.T, b *logBench) {
	b.expect(t, b.batch("a", "b"), 2, 0)
	other := b.batch("a", "b", "c")
	other.Project = "q"
	b.expect(t, other, 3, 0)
	ctx := context.Background()
	if _, err := b.log.EventReceipt(ctx, "p", "c"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("event of another project: %v", err)
	}
	if _, err := b.log.BatchReceipt(ctx, "p", other.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("batch of another project: %v", err)
	}
	strict := b.batch("c")
	strict.Dedup.FailOnDuplicate = true
	b.expect(t, strict, 1, 0)
}

func testLogFailOnDuplicate(t *testing.T, b *logBench) {
	b.expect(t, b.batch("x-500"), 1, 0)
	all := ids("x", 1000)
	strict := b.batch(all...)
	strict.Dedup.FailOnDuplicate = true
	for range 3 {
		out, err := b.log.Append(context.Background(), strict)
		if !errors.Is(err, store.ErrDuplicate) {
			t.Fatal(err)
		}
		if _, d := tally(t, strict, out); d != 1 || out[500] != store.Duplicate {
			t.Fatalf("%d duplicates", d)
		}
	}
	b.expectIDs(t, []string{"x-500"})
	if _, err := b.log.BatchReceipt(context.Background(), "p", strict.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("receipt of a refused batch: %v", err)
	}
	twice := b.batch("y", "y")
	twice.Dedup.FailOnDuplicate = true
	if _, err := b.log.Append(context.Background(), twice); !errors.Is(err, store.ErrDuplicate) {
		t.Fatal(err)
	}
	b.reopen(t)
	b.expect(t, b.batch(append(all, "y")...), 1000, 1)
}

func testLogDedupOff(t *testing.T, b *logBench) {
	off := func() *store.Batch {
		batch := b.batch("a", "a")
		batch.Dedup.Enabled = false
		return batch
	}
	b.expect(t, off(), 2, 0)
	b.expect(t, off(), 2, 0)
	b.reopen(t)
	b.expect(t, b.batch("a"), 1, 0) // it was never marked
	b.expect(t, off(), 2, 0)        // and a mark is not asked
	if n := len(b.all(t)); n != 7 {
		t.Errorf("%d records", n)
	}
}

// An attempt whose context had ended stores all or nothing, and marks only what it stored.
func testLogAbortedAttempts(t *testing.T, b *logBench) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	all := ids("x", 20)
	stored := 0
	for range 20 {
		if out, err := b.log.Append(ended, b.batch(all...)); err == nil {
			s, _ := tally(t, b.batch(all...), out)
			stored += s
		}
	}
	s, _ := b.append(t, b.batch(all...))
	if stored+s != len(all) {
		t.Fatalf("stored %d times in aborted attempts and %d in the last one", stored, s)
	}
	b.expectIDs(t, all)
}
