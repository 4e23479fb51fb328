package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// fleet is two nodes that share a Redis, and one ledger: a client does not know which
// of them it talks to.
type fleet struct {
	nodes []*world
	redis *redistest.Server
	proxy *redistest.Proxy // stands before it
}

// fleetFault is one kind of misfortune of a fleet.
type fleetFault struct {
	name  string
	apart bool // nodes may accept the same event: they cannot know
	run   func(*fleet) error
}

func newFleet(t *testing.T, c *campaign, dir string, args ...string) (*fleet, error) {
	f := &fleet{redis: redistest.Start(t)}
	f.proxy = redistest.NewProxy(t, f.redis.Addr)
	f.proxy.Late = 300 * time.Millisecond
	for _, name := range []string{"a", "b"} {
		w, err := newWorld(t.Context(), bin, c.rng, filepath.Join(dir, name), append([]string{"--redis-url", f.proxy.URL()}, args...)...)
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			w.giveUp()
			w.node.Kill()
		})
		w.plain = true
		f.nodes = append(f.nodes, w)
	}
	a, b := f.nodes[0], f.nodes[1]
	b.ledger, b.clock = a.ledger, a.clock
	a.peers, b.peers = []string{b.addr}, []string{a.addr}
	return f, nil
}

func (f *fleet) any() *world { return f.nodes[f.nodes[0].rng.IntN(len(f.nodes))] }

// fleetFaults come in this order: after those that keep nodes apart, an event may
// have been accepted by both.
func fleetFaults() []*fleetFault {
	return []*fleetFault{
		{"two nodes, one Redis: SIGKILL of a node", false, func(f *fleet) error {
			w := f.any()
			w.wait(w.between(20*time.Millisecond, 300*time.Millisecond))
			w.kill()
			w.wait(w.between(0, 300*time.Millisecond))
			return w.start()
		}},
		{"two nodes, one Redis: SIGTERM of a node", false, func(f *fleet) error {
			w := f.any()
			w.wait(w.between(20*time.Millisecond, 300*time.Millisecond))
			if err := w.terminate(); err != nil {
				return err
			}
			return w.start()
		}},
		{"two nodes, one Redis: FLUSHALL", true, func(f *fleet) error {
			for range 3 {
				f.redis.Do("FLUSHALL")
				f.any().wait(100 * time.Millisecond)
			}
			return nil
		}},
		{"two nodes, one Redis: Redis killed, or stopped for a time", true, func(f *fleet) error {
			w := f.any()
			w.wait(w.between(20*time.Millisecond, 200*time.Millisecond))
			if w.rng.IntN(2) == 0 {
				f.redis.Kill()
				w.wait(w.between(100*time.Millisecond, time.Second))
				f.redis.Restart()
				return nil
			}
			f.redis.Pause()
			w.wait(w.between(100*time.Millisecond, time.Second))
			f.redis.Resume()
			return nil
		}},
		{"two nodes, one Redis: replies late, lost, cut or damaged; a node killed meanwhile", true, func(f *fleet) error {
			faults := []redistest.Fault{redistest.Cut, redistest.CutHalf, redistest.Delay, redistest.Swallow, redistest.Corrupt, redistest.Repeat}
			w := f.any()
			kind, every := faults[w.rng.IntN(len(faults))], 2+w.rng.IntN(20)
			f.proxy.Plan(func(reply int) redistest.Fault {
				if reply%every == 0 {
					return kind
				}
				return redistest.None
			})
			w.wait(w.between(200*time.Millisecond, 800*time.Millisecond))
			w.kill()
			err := w.start()
			f.proxy.Plan(nil)
			return err
		}},
	}
}

// onFleet runs each kind of fault of a fleet once; in the short form a killed node
// and one of Redis.
func (c *campaign) onFleet(t *testing.T) error {
	var faults []*fleetFault
	for _, x := range fleetFaults() {
		if len(chosen([]*fault{{name: x.name}})) > 0 {
			faults = append(faults, x)
		}
	}
	if n := len(faults); n > 2 && short() {
		faults = []*fleetFault{faults[0], faults[2+c.rng.IntN(n-2)]}
	}
	if len(faults) == 0 {
		return nil
	}
	f, err := newFleet(t, c, c.next("two-nodes"))
	if err != nil {
		return err
	}
	for n, x := range faults {
		began, before := time.Now(), f.nodes[0].kills+f.nodes[1].kills
		err := f.round(fmt.Sprintf("r%d", n+1), x)
		kills := f.nodes[0].kills + f.nodes[1].kills - before
		c.result.count(x.name, kills)
		t.Logf("round %d, %s: %d kills, %d events acknowledged in this world, %s", c.result.rounds, x.name, kills,
			f.nodes[0].ledger.total(), time.Since(began).Round(time.Millisecond))
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
	}
	c.result.take(f.nodes[0].ledger, max(f.nodes[0].slowest, f.nodes[1].slowest))
	return f.end()
}

func (f *fleet) round(env string, x *fleetFault) error {
	l := f.nodes[0].ledger
	l.mu.Lock()
	l.apart = l.apart || x.apart
	l.write(map[string]any{"environment": env, "fault": x.name})
	l.mu.Unlock()
	var loads []*writers
	for _, w := range f.nodes {
		w.env = env
		loads = append(loads, w.startWriters())
	}
	err := x.run(f)
	for i, w := range f.nodes {
		if err != nil {
			w.giveUp()
		}
		loads[i].finish()
	}
	if err == nil {
		err = f.check(env)
	}
	if err == nil {
		err = f.check(sdkEnv)
	}
	for _, s := range l.takeFaults() {
		err = errors.Join(err, errors.New(s))
	}
	if err != nil {
		for _, w := range f.nodes {
			err = errors.Join(err, os.WriteFile(filepath.Join(filepath.Dir(w.data), "server.log"), []byte(w.node.Log()), 0o600))
		}
	}
	return err
}

// check reads an environment from both nodes: every acknowledged event is on one of
// them at least, once, its payload as it was sent; each node's warehouse shows what its log has.
func (f *fleet) check(env string) error {
	missing := f.nodes[0].wanted(env)
	for _, w := range f.nodes {
		here := map[*fact]bool{}
		err := pages(w, "/v1/telemetry/events?limit=1000&environment="+env, func(e *brokle.StoredEvent) error {
			x := w.find(e)
			switch {
			case x == nil || x.dead || string(e.Payload) != x.payload:
				return fmt.Errorf("event %s of %s is not what was sent: %.200s", e.EventID, env, e.Payload)
			case here[x]:
				return fmt.Errorf("event %s of %s is twice in the log of one node", e.EventID, env)
			}
			here[x] = true
			delete(missing, x)
			return nil
		})
		if err != nil {
			return err
		}
		if err := w.awaitCountOf(env, len(here)); err != nil {
			return err
		}
		if err := w.countersAddUp(); err != nil {
			return err
		}
	}
	for x := range missing {
		w := f.nodes[0]
		w.ledger.mu.Lock()
		w.ledger.told["lost"] += len(missing)
		w.ledger.mu.Unlock()
		return fmt.Errorf("%d acknowledged events of %s are on no node, one is %s", len(missing), env, x.id)
	}
	return nil
}

// awaitCountOf waits until the warehouse counts n events of an environment.
func (w *world) awaitCountOf(env string, n int) error {
	deadline := time.Now().Add(rig.Patience / 2)
	for {
		got, err := w.node.Count(w.ctx, "&environment="+env)
		if err != nil || got == n {
			return err
		}
		if got > n || time.Now().After(deadline) {
			return fmt.Errorf("the warehouse counts %d events of %s, the log has %d", got, env, n)
		}
		w.wait(20 * time.Millisecond)
	}
}

func (f *fleet) end() error {
	ctx, cancel := context.WithTimeout(f.nodes[0].ctx, rig.Patience)
	defer cancel()
	for _, w := range f.nodes {
		if err := w.sdk.Close(ctx); err != nil {
			return err
		}
		if err := w.terminate(); err != nil {
			return err
		}
		if err := w.removeData(); err != nil {
			return err
		}
	}
	return nil
}
