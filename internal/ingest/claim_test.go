package ingest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// memClaimer keeps a Claimer's contract in memory. The func fields inject faults.
type memClaimer struct {
	claimFault, commitFault func() error

	mu     sync.Mutex // guards all below
	leases map[[2]string]lease
	asked  int
}

type lease struct {
	owner     string
	until     time.Time
	committed bool
}

func newMemClaimer() *memClaimer { return &memClaimer{leases: map[[2]string]lease{}} }

func (c *memClaimer) Claim(_ context.Context, project string, ids []string, owner string, d time.Duration) ([]store.ClaimState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	states := make([]store.ClaimState, len(ids))
	for i, id := range ids {
		key := [2]string{project, id}
		held, there := c.leases[key]
		switch {
		case there && time.Now().After(held.until), !there, held.owner == owner && !held.committed:
			states[i] = store.Claimed
			c.leases[key] = lease{owner: owner, until: time.Now().Add(d)}
		case held.committed:
			states[i] = store.ClaimedBefore
		default:
			states[i] = store.ClaimedElse
		}
	}
	if c.claimFault != nil {
		return nil, c.claimFault()
	}
	return states, nil
}

func (c *memClaimer) Commit(_ context.Context, project string, ids []string, owner string, ttl time.Duration) error {
	if c.commitFault != nil {
		return c.commitFault()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if held := c.leases[[2]string{project, id}]; held.owner == owner {
			c.leases[[2]string{project, id}] = lease{owner, time.Now().Add(ttl), true}
		}
	}
	return nil
}

func (c *memClaimer) Release(_ context.Context, project string, ids []string, owner string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if held := c.leases[[2]string{project, id}]; held.owner == owner && !held.committed {
			delete(c.leases, [2]string{project, id})
		}
	}
	return nil
}

// held returns the ids that someone holds: committed, or leased.
func (c *memClaimer) held(committed bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := []string{}
	for key, l := range c.leases {
		if l.committed == committed {
			ids = append(ids, key[1])
		}
	}
	slices.Sort(ids)
	return ids
}

// Two nodes with their own logs process each event once between them.
func TestTwoNodesShareAClaimer(t *testing.T) {
	t.Parallel()
	claimer := newMemClaimer()
	logA, logB := newMemLog(), newMemLog()
	a := ingest.New(ingest.Options{Log: logA, Jobs: logA, Claimer: claimer})
	b := ingest.New(ingest.Options{Log: logB, Jobs: logB, Claimer: claimer})
	if resp := mustPost(t, a, "p", batch("", "x", "y", "!z", "x")); resp.ProcessedEvents != 2 || resp.DuplicateEvents != 1 {
		t.Errorf("first node: %+v", resp)
	}
	resp := mustPost(t, b, "p", batch("", "!z", "w", "y", "x"))
	adds(t, resp, 4)
	if resp.ProcessedEvents != 1 || !slices.Equal(resp.DuplicateEventIDs, []string{"y", "x"}) || len(logB.stored()) != 1 {
		t.Errorf("second node: %+v", resp)
	}
	if got := claimer.held(true); !slices.Equal(got, []string{"w", "x", "y"}) || len(claimer.held(false)) != 0 {
		t.Errorf("marked are %v, leased %v", got, claimer.held(false))
	}
	if resp := mustPost(t, b, "q", batch("", "x")); resp.ProcessedEvents != 1 {
		t.Errorf("another project: %+v", resp)
	}
}

// Property 14 across nodes, and the leases of a batch that was refused.
func TestAFailedAttemptReleasesItsClaims(t *testing.T) {
	t.Parallel()
	claimer, log := newMemClaimer(), newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Claimer: claimer})
	log.fault = func(*store.Batch) error { return store.ErrUnavailable }
	if _, err := post(t, in, "p", batch("", "a", "b")); !errors.Is(err, store.ErrUnavailable) || len(claimer.held(false)) != 0 {
		t.Errorf("%v, leased %v", err, claimer.held(false))
	}
	log.fault = nil
	mustPost(t, in, "p", batch("", "a"))
	const strict = `,"deduplication":{"fail_on_duplicate":true}`
	resp, err := post(t, in, "p", batch(strict, "new", "a"))
	if !errors.Is(err, store.ErrDuplicate) || !slices.Equal(resp.DuplicateEventIDs, []string{"a"}) || len(claimer.held(false)) != 0 {
		t.Errorf("%+v, %v, leased %v", resp, err, claimer.held(false))
	}
	if _, err = post(t, in, "p", batch(strict, "twice", "twice")); !errors.Is(err, store.ErrDuplicate) || len(claimer.held(false)) != 0 {
		t.Errorf("twice in the batch: %v, leased %v", err, claimer.held(false))
	}
}

// What another node is storing at this moment is neither: it fails, to be sent again.
func TestClaimedElsewhere(t *testing.T) {
	t.Parallel()
	claimer, log := newMemClaimer(), newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Claimer: claimer})
	if _, err := claimer.Claim(t.Context(), "p", []string{"b"}, "other", time.Hour); err != nil {
		t.Fatal(err)
	}
	resp := mustPost(t, in, "p", batch("", "a", "b", "!c"))
	adds(t, resp, 3)
	if resp.ProcessedEvents != 1 || resp.Errors[0].EventID != "b" || resp.Errors[0].Code != ingest.CodeClaimPending || !resp.Errors[0].Retryable ||
		resp.Errors[1].EventID != "!c" {
		t.Errorf("answered %+v", resp)
	}
	if _, err := post(t, in, "p", batch(`,"deduplication":{"fail_on_duplicate":true}`, "d", "b")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("all or nothing: %v", err)
	}
	if got := claimer.held(false); !slices.Equal(got, []string{"b"}) {
		t.Errorf("leased are %v", got)
	}
}

// A Claimer that fails is done without, and that is counted.
func TestClaimerFails(t *testing.T) {
	t.Parallel()
	claimer, log := newMemClaimer(), newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Claimer: claimer})
	claimer.claimFault = func() error { return errors.New("connection refused") }
	for i, want := range []int{2, 0} {
		if resp := mustPost(t, in, "p", batch("", "a", "b")); resp.ProcessedEvents != want || resp.DuplicateEvents != 2-want {
			t.Errorf("attempt %d: %+v", i, resp)
		}
	}
	claimer.claimFault = nil
	claimer.commitFault = func() error { return errors.New("connection reset") }
	if resp := mustPost(t, in, "p", batch("", "c")); resp.ProcessedEvents != 1 {
		t.Errorf("commit failed: %+v", resp)
	}
	if s := in.Stats(); s.Degraded != 3 {
		t.Errorf("counted %+v", s)
	}
}

// What was stored while other nodes could not be asked is told to them all the
// same, and the request says that it was degraded.
func TestStoredWhileDegradedIsCommitted(t *testing.T) {
	t.Parallel()
	claimer, log := newMemClaimer(), newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Claimer: claimer})
	post := func(body string) *ingest.Request {
		t.Helper()
		r, err := decode(body, "")
		if err == nil {
			_, err = in.Submit(t.Context(), "p", r)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	claimer.claimFault = func() error { return store.ErrDegraded }
	if r := post(batch("", "b", "a", "a")); !r.Degraded {
		t.Error("not degraded")
	}
	claimer.claimFault = nil
	if r := post(batch("", "a", "c")); r.Degraded {
		t.Error("degraded")
	}
	if r := post(batch(`,"deduplication":{"use_redis_cache":false}`, "local")); r.Degraded {
		t.Error("a batch that does not want the claimer is degraded")
	}
	if got := claimer.held(true); !slices.Equal(got, []string{"a", "b", "c"}) || len(claimer.held(false)) != 0 {
		t.Errorf("marked %v, leased %v", got, claimer.held(false))
	}
	if s := in.Stats(); s.Degraded != 1 || s.Processed != 4 || s.Duplicate != 2 {
		t.Errorf("counted %+v", s)
	}
}

func TestClaimerIsNotAsked(t *testing.T) {
	t.Parallel()
	claimer, log := newMemClaimer(), newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Claimer: claimer})
	mustPost(t, in, "p", batch(`,"deduplication":{"enabled":false}`, "a"))
	mustPost(t, in, "p", batch(`,"deduplication":{"use_redis_cache":false}`, "b"))
	mustPost(t, in, "p", batch("", "!c"))
	if claimer.asked != 0 {
		t.Errorf("asked %d times", claimer.asked)
	}
}

// A job waits for another node's lease to be committed or to lapse: its client is
// no longer there to send the event again.
func TestJobWaitsForAClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		claimer, log := newMemClaimer(), newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Claimer: claimer})
		if _, err := claimer.Claim(t.Context(), "p", []string{"b"}, "dead", 20*time.Second); err != nil {
			t.Fatal(err)
		}
		running(t, in)
		start := time.Now()
		id := async(t, in, batch("", "a", "b"))
		if err := in.WaitJob(t.Context(), "p", id); err != nil || log.result(id) != "completed" || len(log.stored()) != 2 {
			t.Errorf("%v, job %q, %d stored", err, log.result(id), len(log.stored()))
		}
		if waited := time.Since(start); waited < 20*time.Second || waited > time.Minute {
			t.Errorf("waited %s", waited)
		}
	})
}
