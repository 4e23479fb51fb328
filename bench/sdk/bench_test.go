package sdk

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// queue holds every event of a run: nothing may be dropped where a run is about
// what taking an event costs. Run with -benchtime 100000x (20000x for 16 KB).
const queue = 500_000

// BenchmarkEnqueue is what the application pays for one event, while the
// client delivers beside it.
func BenchmarkEnqueue(b *testing.B) {
	for _, size := range []int{1_000, 16_000} {
		for _, p := range peers {
			b.Run(fmt.Sprintf("%dKB/%s", size/1000, p.name), func(b *testing.B) { enqueue(b, p, size, false) })
		}
	}
}

// goroutines is from how many at once BenchmarkEnqueueParallel sends.
const goroutines = 8

// BenchmarkEnqueueParallel is BenchmarkEnqueue from several goroutines at once.
func BenchmarkEnqueueParallel(b *testing.B) {
	for _, p := range peers {
		b.Run("1KB/"+p.name, func(b *testing.B) { enqueue(b, p, 1000, true) })
	}
}

// enqueue measures time, and what does not depend on who else is at work: the processor time of the goroutines that send, caller-ns/op. What the
// client does beside them is not in it.
func enqueue(b *testing.B, p peer, size int, parallel bool) {
	s := &sink{}
	r := p.open(b, setting{host: newSink(b, s), size: size, queue: queue, bytes: 4 << 30})
	senders := 1
	if parallel {
		senders = goroutines
	}
	var paid atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range senders {
		n := b.N / senders
		if i < b.N%senders {
			n++
		}
		wg.Go(func() {
			runtime.LockOSThread() // the thread ends with the goroutine
			<-start
			before := threadTime()
			for range n {
				if !r.send() {
					b.Error("an event was not taken")
					return
				}
			}
			paid.Add(int64(threadTime() - before))
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	close(start)
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(paid.Load())/float64(b.N), "caller-ns/op")
	r.done(b)
	if got := s.events.Load(); got != int64(b.N) {
		b.Fatalf("%d of %d events arrived", got, b.N)
	}
}

// BenchmarkDelivered is events per second from the first call until Close has
// returned and all have arrived; a run that loses one fails.
func BenchmarkDelivered(b *testing.B) {
	for _, compress := range []bool{false, true} {
		for _, p := range peers {
			b.Run(map[bool]string{false: "plain/", true: "compressed/"}[compress]+p.name, func(b *testing.B) {
				s := &sink{}
				r := p.open(b, setting{host: newSink(b, s), size: 1000, queue: queue, bytes: 4 << 30, compress: compress})
				b.ResetTimer()
				for range b.N {
					if !r.send() {
						b.Fatal("an event was not taken")
					}
				}
				r.done(b)
				b.StopTimer()
				if got := s.events.Load(); got != int64(b.N) {
					b.Fatalf("%d of %d events arrived", got, b.N)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// BenchmarkStalled sends into a client whose server does not answer: what a call
// costs that is refused, and what memory the events hold meanwhile.
func BenchmarkStalled(b *testing.B) {
	for _, p := range peers {
		if p.tells {
			b.Run(p.name, func(b *testing.B) { stalled(b, p) })
		}
	}
}

func stalled(b *testing.B, p peer) {
	gate := make(chan struct{})
	s := &sink{gate: gate}
	host := newSink(b, s)
	b.Cleanup(func() { close(gate) }) // before the server is closed
	before := heap()
	r := p.open(b, setting{host: host, size: 1000, queue: 10_000, bytes: 8 << 20, hurry: true})
	taken := 0
	for range 50_000 {
		if r.send() {
			taken++
		}
	}
	held := float64(heap()) - float64(before)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		r.send()
	}
	b.StopTimer()
	b.ReportMetric(held/1e6, "MB-held")
	b.ReportMetric(float64(taken), "taken")
	r.done(b)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// BenchmarkFlush is the time from one event to its arrival, when asked to hurry.
func BenchmarkFlush(b *testing.B) {
	s := &sink{}
	host := newSink(b, s)
	var total time.Duration
	for range b.N {
		r := openBrokle(b, setting{host: host, size: 1000, queue: 1000, bytes: 8 << 20}, structured(1000))
		start := time.Now()
		r.send()
		r.done(b)
		total += time.Since(start)
	}
	b.ReportMetric(float64(total.Microseconds())/float64(b.N), "µs/first-event")
}
