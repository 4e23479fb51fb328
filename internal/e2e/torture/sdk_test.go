package torture

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// sdkEnv is the environment of all events that come through the SDK.
const sdkEnv = "sdk"

// newSDK is an application that outlives the server.
func (w *world) newSDK() (*brokle.Client, error) {
	w.envs = append(w.envs, sdkEnv)
	return brokle.New(brokle.Config{
		APIKey: rig.Key, Host: "http://" + w.addr, Environment: sdkEnv, Timeout: requestTime,
		BatchFlushInterval: 100 * time.Millisecond, BatchMaxSize: 50, MaxRetries: 100,
		Retry: brokle.ExponentialBackoff{Base: 5 * time.Millisecond, Max: 20 * time.Millisecond}, OnOutcome: w.outcome,
	})
}

// outcome notes what the SDK says about an event.
func (w *world) outcome(o brokle.Outcome) {
	a := &attempt{}
	w.ledger.mu.Lock()
	f := w.ledger.byID[o.EventID]
	if f != nil { // when it was accepted is not known: not before it was submitted
		a.facts, a.low, a.began = []*fact{f}, f.from, f.since
	}
	w.ledger.mu.Unlock()
	if f == nil {
		w.ledger.fault("SDK: an outcome for %s, which was not submitted: %+v", o.EventID, o)
		return
	}
	answer := &brokle.BatchResponse{BatchID: "sdk"}
	switch o.Kind {
	case brokle.Delivered:
		answer.ProcessedEvents = 1
	case brokle.Duplicate: // of a try whose answer did not come
		answer.DuplicateEvents, answer.DuplicateEventIDs = 1, []string{f.id}
	default:
		w.ledger.fault("SDK: event %s: %s %s %v", f.id, o.Kind, o.Reason, o.Err)
		return
	}
	w.ledger.answered(a, answer)
}

// useSDK submits events until ctx ends, then waits until each has its outcome.
func (w *world) useSDK(ctx context.Context, rng *rand.Rand, env string) {
	for ctx.Err() == nil {
		facts := newFacts(rng, sdkEnv, 1+rng.IntN(10))
		w.ledger.add(facts)
		w.ledger.sending(facts, false)
		w.ledger.mu.Lock()
		for _, f := range facts {
			f.maybe = true // the SDK retries by itself
		}
		w.ledger.mu.Unlock()
		for _, f := range facts {
			ev := brokle.Event{ID: f.id, Type: f.typ, Payload: json.RawMessage(f.payload), Timestamp: brokle.At(time.Now())}
			if _, err := w.sdk.SubmitEvent(ev); err != nil {
				w.ledger.fault("SDK: submit in %s: %v", env, err)
			}
		}
		select {
		case <-time.After(time.Duration(5+rng.IntN(20)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
	flush, cancel := context.WithTimeout(w.ctx, w.stuck())
	defer cancel()
	if err := w.sdk.Flush(flush); err != nil {
		if w.ctx.Err() != nil {
			return
		}
		w.ledger.fault("SDK: flush in %s: %v", env, err)
		return
	}
	m := w.sdk.ProcessorMetrics()
	if m.Accepted != m.Delivered+m.Duplicate || m.Pending != 0 {
		w.ledger.fault("SDK: after a flush: %+v", m)
	}
}
