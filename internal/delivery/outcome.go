package delivery

import "github.com/brokle-ai/brokle-go/internal/wire"

// Outcome is the fate of one accepted event, or says that a tracing helper could not hand one over.
type Outcome struct {
	EventID string // "" for Refused
	Type    wire.EventType
	Kind    OutcomeKind
	// Reason is set when Kind is Dropped.
	Reason DropReason
	// Err is an *EventError when Kind is Rejected, Dropped or Refused.
	Err error
}

// OutcomeKind is what became of an event.
type OutcomeKind uint8

// The outcomes. Delivered: the server stored it. Duplicate: the server had it
// already (for a retry after a lost answer that means: stored once, by the first try).
// Rejected: the server will never take it, Err says why. Dropped: it never got an answer that settles it.
// Refused: an event of StartTrace, StartObservation, Update, End or Score was never accepted, and these have no error to
// return; Err says why. It is counted in Metrics.Refused, not in Accepted.
const (
	Delivered OutcomeKind = iota + 1
	Duplicate
	Rejected
	Dropped
	Refused
)

// String is the kind in lower case.
func (k OutcomeKind) String() string {
	switch k {
	case Delivered:
		return "delivered"
	case Duplicate:
		return "duplicate"
	case Rejected:
		return "rejected"
	case Dropped:
		return "dropped"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// DropReason says why an accepted event was given up.
type DropReason string

// The reasons.
const (
	DropSampled       DropReason = "sampled"       // SampleRate leaves its trace out
	DropMask          DropReason = "mask_failed"   // the Mask hook failed
	DropUndeliverable DropReason = "undeliverable" // the retry policy gave up, or Close ran out of tries
	DropShutdown      DropReason = "shutdown"      // Close's context ended first
	DropSpoolFull     DropReason = "spool_full"    // SpoolMaxBytes was reached
	DropSpoolError    DropReason = "spool_error"   // the spool's disk failed
)
