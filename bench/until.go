package main

import (
	"context"
	"errors"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// pollEvery is how often a server that is measured is asked how far it is.
const pollEvery = 100 * time.Millisecond

// errNotYet is what until waits out.
var errNotYet = errors.New("it has not happened yet")

// until asks again and again while the answer is errNotYet, and returns any other.
func until(ctx context.Context, every time.Duration, ask func() error) error {
	for {
		err := ask()
		if !errors.Is(err, errNotYet) {
			return err
		}
		if end := clock.Sleep(ctx, every); end != nil {
			return errors.Join(err, end)
		}
	}
}
