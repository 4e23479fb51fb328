//go:build !linux

package sdk

import "time"

var began = time.Now()

// threadTime is the time that passes, where no system call is known that tells what a thread used.
func threadTime() time.Duration { return time.Since(began) }
