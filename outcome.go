package brokle

import "github.com/brokle-ai/brokle-go/internal/delivery"

// Outcome is the fate of one accepted event, or says that a tracing helper could not hand one over: its
// EventID ("" for Refused), Type and Kind; the Reason when it was dropped; and Err, an *EventError, when it was rejected,
// dropped or refused.
type Outcome = delivery.Outcome

// OutcomeKind is what became of an event.
type OutcomeKind = delivery.OutcomeKind

// The outcomes. Delivered: the server stored it. Duplicate: the server had it
// already (for a retry after a lost answer that means: stored once, by the first try).
// Rejected: the server will never take it, Err says why. Dropped: it never got an answer that settles it.
// Refused: an event of StartTrace, StartObservation, Update, End or Score was never accepted, and these have no error to
// return; Err says why. It is counted in Metrics.Refused, not in Accepted.
const (
	Delivered = delivery.Delivered
	Duplicate = delivery.Duplicate
	Rejected  = delivery.Rejected
	Dropped   = delivery.Dropped
	Refused   = delivery.Refused
)

// DropReason says why an accepted event was given up.
type DropReason = delivery.DropReason

// The reasons.
const (
	DropSampled       = delivery.DropSampled       // SampleRate leaves its trace out
	DropMask          = delivery.DropMask          // the Mask hook failed
	DropUndeliverable = delivery.DropUndeliverable // the retry policy gave up, or Close ran out of tries
	DropShutdown      = delivery.DropShutdown      // Close's context ended first
	DropSpoolFull     = delivery.DropSpoolFull     // SpoolMaxBytes was reached
	DropSpoolError    = delivery.DropSpoolError    // the spool's disk failed
)

// Metrics is one instant of a client's accounting. At every instant
// Accepted = Delivered + Duplicate + Rejected + the sum of Dropped + Pending.
type Metrics = delivery.Metrics

// RefusedCounts counts events that the SDK did not take, by the error it returned.
type RefusedCounts = delivery.RefusedCounts

// ProcessorMetrics returns the accounting at this instant. It is all zero for a client that is nil or disabled.
func (c *Client) ProcessorMetrics() Metrics {
	if !c.enabled() {
		return Metrics{Dropped: map[DropReason]int64{}}
	}
	return c.proc.Metrics()
}

// ProcessorHealthy says whether events are taken and get through: the client
// is enabled and open, the queue has room, and not the last three requests all failed.
func (c *Client) ProcessorHealthy() bool { return c.enabled() && c.proc.Healthy() }
