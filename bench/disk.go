package main

import (
	"context"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

type diskPart struct {
	name     string
	perEvent float64
}

const (
	quietFor    = 5 * time.Second // how long nothing happens in a server whose idle work is done
	quietLook   = 500 * time.Millisecond
	quietCPU    = 20 * time.Millisecond // a look: timers and caches that expire are no work
	quietNoMore = 2 * time.Minute
)

// settle waits until a server has done what it does when nothing comes: until no file of its
// directory has changed, and it has hardly used a processor, for quietFor; at most quietNoMore.
func settle(ctx context.Context, dir string, pid int) error {
	var last map[string]int64
	var cpu, quiet time.Duration
	for begin := time.Now(); quiet < quietFor && time.Since(begin) < quietNoMore; {
		sizes, now := fileSizes(dir), cpuNow(pid)
		if maps.Equal(sizes, last) && now-cpu <= quietCPU {
			quiet += quietLook
		} else {
			quiet = 0
		}
		last, cpu = sizes, now
		if err := clock.Sleep(ctx, quietLook); err != nil {
			return err
		}
	}
	return nil
}

// fileSizes are the files below dir, by name.
func fileSizes(dir string) map[string]int64 {
	sizes := map[string]int64{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // files come and go
		}
		if info, err := d.Info(); err == nil {
			rel, _ := filepath.Rel(dir, path)
			sizes[rel] = info.Size()
		}
		return nil
	})
	return sizes
}

// diskUse adds up the files below each entry of dir.
func diskUse(dir string, events int) (total float64, parts []diskPart) {
	tops := map[string]float64{}
	for name, size := range fileSizes(dir) {
		top, _, _ := strings.Cut(name, string(filepath.Separator))
		tops[top] += float64(size) / float64(events)
	}
	for name, per := range tops {
		total += per
		if per >= 0.5 {
			parts = append(parts, diskPart{name, per})
		}
	}
	slices.SortFunc(parts, func(a, b diskPart) int { return strings.Compare(a.name, b.name) })
	return total, parts
}
