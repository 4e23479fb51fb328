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
	if c.look(); debug.SetMemoryLimit(-1) < 108<<20 {
		t.Errorf("the limit is %d while 96 MiB live: the collector runs without a pause", debug.SetMemoryLimit(-1))
	}
	runtime.KeepAlive(live)
	live = nil
	runtime.GC()
	if c.look(); debug.SetMemoryLimit(-1) > 64<<20 {
		t.Errorf("the limit stays at %d when nothing lives", debug.SetMemoryLimit(-1))
	}
}
