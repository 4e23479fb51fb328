package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := Sleep(t.Context(), time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if err := Sleep(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("with a second for it: %v after %s", err, time.Since(start))
		}
	})
}

func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Nanosecond)
		defer cancel()
		start := time.Now()
		var at []time.Duration
		Every(ctx, 4*time.Second, func() { at = append(at, time.Since(start)) })
		if len(at) != 2 || at[0] != 4*time.Second || at[1] != 8*time.Second {
			t.Errorf("called at %v", at)
		}
		if took := time.Since(start); took != 10*time.Second+time.Nanosecond {
			t.Errorf("ended after %s", took)
		}
	})
}
