package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// soakSampled is what was seen at one moment, and since the one before.
type soakSampled struct {
	at         time.Duration // since the begin
	rate       float64       // events accepted per second
	p99        float64       // ms
	rss, heap  float64       // MB
	goroutines float64
	files      float64 // open file descriptors
	threads    float64
	backlog    float64 // events accepted and not queryable
	removed    float64 // events removed by retention, up to now
	segments   float64
	disk       map[string]float64 // MB, by part
}

// soakParts are the parts of a data directory, in the order of the chart.
var soakParts = []string{"log", "index", "warehouse"}

func (s *soakSampled) diskTotal() (mb float64) {
	for _, part := range s.disk {
		mb += part
	}
	return mb
}

// sample looks every few seconds until ctx ends.
func (s *soak) sample(ctx context.Context) (all []soakSampled, err error) {
	begin := time.Now()
	last, events := begin, int64(0)
	for {
		if clock.Sleep(ctx, soakSample) != nil {
			return all, nil
		}
		one, err := s.look()
		if err != nil {
			return all, err
		}
		now, n := time.Now(), s.accepted.Load()
		one.at, one.rate = now.Sub(begin), float64(n-events)/now.Sub(last).Seconds()
		last, events = now, n
		if answers := s.takeAnswers(); len(answers) > 0 {
			one.p99 = ms(percentile(answers, 99))
		}
		all = append(all, one)
		if len(all)%20 == 0 {
			fmt.Printf("%6s  %7.0f events/s  p99 %6.1f ms  RSS %4.0f MB  heap %4.0f MB  disk %6.0f MB (%v)  backlog %8.0f  removed %10.0f\n",
				one.at.Round(time.Second), one.rate, one.p99, one.rss, one.heap, one.diskTotal(), one.disk, one.backlog, one.removed)
		}
	}
}

// look asks /proc, /metrics and the file system.
func (s *soak) look() (soakSampled, error) {
	pid := s.p.cmd.Process.Pid
	one := soakSampled{disk: soakDisk(s.dir)}
	m, err := metrics(s.ops)
	if err != nil {
		return one, err
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return one, err
	}
	one.files = float64(len(fds))
	one.rss, one.threads = procStatus(pid, "VmRSS:")/1024, procStatus(pid, "Threads:")
	one.heap = m["go_memstats_heap_inuse_bytes"] / 1e6
	one.goroutines, one.backlog, one.segments = m["go_goroutines"], m["brokle_indexer_lag_seqs"], m["brokle_log_segments"]
	one.removed = m[`brokle_retention_events_total{reason="expired"}`] + m[`brokle_retention_events_total{reason="late"}`]
	if one.rss == 0 || one.goroutines == 0 {
		return one, errors.New("the server shows no memory or no goroutines")
	}
	return one, nil
}

// soakDisk adds up the files of each part of a data directory.
func soakDisk(dir string) map[string]float64 {
	sizes := map[string]float64{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // files come and go
		}
		rel, _ := filepath.Rel(dir, path)
		part := "log"
		switch {
		case strings.HasPrefix(rel, filepath.Join("log", "index")):
			part = "index"
		case strings.HasPrefix(rel, "warehouse"):
			part = "warehouse"
		}
		if info, err := d.Info(); err == nil {
			sizes[part] += float64(info.Size()) / 1e6
		}
		return nil
	})
	return sizes
}
