package server

import (
	"container/list"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// maxGuessers bounds the addresses that guesses remembers, and the proofs: over it
// the one that was longest without a failure, or without a request, is forgotten.
const maxGuessers = 10_000

// guesses bounds how often one client address may fail to authenticate. Over the
// bound its failures are answered 429; what is right still goes in: a key of
// many characters cannot be guessed, and a short one is taken from an address that used
// it before. A new short key is not even compared then, so that guessing it takes years.
//
// The address is the connection's: what a header says, the client may have made up.
// Clients behind one proxy share an address.
type guesses struct {
	perMinute int

	mu      sync.Mutex // guards what follows
	failing recent[netip.Addr, *rate.Limiter]
	proofs  recent[proof, struct{}]
}

// proof is that a short key came from an address and was right.
type proof struct {
	addr netip.Addr
	hash [sha256.Size]byte
}

func newGuesses(perMinute int) *guesses {
	return &guesses{perMinute: perMinute, failing: newRecent[netip.Addr, *rate.Limiter](maxGuessers), proofs: newRecent[proof, struct{}](maxGuessers)}
}

// wait is how long the address has to wait before it may fail again; 0 is not at all.
func (g *guesses) wait(addr netip.Addr, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	bucket, ok := g.failing.get(addr)
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
func (g *guesses) fail(addr netip.Addr, now time.Time) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	bucket, ok := g.failing.get(addr)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(float64(g.perMinute)/60), g.perMinute)
		g.failing.put(addr, bucket)
	}
	if bucket.AllowN(now, 1) {
		return 0
	}
	return untilOne(bucket, now)
}

func (g *guesses) proved(p proof) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.proofs.get(p)
	return ok
}

func (g *guesses) prove(p proof) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.proofs.get(p); !ok {
		g.proofs.put(p, struct{}{})
	}
}

// lookup finds whose key this is. The error is the answer to a wrong key, or to one
// that is not compared because too many wrong ones came from its address.
func (s *Server) lookup(r *http.Request, secret string) (keyring.Caller, error) {
	addr, now := clientAddr(r), s.o.Now()
	guessable := keyring.Guessable(secret)
	mine := proof{addr: addr}
	if guessable {
		mine.hash = sha256.Sum256([]byte(secret))
		if wait := s.guesses.wait(addr, now); wait > 0 && !s.guesses.proved(mine) {
			return keyring.Caller{}, tooManyFailures(wait)
		}
	}
	caller, ok := s.o.Keys.Lookup(secret)
	if !ok {
		return keyring.Caller{}, s.failed(addr, now, "the key is not known, or was revoked")
	}
	if guessable {
		s.guesses.prove(mine)
	}
	return caller, nil
}

// failed is the answer to a failed authentication: message, or that there were too many.
func (s *Server) failed(addr netip.Addr, now time.Time, message string) *problem {
	if wait := s.guesses.fail(addr, now); wait > 0 {
		return tooManyFailures(wait)
	}
	return problemf(http.StatusUnauthorized, codeUnauthorized, "%s", message)
}

func tooManyFailures(wait time.Duration) *problem {
	p := problemf(http.StatusTooManyRequests, codeTooManyFailures,
		"too many wrong keys came from this address: check the key, and wait for the seconds of Retry-After")
	p.retryAfter = wait
	return p
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

// recent is a map of bounded size that forgets what was longest not got.
type recent[K comparable, V any] struct {
	most  int
	items map[K]*list.Element
	order *list.List // of entry; the latest first
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](most int) recent[K, V] {
	return recent[K, V]{most: most, items: map[K]*list.Element{}, order: list.New()}
}

func (m *recent[K, V]) get(k K) (v V, ok bool) {
	e, ok := m.items[k]
	if !ok {
		return v, false
	}
	m.order.MoveToFront(e)
	return e.Value.(entry[K, V]).value, true
}

// put adds a key that is not there.
func (m *recent[K, V]) put(k K, v V) {
	if len(m.items) >= m.most {
		last := m.order.Back()
		delete(m.items, last.Value.(entry[K, V]).key)
		m.order.Remove(last)
	}
	m.items[k] = m.order.PushFront(entry[K, V]{k, v})
}
