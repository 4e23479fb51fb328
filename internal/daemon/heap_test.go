package daemon

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// While less lives than the limit, that is what was asked for; when more does, a part of it is left for garbage, so that
// the collector does not run all the time, and afterwards the limit is what it was. No t.Parallel: the limit is the process's.
func TestRoomForGarbage(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	runtime.GC()
	const most = 1 << 30
	c := newCollecting(most)
	if c.look(); debug.SetMemoryLimit(-1) != most {
		t.Errorf("the limit is %d while hardly anything lives, not %d", debug.SetMemoryLimit(-1), int64(most))
	}
	const least = 16 << 20
	c = newCollecting(least)
	live := make([]byte, 96<<20)
	runtime.GC()
	c.look()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 * 96 << 4 { // ten times as much as lives
		garbage = make([]byte, 64<<10)
	}
	runtime.ReadMemStats(&after)
	n := after.NumGC - before.NumGC
	t.Logf("%d collections for 960 MiB of garbage beside 96 MiB that live", n)
	if n > 60 { // forty rounds, and those of other tests
		t.Error("too many")
	}
	runtime.KeepAlive(live)
	live = nil
	garbage = nil
	runtime.GC()
	if c.look(); debug.SetMemoryLimit(-1) > 64<<20 {
		t.Errorf("the limit stays at %d when nothing lives", debug.SetMemoryLimit(-1))
	}
}

var garbage []byte
