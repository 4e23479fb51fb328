package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

const (
	connections = 5                // of raw HTTP
	requestTime = 10 * time.Second // then a client gives up waiting and sends again
	stuckTime   = 40 * time.Second // then something is wrong

	// The same where two nodes, ClickHouse and the clients share one machine.
	sharedRequestTime = 30 * time.Second
	sharedStuckTime   = 3 * time.Minute
)

// stuck is after how long something is wrong.
func (w *world) stuck() time.Duration {
	if w.shared {
		return sharedStuckTime
	}
	return stuckTime
}

// writers are clients under load: each sends one batch after the other until
// every event has its answer. The SDK is one of them.
type writers struct {
	wg   sync.WaitGroup
	stop context.CancelFunc
}

// writer is one connection.
type writer struct {
	*world
	env    string
	rng    *rand.Rand
	client *http.Client
	over   context.Context // no new batch after it
}

func (w *world) startWriters() *writers {
	ctx, stop := context.WithCancel(w.ctx)
	load := &writers{stop: stop}
	breath := 16
	if w.shared { // its batches are larger, and what is sent in a round is compared in full
		breath = 500
	}
	for range connections {
		transport := &http.Transport{}
		c := &writer{world: w, env: w.env, rng: chance.From(w.rng.Uint64(), 0), client: &http.Client{Transport: transport}, over: ctx}
		load.wg.Go(func() {
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				c.batch()
				c.pause(time.Duration(c.rng.IntN(breath)) * time.Millisecond)
			}
		})
	}
	rng, env := chance.From(w.rng.Uint64(), 0), w.env
	load.wg.Go(func() { w.useSDK(ctx, rng, env) })
	return load
}

// finish lets every client end what it has begun.
func (l *writers) finish() {
	l.stop()
	l.wg.Wait()
}

func (c *writer) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.over.Done():
	}
}

// batch sends one batch of some kind, as often as it takes.
func (c *writer) batch() {
	switch k := c.rng.IntN(100); {
	case c.shared && k < 8:
		c.toBoth(c.fresh(1 + c.rng.IntN(100)))
	case c.shared && k > 60:
		c.deliver(parcel{facts: c.fresh(1 + c.rng.IntN(300))})
	case k < 8 && !c.noBulk && !c.plain:
		facts, body := newBulk(c.rng, c.env, 1+c.rng.IntN(20))
		c.ledger.add(facts)
		c.deliver(parcel{facts: facts, bulk: body})
	case k < 20 && !c.plain:
		c.deliver(parcel{facts: c.fresh(1 + c.rng.IntN(30)), async: true})
	case k < 24 && !c.plain:
		c.refuse()
	case k < 36: // with duplicates on purpose
		known := c.ledger.known
		if c.shared { // of an event that two nodes took in two environments the answers have one
			known = func(pick func(int) int, n int) []*fact { return c.ledger.knownOf(c.env, pick, n) }
		}
		facts := append(c.fresh(1+c.rng.IntN(10)), known(c.rng.IntN, 1+c.rng.IntN(10))...)
		if c.rng.IntN(3) == 0 {
			facts = append(facts, facts[0]) // also in one request
		}
		c.rng.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		c.deliver(parcel{facts: facts})
	case k < 44: // with events that are wrong
		facts := c.fresh(1 + c.rng.IntN(20))
		dead := []*fact{newDead(c.rng, c.env), newDead(c.rng, c.env)}
		c.ledger.add(dead)
		c.deliver(parcel{facts: append(facts, dead...)})
	default:
		c.deliver(parcel{facts: c.fresh(1 + c.rng.IntN(40))})
	}
}

// toBoth sends events to whichever nodes twice at once, as a client does that does not wait for an answer.
func (c *writer) toBoth(facts []*fact) {
	c.ledger.mu.Lock()
	for _, f := range facts {
		f.maybe = true // the one may be a duplicate of the other before that is answered
	}
	c.ledger.mu.Unlock()
	other := &writer{world: c.world, env: c.env, rng: chance.From(c.rng.Uint64(), 0), client: c.client, over: c.over}
	var both sync.WaitGroup
	both.Go(func() { other.deliver(parcel{facts: facts}) })
	c.deliver(parcel{facts: facts})
	both.Wait()
}

func (c *writer) fresh(n int) []*fact {
	facts := newFacts(c.rng, c.env, n)
	c.ledger.add(facts)
	return facts
}

// refuse sends new events beside one that is known and asks to fail then:
// nothing may be stored or marked, so that the new ones alone are new.
func (c *writer) refuse() {
	known := c.ledger.known(c.rng.IntN, 1)
	if len(known) == 0 {
		return
	}
	facts := c.fresh(1 + c.rng.IntN(10))
	all := append([]*fact{known[0]}, facts...)
	a := c.ledger.sending(all, false)
	dedup := brokle.DefaultDeduplication()
	dedup.FailOnDuplicate = true
	status, body, _, err := c.post("/v1/telemetry/batch", encode(brokle.BatchRequest{Events: events(all), Deduplication: &dedup}), requestTime)
	switch {
	case err != nil || status == http.StatusServiceUnavailable:
		c.ledger.lost(a, err != nil && !errors.Is(err, syscall.ECONNREFUSED), fmt.Sprint(status, err))
	case status == http.StatusConflict:
		var answer brokle.BatchResponse
		if err := json.Unmarshal(body, &answer); err != nil || answer.ProcessedEvents != 0 || len(answer.DuplicateEventIDs) != 1 || answer.DuplicateEventIDs[0] != known[0].id {
			c.ledger.fault("409 for one duplicate %s: %v %.300s", known[0].id, err, body)
		}
		c.ledger.lost(a, false, "409")
	default:
		c.ledger.fault("%d for a batch that holds the duplicate %s and asks to fail: %.300s", status, known[0].id, body)
	}
	c.deliver(parcel{facts: facts})
}

// parcel is a batch that must arrive.
type parcel struct {
	facts []*fact
	async bool
	bulk  []byte // the body, of the bulk endpoint
}

// deliver sends p until there is an answer: the same ids, at times split anew, at
// times given up by the client in the middle.
func (c *writer) deliver(p parcel) {
	deadline := time.Now().Add(c.stuck())
	for tries := 1; !c.try(&p); tries++ {
		if c.ctx.Err() != nil {
			return
		}
		if time.Now().After(deadline) {
			c.ledger.fault("no answer in %d tries for %d events of %s", tries, len(p.facts), c.env)
			return
		}
		select {
		case <-time.After(time.Duration(2+c.rng.IntN(20)) * time.Millisecond):
		case <-c.ctx.Done():
		}
		if p.bulk == nil && len(p.facts) > 1 && len(unique(p.facts)) == len(p.facts) && c.rng.IntN(3) == 0 {
			cut := 1 + c.rng.IntN(len(p.facts)-1)
			c.deliver(parcel{facts: p.facts[:cut], async: c.rng.IntN(4) == 0 && !c.plain})
			p = parcel{facts: p.facts[cut:], async: p.async && c.rng.IntN(2) == 0}
		}
	}
}

// try sends p once and says whether that settled it; else p is what is left.
func (c *writer) try(p *parcel) bool {
	a := c.ledger.sending(p.facts, p.async)
	path, body := "/v1/telemetry/batch", string(p.bulk)
	if p.bulk != nil {
		path = "/api/v1/telemetry/bulk"
	} else {
		body = encode(brokle.BatchRequest{Events: events(p.facts), Environment: c.env, AsyncMode: p.async})
	}
	patience := requestTime
	if c.shared {
		patience = sharedRequestTime
	}
	if c.rng.IntN(12) == 0 {
		patience = time.Duration(c.rng.IntN(8000)) * time.Microsecond // hangs up
	}
	status, b, header, err := c.post(path, body, patience)
	if err != nil {
		c.ledger.lost(a, !errors.Is(err, syscall.ECONNREFUSED), err.Error())
		return false
	}
	switch {
	case status == http.StatusServiceUnavailable:
		if header.Get("Retry-After") == "" {
			c.ledger.fault("503 without Retry-After: %.300s", b)
		}
		c.ledger.lost(a, c.flaky, string(b))
		return false
	case status == http.StatusOK || status == http.StatusAccepted && p.async:
		var again []*fact
		if again, err = c.settle(a, b); len(again) > 0 {
			p.facts = again
			return false
		}
	default:
		err = errors.New("it is none that fits")
	}
	if err != nil {
		c.ledger.fault("answer %d: %v: %.300s", status, err, b)
	}
	return true
}

// settle notes the answer of a 200 or a 202, and returns what must be sent again.
func (c *writer) settle(a *attempt, body []byte) (again []*fact, err error) {
	var answer brokle.BatchResponse
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	switch {
	case !a.async:
		return c.ledger.answered(a, &answer), nil
	case answer.JobID != "":
		c.ledger.accepted(a, &answer)
		return nil, nil
	}
	return nil, errors.New("no job")
}

// address is the node that is asked now.
func (c *writer) address() string {
	if n := c.rng.IntN(1 + len(c.peers)); n > 0 {
		return c.peers[n-1]
	}
	return c.addr
}

func (c *writer) post(path, body string, patience time.Duration) (int, []byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.address()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("X-API-Key", rig.Key)
	req.Header.Set("X-Environment", c.env)
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, resp.Header, err
}
