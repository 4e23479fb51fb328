package entity

import (
	"errors"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Seq is an event's place in the Log: it rises strictly, starts at 1, and has
// holes where a duplicate stood. 0 is "before the first".
type Seq uint64

// Record is one stored event as followers and readers of the Log see it. It is
// immutable; its payload may share memory with the Log's cache and must not be changed.
type Record struct {
	Seq         Seq
	Project     string
	Environment string    // of the batch; "default" when none was sent
	BatchID     string    // the batch that brought it
	KeyID       string    // of the key that brought the batch; "" when that is not known, as of what an earlier release stored
	ReceivedAt  time.Time // UTC, microseconds, the node's clock
	Event       wire.Event
	// Notes say what of the event is read otherwise than it was sent; nil for nearly all.
	Notes []string
	// Row is what Extract read from the payload, packed, when it is still known from
	// acceptance; nil when the record was read back from disk.
	Row Row
	// Fields is what Extract reads from the payload, where somebody has read it (extract.Fill); the Log leaves it nil.
	Fields *Fields
}

// FactID is what makes events of one project one fact: see Fold. Of records with the same, the one with the lowest Seq counts.
type FactID struct {
	EventID string
	Content uint64 // Fields.Content
}

// FactID names the record's fact within its project. The record has Fields.
func (r *Record) FactID() FactID { return FactID{r.Event.ID, r.Fields.Content} }

// ErrNotFound says that there is nothing of that name. Use errors.Is.
var ErrNotFound = errors.New("not found")
