// Package clock waits: once, or again and again. It promises that the end of a context ends each wait at once.
package clock

import (
	"context"
	"time"
)

// Sleep waits for d. When ctx ends first, the error is ctx's.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Every calls do each d until ctx ends, the first time after d. Calls do not overlap: what comes due during one is left out.
func Every(ctx context.Context, d time.Duration, do func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do()
		case <-ctx.Done():
			return
		}
	}
}

// Pause waits for d, or less when somebody calls Wake. It is false when ctx ended.
func Pause(ctx context.Context, d time.Duration, c <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// Wake ends a Pause on c, this one or the next. c has room for one.
func Wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // somebody has said so
	}
}
