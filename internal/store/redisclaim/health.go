package redisclaim

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// health is whether Redis is used now. It goes down with the first error, so that
// one request at most waits for a Redis that is gone, and up with a
// probe that did what requests do.
type health struct {
	isUp atomic.Bool
	seen atomic.Int64  // when an answer came last, Unix nanoseconds
	wake chan struct{} // holds one; tells watch that it went down

	mu      sync.Mutex // guards the rest
	reason  error      // why it is down
	since   time.Time  // when it went down
	project string     // whose call failed last: a probe asks in its slots
}

func newHealth() health {
	return health{wake: make(chan struct{}, 1), reason: fmt.Errorf("not asked yet"), project: "probe"}
}

func (h *health) up() bool { return h.isUp.Load() }

func (h *health) degraded() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Errorf("%w: redis: %w", store.ErrDegraded, h.reason)
}

// Health is nil while Redis is used, else it says since when it is not, and why.
func (c *Claimer) Health() error {
	if c.health.up() {
		return nil
	}
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	return fmt.Errorf("%s: %w (since %s): %w", c.address, store.ErrDegraded, c.health.since.UTC().Format(time.RFC3339), c.health.reason)
}

// failed notes that a step failed and returns what the caller returns. An end
// of the caller's own context says nothing about Redis.
func (c *Claimer) failed(ctx context.Context, step, project string, err error) error {
	if ctx.Err() == nil {
		c.n.fail(kindOf(err))
		c.down(step, project, err)
	}
	return fmt.Errorf("%w: redis %s: %w", store.ErrDegraded, step, err)
}

func (c *Claimer) down(step, project string, err error) {
	h := &c.health
	h.mu.Lock()
	h.reason, h.project = err, project
	was := h.isUp.Swap(false)
	if was || h.since.IsZero() {
		h.since = c.o.Now()
	}
	h.mu.Unlock()
	if !was {
		return
	}
	c.n.add(&c.n.opened, 1)
	c.o.Logger.Warn("redis does not work as it should: this node deduplicates alone until it does",
		"redis", c.address.String(), "step", step, "error", err)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// watch keeps asking a Redis that is away, and one that is there but not used.
func (c *Claimer) watch(ctx context.Context) {
	const soon = 50 * time.Millisecond
	pause := min(soon, c.o.Probe)
	t := time.NewTimer(pause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.health.wake:
			pause = min(soon, c.o.Probe)
		case <-t.C:
		}
		c.leases.forget(c.o.Now())
		if !c.health.up() || c.o.Now().UnixNano()-c.health.seen.Load() >= int64(c.o.Probe) {
			c.probe(ctx)
		}
		if c.health.up() {
			pause = c.o.Probe
		} else {
			pause = min(2*pause, c.o.Probe)
		}
		t.Reset(pause)
	}
}

// probe leases one id in each slot that the last failing project uses, and gives
// it up again: the same commands as for requests, so it fails for the same
// reasons. The ids are not the hash of anything that can be found.
func (c *Claimer) probe(ctx context.Context) {
	c.health.mu.Lock()
	project := c.health.project
	c.health.mu.Unlock()
	if cluster, ok := c.client.(*redis.ClusterClient); ok && !c.health.up() {
		cluster.ReloadState(ctx) // a replica may have taken over; the next probe knows
	}
	places := make([]place, 1, tagCount)
	for tag := 1; c.cluster && tag < tagCount; tag++ {
		places = append(places, place{tag: uint8(tag)})
	}
	w := wait{c: c, project: project, owner: tokenOf(fmt.Sprintf("probe %p %d", c, c.nonce.Add(1))), lease: c.o.Timeout}
	_, err := w.claim(ctx, places)
	if err == nil {
		err = c.release(ctx, project, places, w.owner)
	}
	if err == nil && !c.health.up() {
		err = c.hand(ctx)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.n.fail(kindOf(err))
		c.down("probe", project, err)
	case !c.health.up():
		c.arrive(ctx)
	}
}

// arrive begins to use Redis.
func (c *Claimer) arrive(ctx context.Context) {
	c.health.mu.Lock()
	since := c.health.since
	c.health.isUp.Store(true)
	c.health.mu.Unlock()
	if since.IsZero() {
		c.o.Logger.Info("deduplicating across nodes", "redis", c.address.String())
	} else {
		c.o.Logger.Info("redis is back: deduplicating across nodes", "redis", c.address.String(),
			"away", c.o.Now().Sub(since).Round(time.Millisecond).String())
	}
	if err := c.hand(ctx); err != nil { // what requests left behind just before
		_ = c.failed(ctx, "commit", "probe", err)
		return
	}
	c.checkServers(ctx)
}
