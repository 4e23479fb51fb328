package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// check holds what the server shows against the ledger when all clients have
// their answers: this round's events in full, those of one earlier round and a few of all
// others, and the totals.
func (w *world) check() error {
	if err := w.settleJobs(); err != nil {
		return err
	}
	want := w.ledger.total()
	if err := w.node.AwaitCount(w.ctx, want); err != nil {
		return fmt.Errorf("all acknowledged events: %w", err)
	}
	if w.full {
		if err := w.checkAll(); err != nil {
			return err
		}
		w.full = false
	}
	for _, env := range slices.Compact([]string{w.env, w.envs[w.rng.IntN(len(w.envs))]}) {
		if err := w.checkEnvironment(env); err != nil {
			return err
		}
	}
	if err := w.sample(6); err != nil {
		return err
	}
	return w.countersAddUp()
}

// untilWhole is check, and check again when the node opened again meanwhile: a question
// met damage, which is refused for now, and everything is shown afterwards.
func (w *world) untilWhole(check func() error) error {
	for {
		before := w.opened()
		err := check()
		if err == nil || !w.opensAgain(before) {
			return err
		}
	}
}

// opened is how often the server opened again for damage.
func (w *world) opened() int { return strings.Count(w.node.Log(), "the node opens again") }

// opensAgain waits a moment for the server to open once more, and until it answers.
func (w *world) opensAgain(before int) bool {
	for deadline := time.Now().Add(5 * time.Second); w.opened() == before; w.wait(20 * time.Millisecond) {
		if time.Now().After(deadline) || w.ctx.Err() != nil {
			return false
		}
	}
	for deadline := time.Now().Add(rig.Patience); time.Now().Before(deadline) && w.ctx.Err() == nil; w.wait(20 * time.Millisecond) {
		if _, err := w.node.Count(w.ctx, ""); err == nil {
			return true
		}
	}
	return false
}

// checkAll holds everything against the ledger.
func (w *world) checkAll() error {
	if err := w.settleJobs(); err != nil {
		return err
	}
	if err := w.node.AwaitCount(w.ctx, w.ledger.total()); err != nil {
		return fmt.Errorf("all acknowledged events: %w", err)
	}
	if err := w.checkEvents("", w.wanted("")); err != nil {
		return err
	}
	if err := w.checkObservations("", w.wanted("")); err != nil {
		return err
	}
	return w.sample(50)
}

// settleJobs waits for the asynchronous batches.
func (w *world) settleJobs() error {
	jobs := w.ledger.takeJobs()
	for i, j := range jobs {
		var got brokle.Job
		for range 12 {
			if err := w.node.Get(w.ctx, "/v1/telemetry/jobs/"+j.id+"?wait=5s", &got); err != nil {
				if w.ledger.forgotten(j) {
					break
				}
				w.ledger.putJobs(jobs[i:])
				return fmt.Errorf("job that was accepted: %w", err)
			}
			if got.Status == brokle.JobCompleted || got.Status == brokle.JobFailed {
				break
			}
		}
		if got.JobID == "" {
			continue
		}
		if got.Status != brokle.JobCompleted || got.Result == nil {
			return fmt.Errorf("job %s is not completed: %+v", j.id, got)
		}
		w.ledger.answered(j.try, got.Result)
	}
	return nil
}

// wanted is what must be readable of an environment, "" for all.
func (w *world) wanted(env string) map[*fact]bool {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	facts := w.ledger.facts
	if env != "" {
		facts = w.ledger.byEnv[env]
	}
	want := map[*fact]bool{}
	for _, f := range facts {
		if f.acked && !f.dead {
			want[f] = true
		}
	}
	return want
}

func (w *world) checkEnvironment(env string) error {
	want := w.wanted(env)
	if err := w.checkEvents(env, want); err != nil {
		return err
	}
	if n, err := w.node.Count(w.ctx, "&environment="+env); err != nil || n != len(want) {
		return errors.Join(fmt.Errorf("the warehouse counts %d events of %s, want %d", n, env, len(want)), err)
	}
	return w.checkObservations(env, want)
}

// checkEvents reads the events themselves from the Log: each once, its payload
// as it was sent, and nothing else.
func (w *world) checkEvents(env string, want map[*fact]bool) error {
	seen := map[*fact]int{}
	err := pages(w, "/v1/telemetry/events?limit=1000&environment="+env, func(e *brokle.StoredEvent) error {
		f := w.find(e)
		switch {
		case f == nil:
			return fmt.Errorf("event %s of %s is there and nobody sent it: %.200s", e.EventID, e.Environment, e.Payload)
		case f.dead:
			return fmt.Errorf("event %s failed, and is there", e.EventID)
		case string(e.Payload) != f.payload || e.EventType != f.typ:
			return fmt.Errorf("event %s was sent as %s %.300s, is %s %.300s", e.EventID, f.typ, f.payload, e.EventType, e.Payload)
		}
		seen[f]++
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for f := range want {
		switch n := seen[f]; {
		case n == 0:
			errs = append(errs, fmt.Errorf("event %s %.60s of %s was acknowledged and is not in the log", f.id, f.payload, f.env))
			w.ledger.told["lost"]++
		case n > 1 && !w.ledger.repeats(f):
			errs = append(errs, fmt.Errorf("event %s of %s is in the log %d times", f.id, f.env, n))
			w.ledger.told["doubled"]++
		}
	}
	return first(errs, 10)
}

// find is the fact that a stored event is.
func (w *world) find(e *brokle.StoredEvent) *fact {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if f := w.ledger.byID[e.EventID]; f != nil {
		return f
	}
	if strings.HasPrefix(e.EventID, "bulk_") {
		return w.ledger.bulk[string(e.Payload)]
	}
	return nil
}

// checkObservations reads the folded observations from the Warehouse.
func (w *world) checkObservations(env string, want map[*fact]bool) error {
	byEntity := map[string]*fact{}
	for f := range want {
		if f.entity != "" {
			byEntity[f.entity] = f
		}
	}
	seen := map[string]bool{}
	err := pages(w, "/v1/observations?limit=1000&environment="+env, func(o *brokle.Observation) error {
		f := byEntity[o.ID]
		switch {
		case f == nil:
			return fmt.Errorf("observation %s of %s is listed and was not sent", o.ID, env)
		case seen[o.ID]:
			return fmt.Errorf("observation %s of %s is listed twice", o.ID, env)
		case f.preview() != o.InputPreview:
			return fmt.Errorf("observation %s: sent %.100q, listed %.100q", o.ID, f.input(), o.InputPreview)
		}
		seen[o.ID] = true
		return nil
	})
	if err != nil {
		return err
	}
	if len(seen) != len(byEntity) {
		return fmt.Errorf("%d observations of %q are listed, want %d", len(seen), env, len(byEntity))
	}
	return nil
}

// input is what f's payload has as its input.
func (f *fact) input() string {
	var p struct{ Input string }
	if err := json.Unmarshal([]byte(f.payload), &p); err != nil {
		panic(err) // it was made here
	}
	return p.Input
}

// preview is what lists show of it.
func (f *fact) preview() string {
	r := []rune(f.input())
	return string(r[:min(len(r), 128)])
}

// sample asks for n events of all rounds: receipt, and the payload as the folded
// trace shows it.
func (w *world) sample(n int) error {
	for _, f := range w.ledger.known(w.rng.IntN, n) {
		var receipt struct{ Status string }
		if err := w.node.Get(w.ctx, "/v1/telemetry/events/"+url.PathEscape(f.id), &receipt); err != nil || receipt.Status != "stored" {
			return fmt.Errorf("receipt of event %s of %s: %q (%w)", f.id, f.env, receipt.Status, err)
		}
		if f.entity == "" {
			continue
		}
		var o brokle.Observation
		if err := w.node.Get(w.ctx, "/v1/observations/"+url.PathEscape(f.entity), &o); err != nil {
			return fmt.Errorf("event %s of %s: %w", f.id, f.env, err)
		}
		var got string
		if err := json.Unmarshal(o.Input, &got); err != nil || got != f.input() {
			return fmt.Errorf("observation %s of %s: sent %.200q, read %.200s (%w)", o.ID, f.env, f.input(), o.Input, err)
		}
	}
	return nil
}

// audit is what the server counts since its start.
type audit struct {
	Processed   int `json:"processed_events"`
	Duplicate   int `json:"duplicate_events"`
	Failed      int `json:"failed_events"`
	Pending     int `json:"pending_jobs"`
	Quarantined int `json:"quarantined_events"`
}

// countersAddUp sends one batch of everything while nobody else does, and compares what
// the server counts with its answer.
func (w *world) countersAddUp() error {
	var before, after audit
	if err := w.node.Get(w.ctx, "/v1/telemetry/audit", &before); err != nil {
		return err
	}
	n := 3
	if w.ledger.apart {
		n = 0 // another node may have them
	}
	known := w.ledger.known(w.rng.IntN, n)
	facts := append(newFacts(w.rng, w.env, 4), newDead(w.rng, w.env))
	w.ledger.add(facts)
	all := append(facts, known...)
	a := w.ledger.sending(all, false)
	body := encode(brokle.BatchRequest{Events: events(all), Environment: w.env})
	status, b, err := w.node.Do(w.ctx, http.DefaultClient, http.MethodPost, "/v1/telemetry/batch", []byte(body))
	var answer brokle.BatchResponse
	if err == nil {
		err = json.Unmarshal(b, &answer)
	}
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("a batch when all is well: %d %.300s (%w)", status, b, err)
	}
	w.ledger.answered(a, &answer)
	if answer.ProcessedEvents != 4 || answer.DuplicateEvents != len(known) || answer.FailedEvents != 1 {
		return fmt.Errorf("4 new events, %d known and 1 wrong: %+v", len(known), answer)
	}
	if err := w.node.Get(w.ctx, "/v1/telemetry/audit", &after); err != nil {
		return err
	}
	want := before
	want.Processed += 4
	want.Duplicate += len(known)
	want.Failed++
	if after != want || after.Quarantined != 0 || after.Pending != 0 {
		return fmt.Errorf("the counters were %+v, are %+v, want %+v, nothing pending and nothing in quarantine", before, after, want)
	}
	return nil
}

// pages reads a list to its end.
func pages[T any](w *world, path string, row func(*T) error) error {
	deadline := time.Now().Add(w.stuck())
	for cursor := ""; ; {
		var page brokle.Page[T]
		if err := w.read(path+"&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return err
		}
		for i := range page.Data {
			if err := row(&page.Data[i]); err != nil {
				return err
			}
		}
		if page.NextCursor == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has no end", path)
		}
		cursor = *page.NextCursor
	}
}

func first(errs []error, n int) error {
	if len(errs) > n {
		errs = append(errs[:n:n], fmt.Errorf("… and %d more", len(errs)-n))
	}
	return errors.Join(errs...)
}
