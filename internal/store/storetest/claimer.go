package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// long is a lease or ttl that does not end during a test.
const long = time.Minute

// Claimer holds implementations against the contract. open gives one node's
// Claimer; all that it gives share what they know. patience is how long its Claim
// is to wait for other owners.
func Claimer(t *testing.T, open func(t *testing.T, patience time.Duration) store.Claimer) {
	const little, much = 30 * time.Millisecond, 10 * time.Second
	for _, c := range []struct {
		name     string
		patience time.Duration
		test     func(*claims)
	}{
		{"ClaimCommit", little, (*claims).claimCommit},
		{"Release", little, (*claims).releaseOnlyOwn},
		{"LeaseLapses", little, (*claims).leaseLapses},
		{"LostLeaseIsMarked", little, (*claims).lostLeaseIsMarked},
		{"FirstMarkStays", little, (*claims).firstMarkStays},
		{"ProjectsAreApart", little, (*claims).projectsAreApart},
		{"IdsOfAnyShape", little, (*claims).idsOfAnyShape},
		{"StatesInOrder", little, (*claims).statesInOrder},
		{"Histories", little, (*claims).histories},
		{"OneOwnerEach", little, (*claims).oneOwnerEach},
		{"OneOwnerEachPatiently", much, (*claims).oneOwnerEach},
		{"WaitsForTheOutcome", much, (*claims).waitsForTheOutcome},
		{"NobodyWaitsForever", much, (*claims).nobodyWaitsForever},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(&claims{T: t, a: open(t, c.patience), b: open(t, c.patience), project: t.Name()})
		})
	}
}

// claims is one test with two nodes.
type claims struct {
	*testing.T
	a, b    store.Claimer
	project string
}

func (c *claims) claim(n store.Claimer, owner string, lease time.Duration, ids ...string) []store.ClaimState {
	c.Helper()
	states, err := n.Claim(c.Context(), c.project, ids, owner, lease)
	if err != nil {
		c.Fatal(err)
	}
	if len(states) != len(ids) {
		c.Fatalf("%d states for %d ids", len(states), len(ids))
	}
	return states
}

func (c *claims) want(want store.ClaimState, n store.Claimer, owner string, ids ...string) {
	c.Helper()
	for i, got := range c.claim(n, owner, long, ids...) {
		if got != want {
			c.Fatalf("%s claims %s: state %d, want %d", owner, ids[i], got, want)
		}
	}
}

func (c *claims) commit(n store.Claimer, owner string, ttl time.Duration, ids ...string) {
	c.Helper()
	if err := n.Commit(c.Context(), c.project, ids, owner, ttl); err != nil {
		c.Fatal(err)
	}
}

func (c *claims) release(n store.Claimer, owner string, ids ...string) {
	c.Helper()
	if err := n.Release(c.Context(), c.project, ids, owner); err != nil {
		c.Fatal(err)
	}
}

// within asks until the claim of id gives want.
func (c *claims) within(d time.Duration, want store.ClaimState, n store.Claimer, owner, id string) {
	c.Helper()
	for deadline := time.Now().Add(d); ; {
		got := c.claim(n, owner, long, id)[0]
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			c.Fatalf("%s claims %s: still state %d after %s, want %d", owner, id, got, d, want)
		}
	}
}

func numbered(n int, prefix string) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return ids
}

func (c *claims) claimCommit() {
	ids := numbered(300, "id")
	c.want(store.Claimed, c.a, "one", ids...)
	c.want(store.Claimed, c.a, "one", ids...) // the same owner, again
	c.want(store.ClaimedElse, c.b, "two", ids...)
	c.commit(c.a, "one", long, ids...)
	c.want(store.ClaimedBefore, c.b, "two", ids...)
	c.want(store.ClaimedBefore, c.a, "one", ids...)
	c.commit(c.a, "one", long, ids...)
	if got := c.claim(c.a, "three", long); len(got) != 0 {
		c.Errorf("a claim of nothing: %v", got)
	}
}

func (c *claims) releaseOnlyOwn() {
	ids := numbered(20, "id")
	c.want(store.Claimed, c.a, "one", ids...)
	c.release(c.b, "two", ids...)
	c.want(store.ClaimedElse, c.b, "two", ids...)
	c.release(c.b, "one", ids[:10]...) // the owner counts, not the node
	c.want(store.Claimed, c.b, "two", ids[:10]...)
	c.want(store.ClaimedElse, c.b, "two", ids[10:]...)
	c.commit(c.a, "one", long, ids[10:]...)
	c.release(c.a, "one", ids[10:]...) // a mark is not a lease
	c.want(store.ClaimedBefore, c.b, "two", ids[10:]...)
}

func (c *claims) leaseLapses() {
	start := time.Now()
	const lease = 300 * time.Millisecond
	c.claim(c.a, "one", lease, "id")
	if got := c.claim(c.b, "two", long, "id")[0]; got != store.ClaimedElse && time.Since(start) < lease {
		c.Fatalf("state %d before the lease was over", got)
	}
	c.within(10*time.Second, store.Claimed, c.b, "two", "id")
}

// What is stored is marked, whoever holds the lease by now.
func (c *claims) lostLeaseIsMarked() {
	c.claim(c.a, "one", time.Millisecond, "id")
	c.within(10*time.Second, store.Claimed, c.b, "two", "id")
	c.commit(c.a, "one", long, "id")
	c.want(store.ClaimedBefore, c.b, "three", "id")
	c.release(c.b, "two", "id") // it has lost it
	c.want(store.ClaimedBefore, c.b, "three", "id")
	c.commit(c.a, "one", long, "never claimed")
	c.want(store.ClaimedBefore, c.b, "three", "never claimed")
}

func (c *claims) firstMarkStays() {
	const ttl = 500 * time.Millisecond
	c.claim(c.a, "one", time.Millisecond, "id")
	c.within(10*time.Second, store.Claimed, c.b, "two", "id")
	start := time.Now()
	c.commit(c.a, "one", ttl, "id") // long after its lease
	c.commit(c.b, "three", long, "id")
	if time.Since(start) > ttl {
		c.Skip("this machine is too slow now to tell")
	}
	c.within(10*time.Second, store.Claimed, c.b, "four", "id")
	if after := time.Since(start); after < ttl {
		c.Errorf("a mark of %s was gone after %s", ttl, after)
	}
}

func (c *claims) projectsAreApart() {
	base := c.project
	for _, project := range []string{"a", "A", "a:b", "{a}", "a}", "}", "{", "%7B", "", "ä", "a b"} {
		c.project = base + project
		c.want(store.Claimed, c.a, "owner of "+project, "id", "other")
		c.commit(c.a, "owner of "+project, long, "id")
	}
	c.project = "}" + base
	c.want(store.Claimed, c.a, "one", numbered(100, "id")...)
}

func (c *claims) idsOfAnyShape() {
	ids := []string{"01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "01k0zv6b3t8m5q2y7r4n1w9xcd", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "FFFFFFFFFFFFFFFFFFFFFFFFFF",
		"0", "00", "{", "}", "{}", "*", "trace_0123456789abcdef", strings.Repeat("x", 128), strings.Repeat("x", 127)}
	for i, id := range ids {
		c.want(store.Claimed, c.a, fmt.Sprint(i), id)
	}
	c.want(store.ClaimedElse, c.b, "other", ids...)
}

func (c *claims) statesInOrder() {
	ids := numbered(200, "id")
	var marked, held []string
	want := make([]store.ClaimState, len(ids))
	for i, id := range ids {
		switch want[i] = store.ClaimState(1 + i*7%3); want[i] {
		case store.ClaimedBefore:
			marked = append(marked, id)
		case store.ClaimedElse:
			held = append(held, id)
		}
	}
	c.commit(c.a, "one", long, marked...)
	c.want(store.Claimed, c.a, "two", held...)
	if got := c.claim(c.b, "three", long, ids...); !slices.Equal(got, want) {
		c.Errorf("states %v\nwant   %v", got, want)
	}
}

func (c *claims) waitsForTheOutcome() {
	ids := numbered(40, "id")
	c.want(store.Claimed, c.a, "one", ids...)
	done := make(chan error, 1)
	go func() {
		<-time.After(20 * time.Millisecond) // as an append takes
		err := c.a.Commit(c.Context(), c.project, ids[:20], "one", long)
		if err == nil {
			err = c.a.Release(c.Context(), c.project, ids[20:], "one")
		}
		done <- err
	}()
	states := c.claim(c.b, "two", long, ids...)
	if err := <-done; err != nil {
		c.Fatal(err)
	}
	for i, s := range states {
		if i < 20 && s != store.ClaimedBefore || i >= 20 && s != store.Claimed {
			c.Errorf("%s: state %d", ids[i], s)
		}
	}
}

// Two owners that each hold half of what both want: one of them gets all, or
// both get an answer; the one that gets it commits, and the other is told.
func (c *claims) nobodyWaitsForever() {
	ids := numbered(100, "id")
	c.want(store.Claimed, c.a, "one", ids[:50]...)
	c.want(store.Claimed, c.b, "two", ids[50:]...)
	var wg sync.WaitGroup
	var states [2][]store.ClaimState
	for i, n := range []store.Claimer{c.a, c.b} {
		wg.Go(func() {
			owner := []string{"one", "two"}[i]
			var err error
			states[i], err = n.Claim(c.Context(), c.project, ids, owner, long)
			if err == nil && !slices.Contains(states[i], store.ClaimedElse) {
				err = n.Commit(c.Context(), c.project, ids, owner, long)
			}
			if err != nil {
				c.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range ids {
		got := [2]store.ClaimState{states[0][i], states[1][i]}
		if got != [2]store.ClaimState{store.Claimed, store.ClaimedBefore} && got != [2]store.ClaimState{store.ClaimedBefore, store.Claimed} {
			c.Fatalf("%s: states %v", ids[i], got)
		}
	}
}

// Property 10: many owners on two nodes claim overlapping parts at once.
func (c *claims) oneOwnerEach() {
	ids := numbered(400, "id")
	var mu sync.Mutex // guards stored
	stored := map[string]int{}
	var wg sync.WaitGroup
	for w := range 16 {
		node := []store.Claimer{c.a, c.b}[w%2]
		rng := chance.From(uint64(w), 7)
		wg.Go(func() {
			for round := range 10 {
				mine := slices.Clone(ids)
				rng.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				owner := fmt.Sprintf("%d/%d", w, round)
				if err := claimAndStore(c.Context(), node, c.project, owner, mine[:60], func(id string) {
					mu.Lock()
					stored[id]++
					mu.Unlock()
				}); err != nil {
					c.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for id, n := range stored {
		if n != 1 {
			c.Errorf("%s was stored %d times", id, n)
		}
	}
}

// claimAndStore is what ingest does: claim, append, commit. One in four appends fails.
func claimAndStore(ctx context.Context, n store.Claimer, project, owner string, ids []string, stored func(string)) error {
	states, err := n.Claim(ctx, project, ids, owner, long)
	if err != nil {
		return err
	}
	var mine []string
	for i, s := range states {
		if s == store.Claimed {
			mine = append(mine, ids[i])
		}
	}
	if owner[len(owner)-1]%4 == 3 {
		return n.Release(ctx, project, mine, owner)
	}
	for _, id := range mine {
		stored(id)
	}
	return n.Commit(ctx, project, mine, owner, long)
}

// histories compares random histories with a model: a map from id to its owner or mark.
func (c *claims) histories() {
	rng := chance.Of(c)
	const marked = "marked"
	model := map[string]string{}
	for step := range 150 {
		node := []store.Claimer{c.a, c.b}[rng.IntN(2)]
		owner := fmt.Sprintf("owner %d", rng.IntN(3))
		ids := numbered(12, "id")
		rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		ids = ids[:1+rng.IntN(4)]
		switch rng.IntN(6) {
		case 0:
			c.commit(node, owner, long, ids[0])
			model[ids[0]] = marked
		case 1, 2:
			c.release(node, owner, ids...)
			for _, id := range ids {
				if model[id] == owner {
					delete(model, id)
				}
			}
		default:
			ids = slices.DeleteFunc(ids, func(id string) bool { // it would wait
				return model[id] != "" && model[id] != owner && model[id] != marked && rng.IntN(10) > 0
			})
			states := c.claim(node, owner, long, ids...)
			c.explain(step, owner, ids, states, model, marked)
		}
	}
}

func (c *claims) explain(step int, owner string, ids []string, states []store.ClaimState, model map[string]string, marked string) {
	c.Helper()
	blocked := slices.Contains(states, store.ClaimedElse)
	for i, id := range ids {
		held := model[id]
		switch {
		case held == marked && states[i] == store.ClaimedBefore:
		case held != "" && held != owner && held != marked && states[i] == store.ClaimedElse:
		case (held == "" || held == owner) && states[i] == store.Claimed:
			model[id] = owner
		case (held == "" || held == owner) && states[i] == store.ClaimedElse && blocked:
			delete(model, id) // it gave way to another owner
		default:
			c.Fatalf("step %d: %s claims %s, held by %q: state %d", step, owner, id, held, states[i])
		}
	}
}
