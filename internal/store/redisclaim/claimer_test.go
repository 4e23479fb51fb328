package redisclaim

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// patient is for tests in which Redis is there: the machine may be slow.
const patient = 10 * time.Second

func open(t testing.TB, o Options) *Claimer {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = patient
	}
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func conformance(t *testing.T, url string) {
	storetest.Claimer(t, func(t *testing.T, patience time.Duration) store.Claimer {
		return open(t, Options{URL: url, Wait: patience})
	})
}

func TestOneServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	conformance(t, s.URL())
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/s"
	redistest.Start(t, "--unixsocket", path)
	c := open(t, Options{URL: "unix://" + path})
	if err := c.Commit(t.Context(), "p", []string{"id"}, "one", time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "s e@cret")
	log := &watch.Output{}
	c := open(t, Options{URL: "redis://:s%20e%40cret@" + s.Addr + "/3"})
	if err := c.Commit(t.Context(), "p", []string{"id"}, "one", time.Minute); err != nil {
		t.Fatal(err)
	}
	wrong := open(t, Options{URL: "redis://:s%20e%40CRET@" + s.Addr, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err := wrong.Health(); err == nil {
		t.Error("a wrong password is no error")
	} else if strings.Contains(err.Error()+log.String(), "CRET") {
		t.Errorf("a password is shown: %v\n%s", err, log)
	}
	if wrong.Stats().Errors["auth"] == 0 {
		t.Errorf("errors: %v", wrong.Stats().Errors)
	}
}

func numbered(n int, prefix string) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return ids
}

func claimed(t *testing.T, c *Claimer, project, owner string, ids []string) (n int, states []store.ClaimState) {
	t.Helper()
	states, err := c.Claim(t.Context(), project, ids, owner, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if s == store.Claimed {
			n++
		}
	}
	return n, states
}

// Sweeping: a bucket that keeps getting ids does not keep those that expired.
func TestExpiredIdsAreSwept(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := open(t, Options{URL: s.URL()})
	const live, most = 40, 100
	places := make([]place, most)
	for i := range places {
		places[i] = placeOf(fmt.Sprint(i))
		places[i].tag, places[i].bucket = 1, 1 // all in one bucket
	}
	ttls := make([]byte, 0, 4*most)
	for i := range places {
		ttl := uint32(time.Hour.Milliseconds())
		if i >= live {
			ttl = 1
		}
		ttls = binary.BigEndian.AppendUint32(ttls, ttl)
	}
	if err := c.commit(t.Context(), "p", places, "0123456789abcdef", ttls, [tagCount]int64{}); err != nil {
		t.Fatal(err)
	}
	size := func() string { return s.Do("HLEN", keysOf("p").key(places[0])) }
	if got := size(); got == fmt.Sprint(live) {
		t.Fatalf("%s fields at once", got)
	}
	redistest.Eventually(t, 10*time.Second, func() bool { // what is marked already sweeps, too
		if err := c.commit(t.Context(), "p", places[:2], "0123456789abcdef", ttls[:8], [tagCount]int64{}); err != nil {
			t.Fatal(err)
		}
		return size() == fmt.Sprint(live)
	})
}

// A bucket goes as a whole some time after its last mark has expired, and a lease alone
// does not keep it for good.
func TestBucketsExpire(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := open(t, Options{URL: s.URL()})
	within := func(id string, least, most time.Duration) {
		t.Helper()
		got := s.Do("PTTL", keysOf("p").key(placeOf(id)))
		var ms int64
		if _, err := fmt.Sscan(got, &ms); err != nil || ms < least.Milliseconds() || ms > most.Milliseconds() {
			t.Errorf("bucket of %s lives %s ms, want %s to %s", id, got, least, most)
		}
	}
	claimed(t, c, "p", "one", []string{"leased"})
	within("leased", leastLife+30*time.Second, 2*leastLife)
	for id, ttl := range map[string]time.Duration{"minute": time.Minute, "day": 24 * time.Hour} {
		claimed(t, c, "p", "one", []string{id})
		if err := c.Commit(t.Context(), "p", []string{id}, "one", ttl); err != nil {
			t.Fatal(err)
		}
		within(id, ttl-time.Minute, max(2*leastLife, ttl*9/8))
	}
	if err := c.Commit(t.Context(), "p", []string{"late"}, "one", time.Minute); err != nil {
		t.Fatal(err)
	}
	within("late", 50*time.Second, 68*time.Second)
}

// The layout keeps its promise on memory: the buckets stay packed.
func TestMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills a redis with 300 000 ids")
	}
	bytes := bytesPerID(t, 300_000)
	t.Logf("%.1f bytes per id", bytes)
	if bytes > 60 {
		t.Errorf("%.1f bytes per id, want at most 60", bytes)
	}
}

func bytesPerID(t testing.TB, n int) float64 {
	s := redistest.Start(t)
	c := open(t, Options{URL: s.URL()})
	used := func() (v float64) {
		_, _ = fmt.Sscan(infoField(s.Do("INFO", "memory"), "used_memory"), &v)
		return v
	}
	before := used()
	ids := make([]string, 1000)
	for at := 0; at < n; at += len(ids) {
		for i := range ids {
			ids[i] = fmt.Sprintf("01K0ZV6B3T8M5Q2Y%010d", at+i)
		}
		owner := fmt.Sprint(at)
		if _, err := c.Claim(t.Context(), "proj_default", ids, owner, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), "proj_default", ids, owner, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	key := keysOf("proj_default").key(placeOf(ids[0]))
	if got := s.Do("OBJECT", "ENCODING", key); got != "listpack" && got != "ziplist" {
		t.Errorf("a bucket is kept as %s", got)
	}
	return (used() - before) / float64(n)
}

// BenchmarkMemory reports bytes per id for the sizing table in docs/scale-out.md.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000, 4_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(bytesPerID(b, n), "bytes/id")
			}
		})
	}
}

func BenchmarkClaimCommit(b *testing.B) {
	s := redistest.Start(b)
	c := open(b, Options{URL: s.URL()})
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			ids := make([]string, n)
			for round := 0; b.Loop(); round++ {
				for i := range ids {
					ids[i] = fmt.Sprintf("%d-%d-%d", n, round, i)
				}
				if _, err := c.Claim(b.Context(), "p", ids, ids[0], time.Minute); err != nil {
					b.Fatal(err)
				}
				if err := c.Commit(b.Context(), "p", ids, ids[0], time.Minute); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/id")
		})
	}
}
