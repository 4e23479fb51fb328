package transport

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// RetryPolicy decides whether and when a failed request is sent again.
// It is asked only for errors that are Retryable, and must be safe for concurrent use.
type RetryPolicy interface {
	// Next is called after the attempt-th failure in a row (1 is the first).
	// again false gives the request up.
	Next(attempt int, err *RequestError) (wait time.Duration, again bool)
}

// ExponentialBackoff waits a random time between 0 and Base·2^(attempt−1),
// at most Max ("full jitter"), and never less than the server's Retry-After. It never gives up
// by itself: Config.MaxRetries and Close bound the tries.
type ExponentialBackoff struct {
	Base time.Duration // default 200 ms
	Max  time.Duration // default 30 s; it bounds Retry-After too, at ten times this
}

// Next implements RetryPolicy.
func (b ExponentialBackoff) Next(attempt int, err *RequestError) (time.Duration, bool) {
	base, most := cmp.Or(b.Base, 200*time.Millisecond), cmp.Or(b.Max, 30*time.Second)
	ceiling := most
	if shift := attempt - 1; shift < 30 && base < most>>shift {
		ceiling = base << shift
	}
	wait := time.Duration(rand.Int64N(int64(ceiling) + 1))
	if err != nil {
		wait = max(wait, min(err.RetryAfter, 10*most))
	}
	return wait, true
}
