package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// drainTime is how soon after a fault both nodes must show all that was acknowledged, with nobody's help.
const drainTime = 3 * time.Minute

// check waits until both nodes count all events and observations, and holds what they say of an environment against the ledger: the lists of one of them,
// and the sums of the other one.
func (s *sharing) check(env string) error {
	began := time.Now()
	for _, w := range s.nodes {
		if err := s.whole(w); err != nil {
			return err
		}
	}
	l := s.nodes[0].ledger
	l.note(map[string]any{"environment": env, "whole after ms": time.Since(began).Milliseconds()})
	lists, sums := s.nodes[0], s.nodes[1]
	if lists.rng.IntN(2) == 0 {
		lists, sums = sums, lists
	}
	want := lists.wanted(env)
	if err := lists.checkLists(env, want); err != nil {
		return err
	}
	if err := sums.checkSums(env, want); err != nil {
		return err
	}
	if err := lists.sampleTraces(env, want, 3); err != nil {
		return err
	}
	for _, w := range s.nodes {
		if err := w.countersAddUp(); err != nil {
			return err
		}
	}
	return nil
}

// checkLists compares the lists of events, observations and traces.
func (w *world) checkLists(env string, want map[*fact]bool) error {
	if err := w.checkEvents(env, want); err != nil {
		return err
	}
	if err := w.checkObservations(env, want); err != nil {
		return err
	}
	traces := map[string]int{}
	for f := range want {
		traces[f.trace] = 0
	}
	err := pages(w, "/v1/traces?limit=1000&environment="+env, func(t *brokle.TraceSummary) error {
		n, sent := traces[t.ID]
		if !sent || n > 0 {
			return fmt.Errorf("trace %s of %s is listed; it was sent: %t, and listed before: %d", t.ID, env, sent, n)
		}
		traces[t.ID]++
		return nil
	})
	if err != nil {
		return err
	}
	for id, n := range traces {
		if n == 0 {
			return fmt.Errorf("trace %s of %s is not listed", id, env)
		}
	}
	return nil
}

// checkSums compares what the numbers of an environment's observations add up to.
func (w *world) checkSums(env string, want map[*fact]bool) error {
	var count, tokens int
	for f := range want {
		if f.entity == "" {
			continue
		}
		var p struct {
			Tokens int `json:"prompt_tokens"`
		}
		if err := json.Unmarshal([]byte(f.payload), &p); err != nil {
			panic(err) // it was made here
		}
		count, tokens = count+1, tokens+p.Tokens
	}
	var got brokle.Page[struct{ Count, Tokens int }]
	if err := w.read("/v1/stats?of=observations&metrics=count,tokens&environment="+env, &got); err != nil {
		return err
	}
	if len(got.Data) != 1 || got.Data[0].Count != count || got.Data[0].Tokens != tokens {
		return fmt.Errorf("the observations of %q are summed up as %+v, want %d with %d tokens", env, got.Data, count, tokens)
	}
	if err := w.read("/v1/stats?of=events&metrics=count&environment="+env, &got); err != nil {
		return err
	}
	if len(got.Data) != 1 || got.Data[0].Count != len(want) {
		return fmt.Errorf("the events of %q are counted as %+v, want %d", env, got.Data, len(want))
	}
	return nil
}

// read reads a path into v. Of a node that shares a warehouse it asks again while that cannot answer for now: 503 and 504 are promises kept.
func (w *world) read(path string, v any) error {
	for deadline := time.Now().Add(drainTime); ; w.wait(200 * time.Millisecond) {
		status, body, err := w.node.Do(w.ctx, http.DefaultClient, http.MethodGet, path, nil)
		if err == nil && status == http.StatusOK {
			return json.Unmarshal(body, v)
		}
		passes := w.shared && err == nil && (status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout)
		if !passes || time.Now().After(deadline) || w.ctx.Err() != nil {
			return errors.Join(fmt.Errorf("GET %s: %d %.300s", path, status, body), err)
		}
	}
}

// sampleTraces reads some traces whole.
func (w *world) sampleTraces(env string, want map[*fact]bool, n int) error {
	inputs := map[string]map[string]string{} // by trace and observation
	for f := range want {
		if inputs[f.trace] == nil {
			if len(inputs) == n {
				continue
			}
			inputs[f.trace] = map[string]string{}
		}
	}
	for f := range want {
		if of := inputs[f.trace]; of != nil && f.entity != "" {
			of[f.entity] = f.input()
		}
	}
	for id, sent := range inputs {
		var t brokle.Trace
		if err := w.read("/v1/traces/"+url.PathEscape(id), &t); err != nil {
			return err
		}
		if len(t.Observations) != len(sent) {
			return fmt.Errorf("trace %s of %s has %d observations, want %d", id, env, len(t.Observations), len(sent))
		}
		for _, o := range t.Observations {
			var got string
			if err := json.Unmarshal(o.Input, &got); err != nil || got != sent[o.ID] {
				return fmt.Errorf("observation %s of trace %s: sent %.100q, read %.100s (%w)", o.ID, id, sent[o.ID], o.Input, err)
			}
		}
	}
	return nil
}

// whole waits until a node counts all that was acknowledged: events, and the observations that are folded of them. More than that is an error at once.
func (s *sharing) whole(w *world) error {
	events := w.ledger.total()
	observations := 0
	w.ledger.mu.Lock()
	for _, f := range w.ledger.facts {
		if f.acked && !f.dead && f.entity != "" {
			observations++
		}
	}
	w.ledger.mu.Unlock()
	last := ""
	for deadline := time.Now().Add(drainTime); ; w.wait(50 * time.Millisecond) {
		done, err := w.counts(events, observations)
		if done || errors.Is(err, errMore) || w.ctx.Err() != nil {
			return err
		}
		last = fmt.Sprint(err)
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s the node at %s does not show all that was acknowledged: %s", drainTime, w.addr, last)
		}
	}
}

// errMore says that there is more than was sent.
var errMore = errors.New("there is more than was acknowledged")

func (w *world) counts(events, observations int) (whole bool, err error) {
	n, err := w.countSoon("events")
	if err == nil && n > events {
		return false, fmt.Errorf("%w: %d events, want %d", errMore, n, events)
	}
	if err != nil || n < events {
		return false, errors.Join(err, fmt.Errorf("%d events, want %d", n, events))
	}
	n, err = w.countSoon("observations")
	if err == nil && n > observations {
		return false, fmt.Errorf("%w: %d observations, want %d", errMore, n, observations)
	}
	if err != nil || n < observations {
		return false, errors.Join(err, fmt.Errorf("%d observations, want %d", n, observations))
	}
	return true, nil
}

// countSoon counts, within a time: a node whose warehouse is away says so, and does not wait for it.
func (w *world) countSoon(of string) (int, error) {
	ctx, cancel := context.WithTimeout(w.ctx, stuckTime)
	defer cancel()
	status, body, err := w.node.Do(ctx, http.DefaultClient, http.MethodGet, "/v1/stats?metrics=count&of="+of, nil)
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("%d %.300s", status, body)
	}
	var page struct {
		Data []struct{ Count int }
	}
	if err := json.Unmarshal(body, &page); err != nil || len(page.Data) == 0 {
		return 0, err
	}
	return page.Data[0].Count, nil
}

// end compares all of a world, from each node, stops one and asks the other one, and takes it down.
func (s *sharing) end() error {
	ctx, cancel := context.WithTimeout(s.nodes[0].ctx, rig.Patience)
	defer cancel()
	for _, w := range s.nodes {
		if err := w.sdk.Close(ctx); err != nil {
			return err
		}
	}
	all := s.nodes[0].wanted("")
	for _, w := range s.nodes {
		if err := s.whole(w); err != nil {
			return err
		}
		if err := w.checkLists("", all); err != nil {
			return err
		}
		if err := w.checkSums("", all); err != nil {
			return err
		}
	}
	away, left := s.nodes[0], s.nodes[1]
	if err := away.terminate(); err != nil {
		return err
	}
	if err := errors.Join(s.whole(left), left.checkSums("", all), left.sampleTraces("", all, 20)); err != nil {
		return fmt.Errorf("with one node stopped: %w", err)
	}
	if err := left.terminate(); err != nil {
		return err
	}
	return errors.Join(away.removeData(), left.removeData())
}
