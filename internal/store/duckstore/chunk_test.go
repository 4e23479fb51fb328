package duckstore

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestTextsUnderCollection writes long texts over older ones, whose memory is
// free by then, while the collector runs without pause. What a text replaces in
// DuckDB's memory must not be told to the collector, which ends the process
// over a pointer to nothing.
func TestTextsUnderCollection(t *testing.T) {
	t.Parallel()
	c := newChunk([]column{{name: "text", typ: "VARCHAR"}})
	defer c.close()
	ctx, stop := context.WithCancel(t.Context())
	var collector sync.WaitGroup
	defer collector.Wait()
	defer stop()
	collector.Go(func() {
		for ctx.Err() == nil {
			runtime.GC()
		}
	})

	long := strings.Repeat("x", 4000)
	for range 30 {
		for range chunkRows {
			c.setText(0, long)
			c.rows++
		}
		// As after a reset, when the collector has taken the slabs; the vector
		// keeps what was written into it.
		c.pins.Unpin()
		c.slabs, c.used, c.rows = nil, 0, 0
		runtime.GC()
		runtime.GC()
	}
}
