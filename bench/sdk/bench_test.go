package sdk

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// queue holds every event of a run: nothing may be dropped where a run is about
// what taking an event costs. Run with -benchtime 100000x (20000x for 16 KB).
const queue = 250_000

// BenchmarkEnqueue is what the application pays for one event, while the
// client delivers beside it.
func BenchmarkEnqueue(b *testing.B) {
	for _, size := range []int{1_000, 16_000} {
		for _, p := range peers {
			b.Run(fmt.Sprintf("%dKB/%s", size/1000, p.name), func(b *testing.B) { enqueue(b, p, size, false) })
		}
	}
}

// BenchmarkEnqueueParallel is BenchmarkEnqueue from all processors at once.
func BenchmarkEnqueueParallel(b *testing.B) {
	for _, p := range peers {
		b.Run("1KB/"+p.name, func(b *testing.B) { enqueue(b, p, 1000, true) })
	}
}

func enqueue(b *testing.B, p peer, size int, parallel bool) {
	s := &sink{}
	r := p.open(b, setting{host: newSink(b, s), size: size, queue: queue, bytes: 4 << 30})
	b.ReportAllocs()
	b.ResetTimer()
	if parallel {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if !r.send() {
					b.Error("an event was not taken")
				}
			}
		})
	} else {
		for range b.N {
			if !r.send() {
				b.Fatal("an event was not taken")
			}
		}
	}
	b.StopTimer()
	r.done(b)
	if got := s.events.Load(); p.wire && got != int64(b.N) {
		b.Fatalf("%d of %d events arrived", got, b.N)
	}
}

// BenchmarkDelivered is events per second from the first call until Close has
// returned and all have arrived; a run that loses one fails.
func BenchmarkDelivered(b *testing.B) {
	for _, compress := range []bool{false, true} {
		for _, p := range peers {
			if !p.wire {
				continue
			}
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
		if p.wire {
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
