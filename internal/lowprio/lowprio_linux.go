package lowprio

import "syscall"

// niceness is what Lower adds to that of the process.
const niceness = 2

// Lower makes the calling thread, and those it starts, give way. The goroutine is locked to its thread
// (runtime.LockOSThread), and stays so: priority that was given up does not come back. On
// Linux a priority is a thread's own (setpriority(2), "C library/kernel differences").
// Where it is refused nothing is lost: the thread runs like all others.
func Lower() {
	tid := syscall.Gettid()
	// The kernel's answer is 20 − nice (getpriority(2)).
	if now, err := syscall.Getpriority(syscall.PRIO_PROCESS, tid); err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, tid, min(20-now+niceness, 19))
	}
}
