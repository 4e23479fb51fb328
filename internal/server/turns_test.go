package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// The places go round the keys, whoever has asked how much, and none has more than its share.
func TestTurnsGoRoundTheKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(4, time.Minute)
		var mu sync.Mutex
		var order []string
		var working, most = map[string]int{}, map[string]int{}
		var all sync.WaitGroup
		question := func(key string) {
			done, err := turns.take(t.Context(), key)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, key)
			working[key]++
			most[key] = max(most[key], working[key])
			mu.Unlock()
			timer := time.NewTimer(time.Second)
			<-timer.C
			mu.Lock()
			working[key]--
			mu.Unlock()
			done()
		}
		for range 20 {
			all.Go(func() { question("greedy") })
		}
		synctest.Wait()
		for range 2 {
			all.Go(func() { question("a") })
		}
		synctest.Wait()
		for range 4 {
			all.Go(func() { question("b") })
		}
		all.Wait()
		if most["greedy"] != 2 || most["a"] != 2 {
			t.Errorf("at once: %v", most)
		}
		// 2 of greedy, 2 of a at once; then by turns: b need not wait for the 18 others.
		if at := strings.Join(order[:12], " "); strings.Count(at, "b") < 4 {
			t.Errorf("the order was %v", order)
		}
		if st := turns.stats(); st.busy != 0 || st.waiting != 0 || len(turns.keys) != 0 || st.refused != 0 {
			t.Errorf("left behind: %+v %v", st, turns.keys)
		}
	})
}

// With one place for all, a key waits for one question of each other key, not for all of them.
func TestTurnsAreByKey(t *testing.T) {
	t.Parallel()
	turns := newTurns(1, time.Minute)
	var greedy []chan struct{}
	for range 5 {
		greedy = append(greedy, turns.ask("greedy"))
	}
	healthy := turns.ask("healthy")
	turns.leave("greedy") // the first one's, the second gets it
	turns.leave("greedy")
	select {
	case <-healthy:
	default:
		t.Error("it waits behind all questions of the other key")
	}
	select {
	case <-greedy[2]:
		t.Error("two have the one place")
	default:
	}
}

// Who waits too long, or goes, is out of the queue; what it may have been given meanwhile is given on.
func TestTurnsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2, 5*time.Second)
		done, err := turns.take(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = turns.take(t.Context(), "k")
		var p *problem
		if !errors.As(err, &p) || p.status != http.StatusServiceUnavailable || p.code != codeOverloaded || p.retryAfter == 0 || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if _, err := turns.take(ctx, "k"); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if st := turns.stats(); st.waiting != 3 {
			t.Errorf("%+v", st)
		}
		cancel()
		waiting.Wait()
		if st := turns.stats(); st.waiting != 0 || st.busy != 1 || st.refused != 4 {
			t.Errorf("after they went: %+v", st)
		}
		done()
		done()          // once is enough
		for range 100 { // whoever goes while it is given its place gives it back
			ctx, cancel := context.WithCancel(t.Context())
			var both sync.WaitGroup
			both.Go(func() {
				if done, err := turns.take(ctx, "k"); err == nil {
					done()
				}
			})
			both.Go(cancel)
			both.Wait()
		}
		if st := turns.stats(); st.busy != 0 || len(turns.keys) != 0 {
			t.Errorf("left behind: %+v", st)
		}
	})
}

func TestTurnsBoundTheQueueOfAKey(t *testing.T) {
	t.Parallel()
	turns := newTurns(2, time.Minute)
	if turns.ask("k") == nil {
		t.Fatal("no place in an empty house")
	}
	for i := range turns.waiters {
		if turns.ask("k") == nil {
			t.Fatalf("%d may not wait", i)
		}
	}
	if turns.ask("k") != nil {
		t.Error("one more may wait than may")
	}
	if turns.ask("other") == nil {
		t.Error("another key is kept out by it")
	}
}

// slowWarehouse answers statistics when its gate opens, or when nobody waits for them any more.
type slowWarehouse struct {
	store.Warehouse
	gate          chan struct{}
	working, most atomic.Int64
	gone          atomic.Int64 // questions that ended with their context
}

func (w *slowWarehouse) Stats(ctx context.Context, project string, p *store.StatsPlan) ([][]any, error) {
	n := w.working.Add(1)
	defer w.working.Add(-1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
	select {
	case <-w.gate:
		return w.Warehouse.Stats(ctx, project, p)
	case <-ctx.Done():
		w.gone.Add(1)
		return nil, fmt.Errorf("statistics: %w", ctx.Err())
	}
}

// A key that asks without end does not keep another one waiting; what it asked too much is
// refused by name, and what it no longer waits for ends.
func TestGreedyKeyAndHealthyKey(t *testing.T) {
	t.Parallel()
	slow := &slowWarehouse{gate: make(chan struct{})}
	h := open(t, setup{options: func(o *Options) {
		slow.Warehouse = o.Warehouse
		o.Warehouse, o.MaxQueries, o.QueryWait = slow, 4, time.Second
	}})
	h.post(event("t1", "trace_create", `{"id":"of-one","name":"n"}`))
	h.settle()
	greedy := h.newKey("one", "read")
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	var refused, cut atomic.Int64
	var all sync.WaitGroup
	const asked = 100
	for range asked {
		all.Go(func() {
			req, err := http.NewRequestWithContext(ctx, "GET", h.url+"/v1/stats", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("X-API-Key", greedy)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				cut.Add(1)
				return
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
				t.Errorf("a greedy question: %d", res.StatusCode)
			}
			refused.Add(1)
		})
	}
	h.until("the greedy key has its share", func() bool { return slow.working.Load() == 2 })
	for range 20 {
		began := time.Now()
		if rep := h.get("/v1/traces"); rep.status != http.StatusOK || !strings.Contains(string(rep.body), "of-one") {
			t.Fatalf("the healthy key: %d %s", rep.status, rep.body)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the healthy key waited %v", took)
		}
	}
	h.until("the excess is refused", func() bool { return refused.Load() == asked-2 })
	hangUp()
	all.Wait()
	h.until("what nobody waits for has ended", func() bool { return slow.gone.Load() == 2 && slow.working.Load() == 0 })
	if slow.most.Load() != 2 || cut.Load() != 2 {
		t.Errorf("%d at once, %d cut", slow.most.Load(), cut.Load())
	}
	if st := h.srv.turns.stats(); st.busy != 0 || st.waiting != 0 {
		t.Errorf("left behind: %+v", st)
	}
}

func TestQueryTimeout(t *testing.T) {
	t.Parallel()
	slow := &slowWarehouse{gate: make(chan struct{})}
	h := open(t, setup{options: func(o *Options) {
		slow.Warehouse = o.Warehouse
		o.Warehouse, o.QueryTimeout = slow, 50*time.Millisecond
	}})
	rep := h.get("/v1/stats")
	if rep.status != http.StatusGatewayTimeout || rep.code(t) != "query_timeout" || rep.header.Get("Retry-After") != "" || !strings.Contains(string(rep.body), "50ms") {
		t.Errorf("%d %s, Retry-After %q", rep.status, rep.body, rep.header.Get("Retry-After"))
	}
}

// A question that needs more memory than there is gets no promise that it can be asked again.
func TestStarvedQueryIsNamed(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.Warehouse = starvedWarehouse{o.Warehouse} }})
	rep := h.get("/v1/stats")
	if rep.status != http.StatusUnprocessableEntity || rep.code(t) != "query_too_large" || rep.header.Get("Retry-After") != "" || strings.Contains(string(rep.body), "again") {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}

type starvedWarehouse struct{ store.Warehouse }

func (starvedWarehouse) Stats(context.Context, string, *store.StatsPlan) ([][]any, error) {
	return nil, fmt.Errorf("statistics: %w", store.ErrStarved)
}

// What may be repeated may not be repeated without end: the 400 names the parameter and the limit.
func TestRepeatsAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, c := range []struct {
		path, name string
		value      func(i int) string
		most       int
		together   bool // may also come in one value, with commas
	}{
		{"/v1/traces?", "score", func(i int) string { return fmt.Sprintf("s%d>=0", i) }, query.MaxScores, false},
		{"/v1/observations?", "score", func(int) string { return "" }, query.MaxScores, false},
		{"/v1/stats?", "score", func(int) string { return "same>=0" }, query.MaxScores, false},
		{"/v1/stats?", "metrics", func(i int) string { return fmt.Sprintf("score_avg:n%d", i) }, query.MaxMetrics, true},
		{"/v1/stats?", "metrics", func(int) string { return "count" }, query.MaxMetrics, true},
		{"/v1/stats?", "group_by", func(int) string { return "model" }, query.MaxGroups, true},
		{"/v1/telemetry/stream?", "event_type", func(int) string { return "trace_create" }, query.MaxEventTypes, true},
		{"/v1/traces?", "q", func(i int) string { return fmt.Sprintf("word%d", i) }, textsearch.MaxWords, true},
	} {
		ask := func(n int, comma bool) reply {
			var values []string
			for i := range n {
				values = append(values, c.value(i))
			}
			raw := url.Values{c.name: values}.Encode()
			if comma {
				raw = url.Values{c.name: {strings.Join(values, ",")}}.Encode()
			}
			req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+c.path+raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-API-Key", h.key)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return reply{status: res.StatusCode} // a stream has no end
			}
			return read(t, res)
		}
		forms := []bool{false}
		if c.together {
			forms = append(forms, true)
		}
		if c.name == "q" {
			forms = []bool{true}
		}
		for _, comma := range forms {
			if rep := ask(c.most, comma); rep.status != http.StatusOK {
				t.Errorf("%d of %s: %d %s", c.most, c.name, rep.status, rep.body)
			}
			for _, n := range []int{c.most + 1, 1000} {
				rep := ask(n, comma)
				if rep.status != http.StatusBadRequest || !strings.Contains(string(rep.body), c.name) || !strings.Contains(string(rep.body), fmt.Sprint(c.most)) {
					if c.name == "q" && n == 1000 { // longer than its bytes: that is named
						continue
					}
					t.Errorf("%d of %s: %d %.200s", n, c.name, rep.status, rep.body)
				}
			}
		}
	}
}
