package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// fleet is some nodes that share a Redis, and what all clients were told.
type fleet struct {
	nodes  []*rig.Node
	client *http.Client

	mu        sync.Mutex // guards all below
	entries   []*entry
	processed map[string]int // by event id, over all nodes
	local     int            // answers that said the nodes were apart
	retries   int
}

func startFleet(t *testing.T, n int, redisURL string) *fleet {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	t.Cleanup(transport.CloseIdleConnections)
	f := &fleet{client: &http.Client{Transport: transport}, processed: map[string]int{}}
	for range n {
		f.nodes = append(f.nodes, startNode(t, t.TempDir(), "--redis-url", redisURL))
	}
	for i := range f.nodes {
		f.waitClaimer(t, i, true)
	}
	return f
}

// waitClaimer waits until a node's /readyz says that nodes deduplicate together,
// or that they do not. The node is ready in both cases.
func (f *fleet) waitClaimer(t *testing.T, i int, together bool) {
	t.Helper()
	line := "claimer: degraded: "
	if together {
		line = "claimer: ok: redis"
	}
	redistest.Eventually(t, 5*time.Second+10*time.Second, func() bool {
		status, body, err := f.nodes[i].Do(t.Context(), f.client, http.MethodGet, "/readyz", nil)
		if err != nil || status != http.StatusOK {
			t.Fatalf("readyz: %d %v\n%s", status, err, body)
		}
		return strings.Contains(string(body), line)
	})
}

// deliver sends events to node i until each has an outcome, as a client does: a
// failure that says it is retryable is sent again, anywhere.
func (f *fleet) deliver(ctx context.Context, rng *rand.Rand, i int, events []brokle.Event) error {
	for try := 0; len(events) > 0; try++ {
		answer, local, err := f.post(ctx, f.nodes[i], events)
		if err != nil {
			return err
		}
		again, err := f.settle(events, answer, local)
		if err != nil {
			return err
		}
		if events = again; len(events) > 0 {
			i = rng.IntN(len(f.nodes))
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("%d events without an outcome after %d tries: %w", len(events), try, ctx.Err())
			}
		}
	}
	return nil
}

func (f *fleet) post(ctx context.Context, n *rig.Node, events []brokle.Event) (answer brokle.BatchResponse, local bool, err error) {
	body, err := json.Marshal(brokle.BatchRequest{Events: events})
	if err != nil {
		return answer, false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL+"/v1/telemetry/batch", strings.NewReader(string(body)))
	if err != nil {
		return answer, false, err
	}
	req.Header.Set("X-API-Key", rig.Key)
	resp, err := f.client.Do(req)
	if err != nil {
		return answer, false, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer, false, err
	}
	if resp.StatusCode != http.StatusOK {
		return answer, false, fmt.Errorf("answer %d: %.300s", resp.StatusCode, b)
	}
	return answer, resp.Header.Get("Brokle-Dedup") == "local", json.Unmarshal(b, &answer)
}

// settle counts what was processed and returns what has to be sent again.
func (f *fleet) settle(events []brokle.Event, answer brokle.BatchResponse, local bool) (again []brokle.Event, err error) {
	not := map[string]bool{}
	for _, id := range answer.DuplicateEventIDs {
		not[id] = true
	}
	failed := map[string]bool{}
	for _, e := range answer.Errors {
		if e.Code != "claim_pending" || !e.Retryable {
			return nil, fmt.Errorf("event %s failed: %+v", e.EventID, e)
		}
		failed[e.EventID] = true
	}
	if n := answer.ProcessedEvents + len(not) + len(failed); n != len(events) {
		return nil, fmt.Errorf("%d events, and the answer is about %d: %+v", len(events), n, answer)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if local {
		f.local++
	}
	for _, e := range events {
		switch {
		case failed[e.ID]:
			again = append(again, e)
		case !not[e.ID]:
			f.processed[e.ID]++
		}
	}
	f.retries += len(again)
	return again, nil
}

// run has 64 clients post every batch to two random nodes at once, until stop
// says so after a batch.
func (f *fleet) run(t *testing.T, rng *rand.Rand, stop func(batch int) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 64 {
		mine := chance.From(rng.Uint64(), 0)
		wg.Go(func() {
			for batch := 0; !stop(batch) && !t.Failed(); batch++ {
				e := newEntry(mine)
				f.mu.Lock()
				f.entries = append(f.entries, e)
				f.mu.Unlock()
				f.twice(ctx, t, mine, e)
			}
		})
	}
	wg.Wait()
}

func (f *fleet) twice(ctx context.Context, t *testing.T, rng *rand.Rand, e *entry) {
	var wg sync.WaitGroup
	first := rng.IntN(len(f.nodes))
	for _, i := range []int{first, (first + 1 + rng.IntN(len(f.nodes)-1)) % len(f.nodes)} {
		again := chance.From(rng.Uint64(), 0)
		wg.Go(func() {
			if err := f.deliver(ctx, again, i, e.events); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// check reads everything back. Each event was processed at least once; exactly
// once when the nodes were together all the time. Every node shows an event at
// most once, and together they show all.
func (f *fleet) check(t *testing.T, once bool) {
	t.Helper()
	total, doubled := 0, 0
	for _, e := range f.entries {
		for _, ev := range e.events {
			total++
			switch n := f.processed[ev.ID]; {
			case n == 0:
				t.Errorf("event %s was processed nowhere", ev.ID)
			case n > 1:
				doubled++
			}
		}
	}
	accepted := 0
	for _, n := range f.processed {
		accepted += n
	}
	t.Logf("%d batches, %d events, %d of them accepted by two nodes, %d retries of pending events, %d answers deduplicated locally",
		len(f.entries), total, doubled, f.retries, f.local)
	if once && doubled > 0 {
		t.Errorf("%d of %d events were processed more than once", doubled, total)
	}
	stored := func() (n int) {
		for _, node := range f.nodes {
			n += countEvents(t, node)
		}
		return n
	}
	redistest.Eventually(t, time.Minute, func() bool { return stored() >= accepted })
	if n := stored(); n != accepted {
		t.Errorf("the nodes show %d events, and said processed to %d", n, accepted)
	}
	for i, e := range f.entries {
		if i%10 == 0 || len(f.entries) < 200 {
			f.checkEntry(t, e)
		}
	}
}

func (f *fleet) checkEntry(t *testing.T, e *entry) {
	t.Helper()
	want := map[string]json.RawMessage{}
	for _, ev := range e.events {
		var p struct {
			ID    string
			Input json.RawMessage
		}
		if err := json.Unmarshal(ev.Payload, &p); err != nil {
			t.Fatal(err)
		}
		want[p.ID] = p.Input
	}
	found := map[string]bool{}
	for _, n := range f.nodes {
		status, body, err := n.Do(t.Context(), f.client, http.MethodGet, "/v1/traces/"+e.trace, nil)
		if err != nil || status != http.StatusOK && status != http.StatusNotFound {
			t.Fatalf("trace %s: %d %v", e.trace, status, err)
		}
		if status == http.StatusNotFound {
			continue
		}
		var trace brokle.Trace
		if err := json.Unmarshal(body, &trace); err != nil {
			t.Fatal(err)
		}
		here := map[string]bool{}
		for _, o := range trace.Observations {
			if here[o.ID] || string(o.Input) != string(want[o.ID]) {
				t.Errorf("trace %s: observation %s is there twice or is not what was sent: %s", e.trace, o.ID, o.Input)
			}
			here[o.ID], found[o.ID] = true, true
		}
	}
	if len(found) != len(want) {
		t.Errorf("trace %s: %d of %d observations are on some node", e.trace, len(found), len(want))
	}
}

// Property 10 over nodes: one Redis.
func TestNodesShareARedis(t *testing.T) {
	f := startFleet(t, 3, redistest.Start(t).URL())
	f.run(t, chance.Of(t), func(batch int) bool { return batch == 12 })
	f.check(t, true)
	f.checkMetrics(t)
}

// The same on a Redis Cluster of six processes.
func TestNodesShareACluster(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 3, redistest.StartCluster(t).URL())
	f.run(t, chance.Of(t), func(batch int) bool { return batch == 12 })
	f.check(t, true)
}

// checkMetrics compares what the nodes count with what the clients were told.
func (f *fleet) checkMetrics(t *testing.T) {
	t.Helper()
	committed := 0.0
	for _, n := range f.nodes {
		_, body, err := n.Do(t.Context(), f.client, http.MethodGet, "/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(body)) {
			var v float64
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name {
			case `brokle_claimer_ids_total{step="commit"}`:
				if _, err := fmt.Sscan(value, &v); err != nil {
					t.Fatal(err)
				}
				committed += v
			case "brokle_claimer_up":
				if value != "1" {
					t.Errorf("%s", line)
				}
			case "brokle_dedup_degraded_total":
				if value != fmt.Sprint(f.local) && f.local == 0 {
					t.Errorf("%s, and no answer said so", line)
				}
			}
		}
	}
	if int(committed) != len(f.processed) {
		t.Errorf("the nodes committed %v ids, and processed %d events", committed, len(f.processed))
	}
}

// Property 16: Redis empties, stops, and dies in mid-run. No event is lost, and
// what two nodes accepted is one row in the reading of each.
func TestRedisFailsInMidRun(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(t *testing.T, f *fleet, s *redistest.Server){
		"FLUSHALL": func(t *testing.T, f *fleet, s *redistest.Server) {
			for range 5 {
				s.Do("FLUSHALL")
				sleep(t, 100*time.Millisecond)
			}
		},
		"SIGKILL": func(t *testing.T, f *fleet, s *redistest.Server) {
			s.Kill()
			f.waitClaimer(t, 0, false)
			s.Restart()
		},
		"SIGSTOP": func(t *testing.T, f *fleet, s *redistest.Server) {
			s.Pause()
			f.waitClaimer(t, 1, false)
			s.Resume()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t)
			f := startFleet(t, 3, s.URL())
			over, rng := make(chan struct{}), chance.Of(t)
			var clients sync.WaitGroup
			clients.Go(func() {
				f.run(t, rng, func(int) bool {
					select {
					case <-over:
						return true
					case <-time.After(20 * time.Millisecond):
						return false
					}
				})
			})
			sleep(t, 300*time.Millisecond)
			fail(t, f, s)
			for i := range f.nodes {
				f.waitClaimer(t, i, true)
			}
			sleep(t, 300*time.Millisecond)
			close(over)
			clients.Wait()
			f.check(t, false)
			if name != "FLUSHALL" && f.local == 0 {
				t.Error("no answer said that the nodes were apart")
			}
			// Together again: every event is known to all nodes that can know it.
			e := newEntry(rng)
			f.entries = append(f.entries, e)
			before := f.local
			f.twice(t.Context(), t, rng, e)
			for _, ev := range e.events {
				if f.processed[ev.ID] != 1 || f.local != before {
					t.Errorf("after it, event %s was processed %d times", ev.ID, f.processed[ev.ID])
				}
			}
		})
	}
}

// Property 14 over nodes: a node dies between claim and append, or between append
// and commit. The retry on another node is never called a duplicate of something
// that is not stored there, and is processed once.
func TestNodeKilledHoldingClaims(t *testing.T) {
	t.Parallel()
	mortal, err := rig.Build("faultpoints")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mortal.Remove)
	for point, kept := range map[string]bool{"claimed": false, "appended": true} {
		t.Run(point, func(t *testing.T) {
			s := redistest.Start(t)
			f := startFleet(t, 1, s.URL())
			dir := t.TempDir()
			cmd := mortal.Command(dir, "--redis-url", s.URL())
			cmd.Env = append(cmd.Env, "BROKLE_FAULT_POINT="+point)
			victim, err := rig.Launch(cmd)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(victim.Kill)
			rng := chance.Of(t)
			e := newEntry(rng)
			f.entries = append(f.entries, e)
			if answer, _, err := f.post(t.Context(), victim, e.events); err == nil {
				t.Fatalf("the node answered: %+v", answer)
			}
			<-victim.Exited
			if ws := victim.Cmd.ProcessState.String(); !strings.Contains(ws, "killed") {
				t.Fatalf("the node ended with %s", ws)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := f.deliver(ctx, rng, 0, e.events); err != nil {
				t.Fatal(err)
			}
			if f.retries == 0 {
				t.Error("the claims of the dead node were not there: the test shows nothing")
			}
			f.check(t, true)
			victim = startNode(t, dir, "--redis-url", s.URL())
			want := 0
			if kept {
				want = len(e.events)
			}
			waitEvents(t, victim, want)
			f.nodes = append(f.nodes, victim)
			f.waitClaimer(t, 1, true)
			f.twice(t.Context(), t, rng, e) // by now everyone knows
			for id, n := range f.processed {
				if n != 1 {
					t.Errorf("event %s was processed %d times", id, n)
				}
			}
		})
	}
}
