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
	for range 96 { // as much again as lives
		garbage = make([]byte, 1<<20)
	}
	runtime.ReadMemStats(&after)
	if n := after.NumGC - before.NumGC; n > 12 { // four rounds, and those of other tests; without room there are about 96
		t.Errorf("%d collections for 96 MiB of garbage beside 96 MiB that live", n)
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
