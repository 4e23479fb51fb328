package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// CodeClaimPending is the code of an event that another node is storing at this
// moment: whether it is a duplicate is not known yet, so it may be sent again.
const CodeClaimPending = "claim_pending"

// errClaimPending: some ids are leased elsewhere and this batch cannot be
// answered without knowing how that ends.
var errClaimPending = fmt.Errorf("%w: another node is storing some of these events", store.ErrUnavailable)

func (in *Ingest) claims(d store.Dedup) bool {
	return in.o.Claimer != nil && d.Enabled && !d.LocalOnly
}

// claim leases the ids of the batch across nodes and takes out the events that
// another node has stored or is storing. A Claimer that fails is done without:
// the Log still deduplicates what this node has seen.
func (in *Ingest) claim(ctx context.Context, s *submission) error {
	if !in.claims(s.batch.Dedup) || len(s.batch.Events) == 0 {
		return nil
	}
	ids, at := distinct(s.batch.Events)
	states, err := in.o.Claimer.Claim(ctx, s.batch.Project, ids, s.owner, lease)
	if err == nil && len(states) != len(ids) {
		err = fmt.Errorf("claimer gave %d states for %d ids", len(states), len(ids))
	}
	if err != nil {
		in.degrade(s, "claim", err)
		return nil
	}
	for i, state := range states {
		if state == store.Claimed {
			s.claimed = append(s.claimed, ids[i])
		}
	}
	pending := s.partition(states, at)
	if s.batch.Dedup.FailOnDuplicate && len(s.duplicates) > 0 {
		in.release(ctx, s, s.claimed)
		return store.ErrDuplicate
	}
	if pending && (s.batch.Dedup.FailOnDuplicate || s.batch.Job != "") {
		in.release(ctx, s, s.claimed)
		return errClaimPending
	}
	return nil
}

// distinct returns the ids without repetition, and for each event which of them is its own.
func distinct(events []wire.Event) (ids []string, at []int) {
	place := make(map[string]int, len(events))
	at = make([]int, len(events))
	for i := range events {
		n, seen := place[events[i].ID]
		if !seen {
			n = len(ids)
			place[events[i].ID] = n
			ids = append(ids, events[i].ID)
		}
		at[i] = n
	}
	return ids, at
}

// partition keeps the events that are claimed; the others become duplicates or
// retryable failures. pending is true when there is one of the latter.
func (s *submission) partition(states []store.ClaimState, at []int) (pending bool) {
	events, rows, index := s.batch.Events, s.batch.Rows, s.index
	s.batch.Events, s.batch.Rows, s.index = events[:0], rows[:0], index[:0]
	for i := range events {
		switch states[at[i]] {
		case store.ClaimedBefore:
			s.duplicates = append(s.duplicates, indexed{index[i], events[i].ID})
		case store.ClaimedElse:
			pending = true
			s.faults = append(s.faults, Fault{Index: index[i], Err: wire.BatchEventError{
				EventID: events[i].ID, Code: CodeClaimPending, Retryable: true, Message: "Invalid event_id for now",
				Details: "another node is storing an event of this event_id at this moment; send it again in a while"}})
		default:
			s.keep(events[i], rows[i], index[i])
		}
	}
	return pending
}

// commit tells the other nodes what was stored, also when they could not be
// asked before. Leases of ids that turned out to be duplicates of this node's own
// index are given up: a mark made now would outlive the one they already have.
func (in *Ingest) commit(ctx context.Context, s *submission, outcomes []store.Outcome) {
	if !in.claims(s.batch.Dedup) || len(outcomes) == 0 {
		return
	}
	stored := make(map[string]bool, len(outcomes))
	marks := make([]string, 0, len(outcomes))
	for i, outcome := range outcomes {
		if id := s.batch.Events[i].ID; outcome == store.Stored && !stored[id] {
			stored[id] = true
			marks = append(marks, id)
		}
	}
	if len(marks) > 0 {
		if err := in.o.Claimer.Commit(ctx, s.batch.Project, marks, s.owner, s.batch.Dedup.TTL); err != nil {
			in.degrade(s, "commit", err)
		}
	}
	var others []string
	for _, id := range s.claimed {
		if !stored[id] {
			others = append(others, id)
		}
	}
	in.release(ctx, s, others)
}

// release gives up leases. When that fails they lapse by themselves.
func (in *Ingest) release(ctx context.Context, s *submission, ids []string) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := in.o.Claimer.Release(ctx, s.batch.Project, ids, s.owner); err != nil {
		in.degrade(s, "release", err)
	}
}

// degrade counts the batch once. A Claimer that says itself that it is degraded
// needs no further line in the log for each.
func (in *Ingest) degrade(s *submission, step string, err error) {
	if !s.degraded {
		s.degraded = true
		in.counters.add(func(c *Stats) { c.Degraded++ })
	}
	if !errors.Is(err, store.ErrDegraded) {
		in.o.Logger.Warn("claimer failed, deduplicating locally", "step", step, "error", err)
	}
}
