package store

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Batch is the valid part of one request on its way into the Log. All of it
// belongs to one project. Event types are canonical and timestamps are set.
type Batch struct {
	Project     string
	Environment string
	ID          string // batch id, a ULID made by the server
	KeyID       string // of the key that brought it, never its secret; "" when that is not known
	ReceivedAt  time.Time
	Dedup       Dedup
	Events      []wire.Event
	Rows        []entity.Row // nil, or one per event; a row may be nil
	// Failed are the events of the request that ingest refused, and why. They
	// are kept with the batch so that its receipt can be given again.
	Failed []wire.BatchEventError
	// Notes are about its events, in their order. Those of the events that turn out to be duplicates are not
	// given again. A note repeats no value: it stays when its event is erased.
	Notes []wire.EventNote
	// Job is the job this batch completes, or "" for a synchronous batch.
	Job string
}

// Dedup is how a batch's ids are compared with those already accepted.
type Dedup struct {
	Enabled         bool          // false: no look-up and no mark
	TTL             time.Duration // how long a mark lasts, from first acceptance
	FailOnDuplicate bool          // any duplicate: nothing is stored
	LocalOnly       bool          // do not ask the Claimer
}

// Outcome is what became of one event of a Batch.
type Outcome uint8

// The outcomes. There is no third: an Append either says one of these for each
// event or returns an error and stores nothing.
const (
	Stored Outcome = iota + 1
	Duplicate
)
