package daemon

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// collecting keeps the garbage collector's soft limit where it does more good than harm. The runtime collects without a pause
// once what lives is as large as its limit: then that limit costs the processors and saves nothing.
type collecting struct {
	least int64 // bytes; the limit is never less
	limit int64 // as it is set
	read  []metrics.Sample
}

const (
	heapEvery = 250 * time.Millisecond
	// heapRoom is the part of what lives that may be garbage beside it, at least.
	heapRoom = 8
	// heapStep is how much the limit must be off to be set anew, which stops the program for a moment.
	heapStep = 4 << 20
)

// newCollecting sets the limit, and must be followed by Run.
func newCollecting(least int64) *collecting {
	c := &collecting{least: least, limit: least}
	for _, name := range []string{
		"/gc/heap/live:bytes", "/memory/classes/total:bytes", "/memory/classes/heap/released:bytes", "/memory/classes/heap/objects:bytes", "/memory/classes/heap/free:bytes",
	} {
		c.read = append(c.read, metrics.Sample{Name: name})
	}
	debug.SetMemoryLimit(least)
	return c
}

// Run moves the limit until ctx ends. A nil one leaves it alone.
func (c *collecting) Run(ctx context.Context) error {
	if c != nil {
		clock.Every(ctx, heapEvery, c.look)
	}
	return nil
}

// look moves the limit to where it should be now.
func (c *collecting) look() {
	metrics.Read(c.read)
	at := func(i int) int64 { return int64(c.read[i].Value.Uint64()) }
	want := c.wanted(at(0), at(1)-at(2)-at(3)-at(4))
	if off := want - c.limit; off > heapStep || off < -heapStep || off != 0 && want == c.least {
		c.limit = want
		debug.SetMemoryLimit(want)
	}
}

// wanted is the limit for a heap of which so many bytes live, and what the runtime needs beside it, which the limit counts too.
func (c *collecting) wanted(live, beside int64) int64 {
	return max(c.least, live+live/heapRoom+beside)
}
