package idindex

import (
	"fmt"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// ulids makes n ULIDs of one client: the same millisecond in runs, random tails.
func ulids(n int, from time.Time) []string {
	ids := make([]string, n)
	entropy := ulid.DefaultEntropy()
	for i := range ids {
		ids[i] = ulid.MustNew(ulid.Timestamp(from.Add(time.Duration(i)*20*time.Microsecond)), entropy).String()
	}
	return ids
}

// filled opens an index that holds n ULIDs, in changes of 100.
func filled(b *testing.B, n int, o Options) (*Index, time.Time) {
	b.Helper()
	x, err := Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := x.Close(); err != nil {
			b.Error(err)
		}
	})
	now := time.Now()
	ids := ulids(n, now)
	for i := 0; i < n; i += 100 {
		applyBlock(b, x, "default", ids[i:i+100], x.Cursor()+1, now)
	}
	if err := x.Flush(); err != nil {
		b.Fatal(err)
	}
	return x, now.Add(time.Duration(n) * 20 * time.Microsecond)
}

func applyBlock(tb testing.TB, x *Index, project string, ids []string, first entity.Seq, now time.Time) {
	seqs := make([]entity.Seq, len(ids))
	for i := range seqs {
		seqs[i] = first + entity.Seq(i)
	}
	c := Change{Project: project, BatchID: fmt.Sprintf("B%d", first), Block: first, At: now, TTL: time.Hour, IDs: ids, Seqs: seqs}
	if err := x.Apply([]Change{c}, first+entity.Seq(len(ids))-1); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkSeen asks for 100 new ids over an index of 1 M. One op is one id.
func BenchmarkSeen(b *testing.B) {
	for _, cache := range []int64{64 << 20, 128 << 20, 256 << 20} {
		b.Run(fmt.Sprintf("cache=%dMiB", cache>>20), func(b *testing.B) {
			x, from := filled(b, 1_000_000, Options{CacheBytes: cache})
			pool := ulids(100_000, from)
			out := make([]Entry, 100)
			now := time.Now()
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += 100 {
				at := i % len(pool)
				if err := x.Seen("default", pool[at:at+100], now, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSeenDuplicates asks for 100 known ids at random places of an index of 1 M. One op is one id.
func BenchmarkSeenDuplicates(b *testing.B) {
	now := time.Now()
	x, _ := filled(b, 1_000_000, Options{})
	ids := ulids(100_000, now.Add(10*time.Minute))
	for i := 0; i < len(ids); i += 100 {
		applyBlock(b, x, "default", ids[i:i+100], x.Cursor()+1, now)
	}
	out := make([]Entry, 100)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += 100 {
		at := i * 7 % len(ids)
		if err := x.Seen("default", ids[at:at+100], now, out); err != nil {
			b.Fatal(err)
		}
		if out[0].Seq == 0 {
			b.Fatal("known id not found")
		}
	}
}

// BenchmarkApply applies blocks of 100 ids. One op is one id.
func BenchmarkApply(b *testing.B) {
	x, from := filled(b, 100, Options{})
	ids := ulids((b.N+99)/100*100, from)
	now := time.Now()
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < len(ids); i += 100 {
		applyBlock(b, x, "default", ids[i:i+100], x.Cursor()+1, now)
	}
}

// BenchmarkAccept is the index's part of accepting new events: Seen, then Apply. One op is one id.
func BenchmarkAccept(b *testing.B) {
	x, from := filled(b, 1_000_000, Options{})
	ids := ulids((b.N+99)/100*100, from)
	out := make([]Entry, 100)
	now := time.Now()
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < len(ids); i += 100 {
		if err := x.Seen("default", ids[i:i+100], now, out); err != nil {
			b.Fatal(err)
		}
		applyBlock(b, x, "default", ids[i:i+100], x.Cursor()+1, now)
	}
}
