package server

import (
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rates holds one token bucket of events per key. Its size is bounded by the
// number of keys that ever called.
type rates struct {
	perSecond float64
	burst     int
	mu        sync.Mutex // guards buckets
	buckets   map[string]*rate.Limiter
}

// newRates returns buckets that hold a second's worth of events, and at least
// one full batch: a smaller one could never let it pass.
func newRates(perSecond float64, maxEvents int) *rates {
	burst := max(1000, maxEvents, int(math.Ceil(min(perSecond, math.MaxInt32))))
	return &rates{perSecond: perSecond, burst: burst, buckets: map[string]*rate.Limiter{}}
}

// take spends n events of the key's rate, or says when they may be sent.
func (r *rates) take(keyID string, n int, now time.Time) error {
	if r.perSecond == 0 {
		return nil
	}
	r.mu.Lock()
	bucket := r.buckets[keyID]
	if bucket == nil {
		bucket = rate.NewLimiter(rate.Limit(r.perSecond), r.burst)
		r.buckets[keyID] = bucket
	}
	r.mu.Unlock()
	spent := bucket.ReserveN(now, min(n, r.burst))
	wait := spent.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	spent.CancelAt(now)
	p := problemf(http.StatusTooManyRequests, codeRateLimited,
		"the key may send %v events a second; nothing of this request was kept, send it again after the seconds of Retry-After", r.perSecond)
	p.retryAfter = wait
	return p
}
