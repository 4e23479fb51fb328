package sdk

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of the calling thread (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID). It is there on Linux.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
