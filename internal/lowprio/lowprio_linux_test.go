package lowprio

import (
	"runtime"
	"sync"
	"syscall"
	"testing"
)

func priority(t *testing.T) int {
	t.Helper()
	p, err := syscall.Getpriority(syscall.PRIO_PROCESS, syscall.Gettid())
	if err != nil {
		t.Error(err)
	}
	return p
}

// A thread that was lowered gives way; that of the caller keeps its priority.
func TestLower(t *testing.T) {
	mine, lowered := priority(t), 0
	var other sync.WaitGroup
	other.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		Lower()
		lowered = priority(t)
	})
	other.Wait()
	if want := max(mine-niceness, 1); lowered != want { // 20 − nice: smaller gives way
		t.Errorf("priority %d beside %d of others, want %d", lowered, mine, want)
	}
	if now := priority(t); now != mine {
		t.Errorf("the caller's priority was %d and is %d", mine, now)
	}
}
