package signin

import (
	"github.com/brokle-ai/brokle-go/internal/recent"

	"crypto/sha256"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds the addresses that a throttle remembers, and the proofs: over it
// the one that was longest without a failure, or without a request, is forgotten.
const maxAddresses = 10_000

// throttle bounds how often one client address may fail to authenticate. Over the
// bound its failures are answered 429; what is right still goes in: a key of
// many characters cannot be guessed, and a short one is taken from an address that used
// it before. A new short key is not even compared then, so that guessing it takes years.
//
// The address is the connection's: what a header says, the client may have made up.
// Clients behind one proxy share an address.
type throttle struct {
	perMinute int

	mu      sync.Mutex // guards what follows
	failing recent.Map[netip.Addr, *rate.Limiter]
	proofs  recent.Map[proof, struct{}]
}

// proof is that a short key came from an address and was right.
type proof struct {
	addr netip.Addr
	hash [sha256.Size]byte
}

func newThrottle(perMinute int) *throttle {
	return &throttle{perMinute: perMinute, failing: recent.New[netip.Addr, *rate.Limiter](maxAddresses), proofs: recent.New[proof, struct{}](maxAddresses)}
}

// wait is how long the address has to wait before it may fail again; 0 is not at all.
func (t *throttle) wait(addr netip.Addr, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	bucket, ok := t.failing.Get(addr)
	if !ok {
		return 0
	}
	return untilOne(bucket, now)
}

func untilOne(bucket *rate.Limiter, now time.Time) time.Duration {
	spent := bucket.ReserveN(now, 1)
	defer spent.CancelAt(now)
	return spent.DelayFrom(now)
}

// fail counts a failure, or says how long the address should have waited with it.
func (t *throttle) fail(addr netip.Addr, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	bucket, ok := t.failing.Get(addr)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(float64(t.perMinute)/60), t.perMinute)
		t.failing.Put(addr, bucket)
	}
	if bucket.AllowN(now, 1) {
		return 0
	}
	return untilOne(bucket, now)
}

func (t *throttle) proved(p proof) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.proofs.Get(p)
	return ok
}

func (t *throttle) prove(p proof) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.proofs.Get(p); !ok {
		t.proofs.Put(p, struct{}{})
	}
}

// clientAddr is the address that failures count for: of IPv6 the network of 64
// bits, which is what one client has.
func clientAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := ap.Addr().Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}
