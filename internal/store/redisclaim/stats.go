package redisclaim

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/brokle-ai/brokle-go/internal/store"
)

type counters struct {
	mu sync.Mutex // guards the rest

	claims, commits, releases, waited, yielded, lapsed, handed, dropped, opened int64

	errors map[string]int64
}

func (n *counters) add(counter *int64, by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	*counter += int64(by)
}

func (n *counters) fail(kind string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.errors[kind]++
}

// Stats returns the counters. The kinds of its Errors are those of kindOf.
func (c *Claimer) Stats() store.ClaimerStats {
	backlog := int64(c.backlog.size())
	n := &c.n
	n.mu.Lock()
	defer n.mu.Unlock()
	return store.ClaimerStats{
		Up: c.health.up(), Claims: n.claims, Commits: n.commits, Releases: n.releases, Waited: n.waited, Yielded: n.yielded,
		Lapsed: n.lapsed, Backlog: backlog, Handed: n.handed, Dropped: n.dropped, Degraded: n.opened, Errors: maps.Clone(n.errors),
	}
}

// kindOf is the kind of a failure, for counting: timeout, network, damaged, full
// (OOM), readonly, auth, cluster, loading or other.
func kindOf(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, errDamaged):
		return "damaged"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout) || errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed):
		return "network"
	}
	for _, k := range []struct{ prefix, kind string }{
		{"OOM", "full"}, {"READONLY", "readonly"}, {"NOAUTH", "auth"}, {"WRONGPASS", "auth"}, {"NOPERM", "auth"},
		{"CLUSTERDOWN", "cluster"}, {"MOVED", "cluster"}, {"ASK", "cluster"}, {"TRYAGAIN", "cluster"}, {"LOADING", "loading"},
	} {
		if redis.HasErrorPrefix(err, k.prefix) {
			return k.kind
		}
	}
	return "other"
}
