package server

import (
	"context"
	"runtime"
)

// work are the slots in which streamed answers are made: those that read much take half of the processors, however many they
// are, so that what comes in does not wait for them. A slot is not held while a client takes what was made.
type work chan struct{}

func newWork() work { return make(work, max(1, runtime.GOMAXPROCS(0)/2)) }

// take waits for a slot; the error is ctx's.
func (w work) take(ctx context.Context) error {
	select {
	case w <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w work) give() { <-w }
