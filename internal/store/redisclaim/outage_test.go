package redisclaim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// outage is one way in which Redis can be of no use, and how it ends.
type outage struct {
	begin, end func(s *redistest.Server)
	kind       string // of the errors; "" when it depends on the moment
}

func outages(t *testing.T) map[string]outage {
	master := redistest.Start(t)
	return map[string]outage{
		"Killed": {(*redistest.Server).Kill, (*redistest.Server).Restart, ""},
		"Paused": {(*redistest.Server).Pause, (*redistest.Server).Resume, "timeout"},
		"Full": {func(s *redistest.Server) { s.Do("CONFIG", "SET", "maxmemory", "1") },
			func(s *redistest.Server) { s.Do("CONFIG", "SET", "maxmemory", "0") }, "full"},
		"ReadOnly": {func(s *redistest.Server) {
			host, port, _ := strings.Cut(master.Addr, ":")
			s.Do("REPLICAOF", host, port)
		}, func(s *redistest.Server) { s.Do("REPLICAOF", "NO", "ONE") }, "readonly"},
		"Locked": {func(s *redistest.Server) {
			s.Do("CONFIG", "SET", "requirepass", "x")
			s.Do("-a", "x", "CLIENT", "KILL", "TYPE", "normal")
		},
			func(s *redistest.Server) { s.Do("-a", "x", "CONFIG", "SET", "requirepass", "") }, "auth"},
	}
}

func TestOutages(t *testing.T) {
	t.Parallel()
	for name, o := range outages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			testOutage(t, s, o)
		})
	}
}

func testOutage(t *testing.T, s *redistest.Server, o outage) {
	log := &watch.Output{}
	opts := Options{URL: s.URL(), Timeout: 300 * time.Millisecond, Probe: 50 * time.Millisecond, Wait: -1}
	b := open(t, opts)
	opts.Logger = slog.New(slog.NewTextHandler(log, nil))
	a := open(t, opts)
	held := numbered(50, "held")
	if n, _ := claimed(t, a, "p", "one", held); n != len(held) {
		t.Fatalf("%d claimed", n)
	}
	o.begin(s)
	// It is noticed without any request, within property 34's 5 s.
	redistest.Eventually(t, 5*time.Second, func() bool { return a.Health() != nil && b.Health() != nil })
	if err := a.Health(); !errors.Is(err, store.ErrDegraded) || !strings.Contains(err.Error(), s.Addr) {
		t.Errorf("health: %v", err)
	}
	alone := numbered(50, "alone")
	start := time.Now()
	for range 100 {
		if _, err := a.Claim(t.Context(), "p", alone, "two", time.Minute); !errors.Is(err, store.ErrDegraded) {
			t.Fatalf("claim: %v", err)
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("100 claims without redis took %s: they wait for it", d)
	}
	for _, ids := range [][]string{held, alone} {
		if err := a.Commit(t.Context(), "p", ids, "one", time.Minute); !errors.Is(err, store.ErrDegraded) {
			t.Fatalf("commit: %v", err)
		}
	}
	if err := a.Release(t.Context(), "p", alone, "one"); !errors.Is(err, store.ErrDegraded) {
		t.Fatalf("release: %v", err)
	}
	if st := a.Stats(); st.Backlog != 100 || st.Up || st.Degraded != 1 || o.kind != "" && st.Errors[o.kind] == 0 {
		t.Errorf("stats: %+v", st)
	}
	o.end(s)
	redistest.Eventually(t, 10*time.Second, func() bool { return a.Health() == nil && b.Health() == nil })
	for _, ids := range [][]string{held, alone} {
		for i, st := range mustClaim(t, b, "p", "two", ids) {
			if st != store.ClaimedBefore {
				t.Fatalf("%s was stored while redis was away, and has state %d elsewhere", ids[i], st)
			}
		}
	}
	if st := a.Stats(); st.Backlog != 0 || !st.Up || st.Handed != 100 || st.Dropped != 0 {
		t.Errorf("stats: %+v", st)
	}
	if s := log.String(); strings.Count(s, "deduplicates alone") != 1 || strings.Count(s, "redis is back") != 1 {
		t.Errorf("log:\n%s", s)
	}
}

// A node may start before Redis does.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Kill()
	c := open(t, Options{URL: s.URL(), Timeout: 300 * time.Millisecond, Probe: 50 * time.Millisecond})
	if err := c.Health(); err == nil {
		t.Fatal("no redis, and healthy")
	}
	if err := c.Commit(t.Context(), "p", []string{"id"}, "one", time.Minute); !errors.Is(err, store.ErrDegraded) {
		t.Fatal(err)
	}
	s.Restart()
	redistest.Eventually(t, 10*time.Second, func() bool { return c.Health() == nil })
	if got := mustClaim(t, c, "p", "two", []string{"id"})[0]; got != store.ClaimedBefore {
		t.Errorf("state %d", got)
	}
}

// Redis may lose everything: between a claim and its commit, and after.
func TestFlushAll(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := open(t, Options{URL: s.URL(), Wait: -1})
	ids := numbered(50, "id")
	claimed(t, a, "p", "one", ids)
	s.Do("FLUSHALL")
	s.Do("SCRIPT", "FLUSH")
	if err := a.Commit(t.Context(), "p", ids, "one", time.Minute); err != nil {
		t.Fatal(err)
	}
	if st := a.Stats(); st.Lapsed != 50 {
		t.Errorf("%d leases lost, want 50", st.Lapsed)
	}
	if n, _ := claimed(t, a, "p", "two", ids); n != 0 {
		t.Errorf("%d of what is stored are free", n)
	}
	s.Do("FLUSHALL")
	if n, _ := claimed(t, a, "p", "two", ids); n != 50 {
		t.Errorf("%d of 50 free in an empty redis", n)
	}
	s.Do("FLUSHALL")
	if err := a.Release(t.Context(), "p", ids, "two"); err != nil {
		t.Fatal(err)
	}
	if keys := s.Do("DBSIZE"); keys != "0" {
		t.Errorf("%s keys after a release", keys)
	}
}

// The backlog has a bound: the oldest marks go first. Marks that have expired are not handed over.
func TestBacklogBound(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Kill()
	now := time.Now()
	c := open(t, Options{URL: s.URL(), Timeout: 300 * time.Millisecond, Probe: 50 * time.Millisecond, Backlog: 100,
		Now: func() time.Time { return now }})
	ids := numbered(120, "id")
	for i, id := range ids {
		ttl := time.Minute
		if i%2 == 1 {
			ttl = -time.Second
		}
		if err := c.Commit(t.Context(), fmt.Sprint("p", i%4), []string{id}, "one", ttl); !errors.Is(err, store.ErrDegraded) {
			t.Fatal(err)
		}
	}
	if st := c.Stats(); st.Backlog != 100 || st.Dropped != 20 {
		t.Errorf("stats: %+v", st)
	}
	s.Restart()
	redistest.Eventually(t, 10*time.Second, func() bool { return c.Health() == nil })
	for i, id := range ids {
		want := store.Claimed
		if i >= 20 && i%2 == 0 {
			want = store.ClaimedBefore
		}
		if got := mustClaim(t, c, fmt.Sprint("p", i%4), "two", []string{id})[0]; got != want {
			t.Errorf("%s: state %d, want %d", id, got, want)
		}
	}
	if st := c.Stats(); st.Handed != 50 {
		t.Errorf("%d handed over, want 50", st.Handed)
	}
}

func TestBacklogRing(t *testing.T) {
	t.Parallel()
	b := backlog{max: 3000}
	next, first := 0, 0
	for round := range 50 {
		for range 100 + 37*round {
			if b.add(mark{until: int64(next)}) {
				first++
			}
			next++
		}
		for _, m := range b.take(90 + 31*round) {
			if m.until != int64(first) {
				t.Fatalf("round %d: mark %d, want %d", round, m.until, first)
			}
			first++
		}
		if b.size() != next-first || b.size() > 3000 {
			t.Fatalf("round %d: size %d, want %d", round, b.size(), next-first)
		}
	}
	if len(b.take(1<<20)) == 0 || b.size() != 0 {
		t.Error("it is not empty")
	}
}

func TestEvictingPolicyIsWarnedOf(t *testing.T) {
	t.Parallel()
	for policy, warns := range map[string]bool{"noeviction": false, "allkeys-lru": true, "volatile-ttl": true} {
		s := redistest.Start(t, "--maxmemory-policy", policy, "--maxmemory", "100mb")
		log := &watch.Output{}
		open(t, Options{URL: s.URL(), Logger: slog.New(slog.NewTextHandler(log, nil))})
		if got := strings.Contains(log.String(), "evict"); got != warns {
			t.Errorf("%s: warned %v\n%s", policy, got, log)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	s := redistest.Start(t)
	before := goleak.IgnoreCurrent()
	c, err := Open(t.Context(), Options{URL: s.URL(), Timeout: patient})
	if err != nil {
		t.Fatal(err)
	}
	claimed(t, c, "p", "one", []string{"id"})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}

// A caller that gives up says nothing about Redis.
func TestCallersContext(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := redistest.NewProxy(t, s.Addr)
	c := open(t, Options{URL: p.URL(), Timeout: patient})
	p.Plan(func(int) redistest.Fault { return redistest.Swallow })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Claim(ctx, "p", []string{"id"}, "one", time.Minute); err == nil {
		t.Error("no answer and no error")
	}
	if err := c.Health(); err != nil {
		t.Error(err)
	}
	p.Plan(nil)
}
