package redisclaim

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Property 16: whatever happens to whichever reply, what a node is told is true,
// and what it stored is known to the others in the end.
func TestFaultAtEveryReply(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	truth := open(t, Options{URL: s.URL(), Wait: -1})
	for name, fault := range map[string]redistest.Fault{
		"Cut": redistest.Cut, "CutHalf": redistest.CutHalf, "Delay": redistest.Delay,
		"Swallow": redistest.Swallow, "Corrupt": redistest.Corrupt, "Repeat": redistest.Repeat,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for reply, hit := 1, true; hit && reply < 40; reply++ {
				hit = faultAt(t, s, truth, fault, reply)
			}
		})
	}
}

const faultLease = 2 * time.Second

// faultAt runs one batch's steps, twice, with one or several replies damaged from
// the given one on. False: there were not as many replies.
func faultAt(t *testing.T, s *redistest.Server, truth *Claimer, fault redistest.Fault, reply int) bool {
	t.Helper()
	project := fmt.Sprintf("%s %d", t.Name(), reply)
	known := numbered(5, "known")
	if err := truth.Commit(t.Context(), project, known, "before", time.Minute); err != nil {
		t.Fatal(err)
	}
	p := redistest.NewProxy(t, s.Addr)
	p.Late = 150 * time.Millisecond
	p.Plan(func(n int) redistest.Fault {
		if n == reply || reply%2 == 0 && n == reply+1 { // the retry too
			return fault
		}
		return redistest.None
	})
	c := open(t, Options{URL: p.URL(), Timeout: 100 * time.Millisecond, Probe: 20 * time.Millisecond, Wait: -1})
	for round := range 2 {
		fresh := numbered(20, fmt.Sprint("fresh", round))
		failing := numbered(20, fmt.Sprint("failing", round))
		step(t, c, truth, project, "stored", append(fresh, known...), len(fresh), true)
		step(t, c, truth, project, "failed", failing, len(failing), false)
		redistest.Eventually(t, 20*time.Second, func() bool { return c.Health() == nil && c.Stats().Backlog == 0 })
		for i, st := range mustClaim(t, truth, project, "client's retry", fresh) {
			if st != store.ClaimedBefore {
				t.Fatalf("reply %d: %s was stored, and a retry elsewhere has state %d", reply, fresh[i], st)
			}
		}
		redistest.Eventually(t, 10*time.Second, func() bool { // at the latest when the lease lapses
			for _, st := range mustClaim(t, truth, project, "client's retry", failing) {
				if st == store.ClaimedBefore {
					t.Fatalf("reply %d: an event that failed is called a duplicate", reply)
				}
				if st != store.Claimed {
					return false
				}
			}
			return true
		})
	}
	return p.Replies() >= reply
}

// step is what ingest does with a batch: of ids, the first `free` are new, the others stored before.
func step(t *testing.T, c, truth *Claimer, project, owner string, ids []string, free int, append bool) {
	t.Helper()
	states, err := c.Claim(t.Context(), project, ids, owner, faultLease)
	mine := ids[:free] // on this node alone, they are new
	if err == nil {
		mine = nil
		for i, st := range states {
			if st == store.ClaimedBefore && i < free || st == store.Claimed && i >= free || st == store.ClaimedElse {
				t.Fatalf("%s: state %d for id %d, of which %d are new", owner, st, i, free)
			}
			if st == store.Claimed {
				mine = ids[:i+1]
			}
		}
		if len(mine) != free {
			t.Fatalf("%s: %d of %d claimed", owner, len(mine), free)
		}
		for i, st := range mustClaim(t, truth, project, "meanwhile", mine) {
			if st != store.ClaimedElse {
				t.Fatalf("%s was told that it has %s, and another gets state %d", owner, mine[i], st)
			}
		}
	} else if !errors.Is(err, store.ErrDegraded) {
		t.Fatal(err)
	}
	if append {
		err = c.Commit(t.Context(), project, mine, owner, time.Minute)
	} else {
		err = c.Release(t.Context(), project, mine, owner)
	}
	if err != nil && !errors.Is(err, store.ErrDegraded) {
		t.Fatal(err)
	}
}

func mustClaim(t *testing.T, c *Claimer, project, owner string, ids []string) []store.ClaimState {
	t.Helper()
	_, states := claimed(t, c, project, owner, ids)
	return states
}

// A proxy that damages one reply in five, at random, while many work: no event
// is called a duplicate that nobody stored.
func TestFaultsAmongMany(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := redistest.NewProxy(t, s.Addr)
	p.Late = 30 * time.Millisecond
	p.Plan(func(n int) redistest.Fault {
		if random := uint32(n) * 2654435761; random>>16%5 == 0 {
			return redistest.Fault(random >> 8 % 7)
		}
		return redistest.None
	})
	c := open(t, Options{URL: p.URL(), Timeout: 100 * time.Millisecond, Probe: 10 * time.Millisecond, Wait: -1})
	done := make(chan error, 8)
	for w := range cap(done) {
		go func() { done <- amongMany(t, c, w) }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if st := c.Stats(); len(st.Errors) < 2 {
		t.Errorf("hardly a fault: %+v", st)
	} else {
		t.Logf("%+v", st)
	}
}

func amongMany(t *testing.T, c *Claimer, w int) error {
	for round := range 60 {
		redistest.Eventually(t, 20*time.Second, func() bool { return c.Health() == nil })
		owner := fmt.Sprintf("%d/%d", w, round)
		ids := numbered(30, owner)
		states, err := c.Claim(t.Context(), "p", ids, owner, time.Minute)
		for i, st := range states {
			if st != store.Claimed {
				return fmt.Errorf("%s: state %d of %s, which nobody else knows", owner, st, ids[i])
			}
		}
		if err != nil && !errors.Is(err, store.ErrDegraded) {
			return err
		}
		if err := c.Commit(t.Context(), "p", ids, owner, time.Minute); err != nil && !errors.Is(err, store.ErrDegraded) {
			return err
		}
	}
	return nil
}
