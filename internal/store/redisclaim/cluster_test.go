package redisclaim

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// One Cluster serves these tests: it takes seconds to make.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	t.Run("Conformance", func(t *testing.T) { conformance(t, cluster.URL()) })
	t.Run("SpreadsOverMasters", func(t *testing.T) {
		c := open(t, Options{URL: cluster.URL()})
		ids := numbered(500, "spread")
		claimed(t, c, "spread", "one", ids)
		for _, m := range cluster.Masters() {
			if n := m.Do("--scan", "--pattern", "brokle:1:{spread:*"); n == "" {
				t.Errorf("%s has no bucket of 500 ids", m.Addr)
			}
		}
	})
	t.Run("Policy", func(t *testing.T) {
		m := cluster.Masters()[1]
		m.Do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
		log := &watch.Output{}
		open(t, Options{URL: cluster.URL(), Logger: slog.New(slog.NewTextHandler(log, nil))})
		if s := log.String(); strings.Count(s, "evict keys when") != 1 || !strings.Contains(s, m.Addr) {
			t.Errorf("log: %s", s)
		}
		m.Do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	})
	t.Run("Failover", func(t *testing.T) { failover(t, cluster) })
}

// A master that dies: claims are degraded until its replica takes over, and what
// was committed meanwhile is a mark afterwards.
func failover(t *testing.T, cluster *redistest.Cluster) {
	a := open(t, Options{URL: cluster.URL(), Probe: 100 * time.Millisecond, Timeout: 2 * time.Second})
	b := open(t, Options{URL: cluster.URL(), Probe: 100 * time.Millisecond, Timeout: 2 * time.Second})
	cluster.Masters()[0].Kill()
	ids := numbered(200, "id")
	degraded := false
	for deadline := time.Now().Add(10 * time.Second); !degraded && time.Now().Before(deadline); {
		_, err := a.Claim(t.Context(), "failover", numbered(100, "other"), "one", time.Minute)
		degraded = err != nil
	}
	if !degraded {
		t.Fatal("claims go on although a master is gone")
	}
	_ = a.Commit(t.Context(), "failover", ids, "one", time.Minute) // degraded: kept for later
	redistest.Eventually(t, 60*time.Second, func() bool { return a.Health() == nil && b.Health() == nil && a.Stats().Backlog == 0 })
	if n, states := claimed(t, b, "failover", "two", ids); n != 0 {
		t.Errorf("%d of %d ids are free after the failover: %v", n, len(ids), states)
	}
}
