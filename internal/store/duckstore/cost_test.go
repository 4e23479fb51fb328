//go:build linux

package duckstore

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// BenchmarkCost inserts finished generations, ten of a trace, as `make bench` sends them, 245 760 events an iteration, and ends with
// a checkpoint: what an event costs in processor time, in bytes written and at the end. The processor time counts
// only beside that of something else in the same run.
func BenchmarkCost(b *testing.B) {
	const n, batch = 2 * 122_880, 8192
	path := filepath.Join(b.TempDir(), "w.db")
	w, err := Open(path, Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	var used time.Duration
	var written, alloc, events, peak int64
	seq := entity.Seq(0)
	for b.Loop() {
		b.StopTimer()
		recs := generations(b, &seq, n)
		runtime.GC()
		before := resident(b, "VmRSS:")
		start, wrote, allocated := processTime(b), bytesWritten(b), allocatedBytes()
		b.StartTimer()
		for i := 0; i < n; i += batch {
			if err := w.Insert(b.Context(), recs[i:i+batch], recs[i+batch-1].Seq); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Checkpoint(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		used, written, alloc, events = used+processTime(b)-start, written+bytesWritten(b)-wrote, alloc+allocatedBytes()-allocated, events+n
		peak = max(peak, resident(b, "VmHWM:")-before)
		runtime.KeepAlive(recs)
		b.StartTimer()
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(events), "cpu-ns/event")
	b.ReportMetric(float64(written)/float64(events), "written-B/event")
	b.ReportMetric(float64(info.Size())/float64(events), "disk-B/event")
	b.ReportMetric(float64(alloc)/float64(events), "alloc-B/event")
	b.ReportMetric(float64(peak>>20), "more-rss-MB")
}

// generations are the next n events.
func generations(b *testing.B, seq *entity.Seq, n int) []entity.Record {
	b.Helper()
	recs := make([]entity.Record, n)
	trace := ""
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(*seq) * time.Millisecond)
	for i := range recs {
		if i%10 == 0 {
			trace = wire.NewIDAt(at)
		}
		*seq++
		k := int(*seq)
		r := entity.Record{Seq: *seq, Project: "default", Environment: "default", ReceivedAt: at, Event: wire.Event{
			ID: wire.NewIDAt(at), Type: wire.ObservationCreate, Timestamp: wire.At(at),
			Payload: json.RawMessage(fmt.Sprintf(`{"trace_id":%q,"type":"generation","name":"chat","model":"%s","provider":"openai","input":[{"role":"user","content":"hi"}],"output":{"role":"assistant","content":"hello"},"prompt_tokens":%d,"completion_tokens":%d,"total_cost":%.6f,"latency_ms":%d}`,
				trace, []string{"gpt-4o-mini", "claude-sonnet-4", "llama-3.3-70b", "mistral-large"}[k%4], 50+k*7919%900, 20+k*104729%400, float64(k*15485863%10000)/1e6, 200+k*32452843%4000)),
		}}
		fields, failure := extract.Extract(&r.Event)
		if failure != nil {
			b.Fatal(failure)
		}
		r.Fields, r.Row = fields, fields.AppendRow(nil)
		r.Event.Payload = nil
		recs[i] = r
	}
	return recs
}

func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bytesWritten is what the process has handed to write calls.
func bytesWritten(b *testing.B) int64 { return procNumber(b, "/proc/self/io", "wchar:") }

// resident is the process's memory: VmRSS now, VmHWM at most.
func resident(b *testing.B, which string) int64 {
	return procNumber(b, "/proc/self/status", which) << 10
}

func procNumber(b *testing.B, file, name string) (n int64) {
	raw, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), name)
	if _, err := fmt.Sscan(rest, &n); err != nil {
		b.Fatal(err)
	}
	return n
}

func allocatedBytes() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}
