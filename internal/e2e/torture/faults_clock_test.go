package torture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// clockFaults make the server's clock jump, while it runs or while it is away.
func clockFaults() []*fault {
	return []*fault{{"clock jumps forwards or backwards", 10, clockJumps}}
}

func clockJumps(w *world) error {
	probe, err := w.probe()
	if err != nil {
		return err
	}
	before := w.clock.wrong
	jump := w.between(2*time.Minute, 3*time.Hour)
	if w.rng.IntN(5) == 0 {
		jump = w.between(25*time.Hour, 50*time.Hour)
	}
	if before > 0 || before == 0 && w.rng.IntN(2) == 0 {
		jump = -jump // it goes about the right time
	}
	w.ledger.note(map[string]any{"clock from": before.String(), "to": (before + jump).String()})
	switch w.rng.IntN(3) {
	case 0: // while it runs
		w.wait(w.between(10*time.Millisecond, 150*time.Millisecond))
		err = w.clock.set(before + jump)
	case 1:
		w.down()
		if err = w.clock.set(before + jump); err == nil {
			err = w.start()
		}
	case 2: // and the index is built again by another clock
		w.kill()
		if err = w.clock.set(before + jump); err == nil {
			err = w.start()
		}
		w.wait(w.between(10*time.Millisecond, 100*time.Millisecond))
		w.kill()
		if err == nil {
			err = w.start()
		}
	}
	if err != nil {
		return err
	}
	return w.repeat(probe, jump)
}

// probe stores a few events with known times to live.
func (w *world) probe() ([][]*fact, error) {
	var probe [][]*fact
	for _, ttl := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour} {
		facts := newFacts(w.rng, w.env, 5)
		for _, f := range facts {
			f.ttl = ttl
		}
		w.ledger.add(facts)
		answer, err := w.sendProbe(facts)
		if err != nil {
			return nil, err
		}
		if answer.ProcessedEvents != len(facts) {
			return nil, fmt.Errorf("a new batch: %+v", answer)
		}
		probe = append(probe, facts)
	}
	return probe, nil
}

// repeat sends the probe again after the jump: an event is new when its ttl has passed
// since it was first accepted, by the server's clock, and else a duplicate; what the
// clock has passed once may be forgotten.
func (w *world) repeat(probe [][]*fact, jump time.Duration) error {
	for _, facts := range probe {
		ttl := facts[0].ttl
		answer, err := w.sendProbe(facts)
		if err != nil {
			return err
		}
		switch {
		case jump < ttl-2*margin && answer.DuplicateEvents != len(facts),
			jump > ttl+2*margin && answer.ProcessedEvents != len(facts):
			return fmt.Errorf("events with a ttl of %s, sent again after the clock jumped by %s: %+v", ttl, jump, answer)
		}
	}
	return nil
}

func (w *world) sendProbe(facts []*fact) (*brokle.BatchResponse, error) {
	dedup := brokle.DefaultDeduplication()
	dedup.TTL = int(facts[0].ttl / time.Second)
	a := w.ledger.sending(facts, false)
	body := encode(brokle.BatchRequest{Events: events(facts), Environment: w.env, Deduplication: &dedup})
	status, b, err := w.node.Do(w.ctx, http.DefaultClient, http.MethodPost, "/v1/telemetry/batch", []byte(body))
	var answer brokle.BatchResponse
	if err == nil {
		err = json.Unmarshal(b, &answer)
	}
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("a batch for the clock: %d %.300s (%w)", status, b, err)
	}
	w.ledger.answered(a, &answer)
	return &answer, nil
}
