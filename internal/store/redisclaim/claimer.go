package redisclaim

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// maxTTL is the longest ttl of a mark: what four bytes of milliseconds hold is more.
const maxTTL = 25 * time.Hour

// leastLife is how much longer than a lease its bucket lives at least. A commit
// with a ttl up to this need not look at the bucket's expiry; it is the ttl that
// clients get who ask for none.
const leastLife = time.Hour

// Claimer is a store.Claimer on Redis. Its methods are safe for concurrent use.
type Claimer struct {
	o       Options
	address Address
	cluster bool
	client  redis.UniversalClient
	scripts scripts
	nonce   atomic.Uint64 // of calls; what makes an answer that of its question
	calls   atomic.Uint32 // of commits; moves where they sweep
	n       counters
	health  health
	backlog backlog
	leases  leases
	stop    context.CancelFunc
	done    sync.WaitGroup
}

var _ store.Claimer = (*Claimer)(nil)

// Open reads the options and starts to look after the Redis they name. A Redis
// that does not answer is no error: the Claimer begins degraded, and says so in
// its log and Health. Close ends it.
func Open(ctx context.Context, o Options) (*Claimer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	address, err := ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	redis.SetLogger(clientLog{o.Logger})
	c := &Claimer{o: o, address: address, cluster: address.Cluster, scripts: newScripts()}
	c.client = newClient(address, o.Timeout)
	c.nonce.Store(uint64(o.Now().UnixNano()))
	c.n.errors = map[string]int64{}
	c.health = newHealth()
	c.backlog.max = o.Backlog
	run, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.probe(ctx)
	c.done.Go(func() { c.watch(run) })
	return c, nil
}

// Close hands over what is in the backlog if Redis is there, and ends.
func (c *Claimer) Close() error {
	c.stop()
	c.done.Wait()
	if c.health.up() {
		ctx, cancel := context.WithTimeout(context.Background(), c.o.Timeout)
		defer cancel()
		_ = c.hand(ctx) // counted as dropped below
	}
	if left := c.backlog.size(); left > 0 {
		c.o.Logger.Warn("marks were not handed to redis", "marks", left)
	}
	if err := c.client.Close(); err != nil {
		return fmt.Errorf("close redis client: %w", err)
	}
	return nil
}

// Claim is store.Claimer's. It makes one round trip, and further ones only for
// ids that another owner holds.
func (c *Claimer) Claim(ctx context.Context, project string, ids []string, owner string, lease time.Duration) ([]store.ClaimState, error) {
	if !c.health.up() {
		return nil, c.health.degraded()
	}
	if len(ids) == 0 {
		return []store.ClaimState{}, nil
	}
	c.n.add(&c.n.claims, len(ids))
	w := wait{c: c, project: project, owner: tokenOf(owner), lease: lease, places: placesOf(ids)}
	digits, err := w.claim(ctx, w.places)
	if err != nil {
		return nil, c.failed(ctx, "claim", project, err)
	}
	w.digits = digits
	if w.blocked() {
		w.wait(ctx)
	}
	c.leases.put(&w, ids, c.o.Now())
	return w.states(), nil
}

// Commit is store.Claimer's.
func (c *Claimer) Commit(ctx context.Context, project string, ids []string, owner string, ttl time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	token := tokenOf(owner)
	places, lapse := c.leases.take(project, token, ids)
	if !c.health.up() {
		c.keep(project, places, ttl)
		return c.health.degraded()
	}
	c.n.add(&c.n.commits, len(ids))
	ms := milliseconds(ttl)
	if err := c.commit(ctx, project, places, token, binary.BigEndian.AppendUint32(nil, ms), lapse); err != nil {
		c.keep(project, places, ttl)
		return c.failed(ctx, "commit", project, err)
	}
	return nil
}

func milliseconds(ttl time.Duration) uint32 {
	return uint32(min(max(1, ttl.Milliseconds()), min(maxTTL.Milliseconds(), math.MaxUint32)))
}

// commit runs the script. ttls is one ttl for all places or one for each; lapse,
// by tag, when the token's leases on all of them lapse, zero: it may not have them.
func (c *Claimer) commit(ctx context.Context, project string, places []place, token string, ttls []byte, lapse [tagCount]int64) error {
	start := int(c.calls.Add(1) % 1021)
	digits, err := c.run(ctx, c.scripts.commit, project, places, func(g group, nonce string) []any {
		mine := ttls
		if len(ttls) > 4 {
			mine = make([]byte, 0, 4*len(g.at))
			for _, at := range g.at {
				mine = append(mine, ttls[4*at:4*at+4]...)
			}
		}
		return []any{token, mine, leastLife.Milliseconds(), nonce, start, lapse[g.tag]}
	}, nil)
	if err != nil {
		return err
	}
	lost := 0
	for _, d := range digits {
		if d == '3' {
			lost++
		}
	}
	if token != handedOver {
		c.n.add(&c.n.lapsed, lost)
	}
	return nil
}

// Release is store.Claimer's. Leases that cannot be given up lapse by themselves.
func (c *Claimer) Release(ctx context.Context, project string, ids []string, owner string) error {
	if len(ids) == 0 {
		return nil
	}
	if !c.health.up() {
		return c.health.degraded()
	}
	c.n.add(&c.n.releases, len(ids))
	if err := c.release(ctx, project, placesOf(ids), tokenOf(owner)); err != nil {
		return c.failed(ctx, "release", project, err)
	}
	return nil
}

func (c *Claimer) release(ctx context.Context, project string, places []place, token string) error {
	_, err := c.run(ctx, c.scripts.release, project, places, func(_ group, nonce string) []any {
		return []any{token, nonce}
	}, nil)
	return err
}
