package torture

import (
	"time"

	"github.com/brokle-ai/brokle-go"
)

// margin is how near to the end of its ttl an event may be either.
const margin = 5 * time.Second

// answered ends an attempt (or its job) with what became of each event, and
// holds that against the promises: the counts add up, what is wrong fails and nothing
// else does, what was never sent is no duplicate, what was stored is not new again. It
// returns what another node was about to store, and must be sent again.
func (l *ledger) answered(a *attempt, answer *brokle.BatchResponse) (again []*fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over(a)
	l.told["answers"]++
	l.told["processed"] += answer.ProcessedEvents
	l.told["duplicate"] += answer.DuplicateEvents
	l.told["failed"] += answer.FailedEvents
	l.write(map[string]any{"batch": answer.BatchID, "ids": ids(a.facts), "processed": answer.ProcessedEvents,
		"duplicates": answer.DuplicateEventIDs, "failed": answer.FailedEvents})
	if n := answer.ProcessedEvents + answer.DuplicateEvents + answer.FailedEvents; n != len(a.facts) ||
		len(answer.Errors) != answer.FailedEvents || len(answer.DuplicateEventIDs) != answer.DuplicateEvents {
		l.faultLocked("batch %s of %d events does not add up: %d processed, %d duplicate (%d listed), %d failed (%d listed)", answer.BatchID, len(a.facts),
			answer.ProcessedEvents, answer.DuplicateEvents, len(answer.DuplicateEventIDs), answer.FailedEvents, len(answer.Errors))
	}
	failed, pending := map[string]bool{}, map[string]bool{}
	for i := range answer.Errors {
		e := &answer.Errors[i]
		failed[e.EventID] = true
		pending[e.EventID] = e.Code == "claim_pending" && e.Retryable
	}
	duplicates := map[string]int{}
	for _, id := range answer.DuplicateEventIDs {
		duplicates[id]++
	}
	seen := map[string]int{}
	for _, f := range a.facts {
		if f.id != "" {
			seen[f.id]++
		}
	}
	for _, f := range unique(a.facts) {
		switch {
		case f.id == "":
			l.bulkFact(a, f, answer)
		case pending[f.id] && !f.dead:
			f.maybe = true
			again = append(again, f)
		case f.dead || failed[f.id]:
			if !f.dead || !failed[f.id] {
				l.faultLocked("event %s: wrong %t, failed %t: %+v", f.id, f.dead, failed[f.id], answer.Errors)
			}
		case duplicates[f.id] >= seen[f.id]:
			l.duplicate(a, f)
		default:
			if duplicates[f.id] != seen[f.id]-1 {
				l.faultLocked("event %s stands %d times in one request, %d of them duplicates", f.id, seen[f.id], duplicates[f.id])
			}
			l.stored(a, f)
		}
	}
	return again
}

// bulkFact is the answer about an event whose id the client does not know: a request of
// the bulk endpoint is repeated whole, so all are new or all are duplicates.
func (l *ledger) bulkFact(a *attempt, f *fact, answer *brokle.BatchResponse) {
	switch len(a.facts) {
	case answer.ProcessedEvents:
		l.stored(a, f)
	case answer.DuplicateEvents:
		l.duplicate(a, f)
	default:
		l.faultLocked("bulk request of %d: %d processed, %d duplicate, %d failed", len(a.facts),
			answer.ProcessedEvents, answer.DuplicateEvents, answer.FailedEvents)
	}
}

func (l *ledger) duplicate(a *attempt, f *fact) {
	if !f.maybe && !f.acked {
		l.faultLocked("event %s of %s: a duplicate, and it was never stored", f.id, f.env)
	}
	f.ack()
}

// ack notes that f was said to be stored.
func (f *fact) ack() {
	if !f.acked {
		f.acked, f.told = true, time.Now()
	}
}

func (l *ledger) stored(a *attempt, f *fact) {
	switch {
	case l.expired(f):
	case f.acked && l.apart:
		l.told["accepted by two nodes"]++
	case f.acked:
		l.told["doubled"]++
		l.faultLocked("event %s of %s: processed again, %s after its first acceptance, ttl %s", f.id, f.env, a.low.Sub(f.from), f.ttl)
	}
	f.ack()
	f.processed++
	f.from, f.since = a.low, a.began
}

// repeats says whether f may rightly be in the log twice. l.mu is held.
func (l *ledger) repeats(f *fact) bool {
	return f.again || f.lateJob && l.expired(f)
}
