package segmentlog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// BenchmarkStored is the whole way of an event in the Log, from Append to its packed form with filters: what it
// costs of CPU, and what of disk.
func BenchmarkStored(b *testing.B) {
	ctx := context.Background()
	l := openTest(b, nil, b.TempDir(), Options{})
	const events, senders = 100, 8
	templates := make([]*store.Batch, 0, 1000)
	for n := range 1000 {
		templates = append(templates, realistic(n, events))
	}
	before := cpu(b)
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for {
				n := int(next.Add(1))
				if n > b.N {
					return
				}
				batch := *templates[n%len(templates)]
				batch.ID = fmt.Sprint("batch", n)
				batch.Events = slices.Clone(batch.Events)
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
	appended := cpu(b) - before
	finish(b, l)
	all := cpu(b) - before
	n := float64(b.N * events)
	b.ReportMetric(float64(appended.Nanoseconds())/n, "cpu-ns/appended")
	b.ReportMetric(float64(all.Nanoseconds())/n, "cpu-ns/packed")
	b.ReportMetric(float64(l.Stats().DiskBytes)/n, "disk-B/event")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func finish(b *testing.B, l *Log) {
	sealNow(b, l)
	packAll(b, l)
	for {
		if more, err := l.filterOne(context.Background(), true); err != nil {
			b.Fatal(err)
		} else if !more {
			return
		}
	}
}
