package segmentlog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// BenchmarkAppend appends batches of 100 events of about 900 bytes, from 8 goroutines.
func BenchmarkAppend(b *testing.B) {
	ctx := context.Background()
	l := openTest(b, nil, b.TempDir(), Options{})
	var next atomic.Int64
	const events, senders = 100, 8
	template := realistic(0, events)
	b.SetBytes(events * 900)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			batch := *template
			batch.Events = slices.Clone(template.Events)
			for {
				n := int(next.Add(1))
				if n > b.N {
					return
				}
				batch.ID = fmt.Sprint("batch", n)
				for i := range batch.Events {
					x := n*events + i
					batch.Events[i].ID = fmt.Sprintf("01K0ZV6B%08X%010X", uint32(x)*2654435761, x)
				}
				if _, err := l.Append(ctx, &batch); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N)/float64(l.Stats().Fsyncs), "batches/fsync")
}

// BenchmarkReadTail reads, a thousand records at a time, what is in memory.
func BenchmarkReadTail(b *testing.B) { benchmarkRead(b, Options{TailBytes: 1 << 30}) }

// BenchmarkReadDisk reads the same from the segment.
func BenchmarkReadDisk(b *testing.B) { benchmarkRead(b, Options{TailBytes: 1}) }

func benchmarkRead(b *testing.B, o Options) {
	ctx := context.Background()
	l := filled(b, o)
	b.SetBytes(900)
	b.ReportAllocs()
	b.ResetTimer()
	at := entity.Seq(0)
	for n := 0; n < b.N; {
		recs, upto, err := l.Read(ctx, at, 1000)
		if err != nil {
			b.Fatal(err)
		}
		n += len(recs)
		if at = upto; at == l.Head() {
			at = 0
		}
	}
}

// filled is a Log of 200 batches of 100 events of about 900 bytes.
func filled(b *testing.B, o Options) *Log {
	b.Helper()
	l := openTest(b, nil, b.TempDir(), o)
	for n := range 200 {
		if _, err := l.Append(context.Background(), realistic(n, 100)); err != nil {
			b.Fatal(err)
		}
	}
	return l
}

// BenchmarkGet gets the 10 payloads of a trace out of 20 000 events on disk.
func BenchmarkGet(b *testing.B) {
	l := filled(b, Options{TailBytes: 1})
	seqs := make([]entity.Seq, 10)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		for i := range seqs {
			seqs[i] = entity.Seq((n*7919)%19_000 + i*37 + 1)
		}
		recs, err := l.Get(context.Background(), seqs)
		if err != nil || len(recs) != len(seqs) {
			b.Fatal(len(recs), err)
		}
	}
}
