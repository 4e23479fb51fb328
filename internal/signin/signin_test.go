package signin

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestSignInsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSignIns(func() time.Time { return now })
	first := s.start("k")
	now = now.Add(time.Second)
	var last string
	for range maxSignIns {
		last = s.start("k")
	}
	if _, _, ok := s.use(first); ok {
		t.Error("the oldest sign-in is still there")
	}
	if _, _, ok := s.use(last); !ok || len(s.active) != maxSignIns {
		t.Errorf("the newest is there: %v, %d sign-ins", ok, len(s.active))
	}
	now = now.Add(2 * Idle)
	s.start("k")
	if len(s.active) != 1 {
		t.Errorf("%d sign-ins after all others ended", len(s.active))
	}
}

// Addresses do not count for one another, and there are only so many of them.
func TestGuessersAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := newThrottle(1)
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * maxAddresses {
		if wait := g.fail(addr(i), now); wait != 0 {
			t.Fatalf("the first failure of %v waits %v", addr(i), wait)
		}
		g.prove(proof{addr: addr(i)})
	}
	if g.failing.Len() != maxAddresses || g.proofs.Len() != maxAddresses {
		t.Errorf("%d addresses and %d proofs are remembered", g.failing.Len(), g.proofs.Len())
	}
	if g.wait(addr(3*maxAddresses-1), now) != time.Minute || g.wait(addr(0), now) != 0 || g.proved(proof{addr: addr(0)}) {
		t.Error("the latest is remembered and the first is not: it is not so")
	}
}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7:80": "192.0.2.7", "[::ffff:192.0.2.7]:80": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::",
		"[2001:db8:1:2::9]:81": "2001:db8:1:2::", "[fe80::1%eth0]:80": "fe80::", "@": "invalid IP", "": "invalid IP",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		if got := clientAddr(r).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}
