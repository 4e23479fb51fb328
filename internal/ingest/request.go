package ingest

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Request is what one body says, in whatever format it came.
type Request struct {
	// Events are in the order in which they were sent. Payloads are JSON.
	Events []wire.Event
	// Rows are what the decoder has read of the events already, where it has: the same as Extract
	// reads, whose notes are among Notes. It is as long as Events, or nil; a row may be nil.
	Rows []entity.Row
	// Faults are the events that cannot be stored as they were sent, by rising Index into
	// Events; what could be read of them stands at that place in Events.
	Faults []Fault
	// Notes are about events, by rising Index. Those of events that are not stored are dropped.
	Notes []Note
	// Media are what was taken out of payloads, by rising Index.
	Media       []Medium
	Environment string // checked, and the default one when none was named
	KeyID       string // of the key that it came with; "" when there was none
	Dedup       store.Dedup
	Async       bool // becomes a job
	// Degraded is set by Submit: other nodes could not be asked or told, so the
	// batch was compared with what this node knows.
	Degraded bool
}

// beside is about how many bytes the request holds beside the body that it was read from.
func (r *Request) beside() int64 {
	const each = 128 // of an event and its row, without what they point to
	bytes := each * int64(len(r.Events))
	for i := range r.Rows {
		bytes += int64(len(r.Rows[i]))
	}
	for i := range r.Media {
		bytes += r.Media[i].Weight()
	}
	return bytes
}

// Note says what of the event at Index of a request is read otherwise than it was sent. It
// must not repeat a value.
type Note struct {
	Index int
	Text  string
}

// Fault says why the event at Index of a request failed.
type Fault struct {
	Index int
	// Err is without the event's id, which Submit fills in.
	Err wire.BatchEventError
	// OfPayload says that only the payload is wrong: what is wrong with the id or the type is
	// told before it.
	OfPayload bool

	typ wire.EventType // as sent, cut; "" when it could not be read
}

// RequestError refuses a request as a whole: nothing of it was stored.
type RequestError struct {
	Code     string // stable
	Message  string // for people: what is wrong, and the limit
	Details  any    // for programs: JSON, or nil
	TooLarge bool   // it is more than the limit, not wrong
}

func (e *RequestError) Error() string { return e.Code + ": " + e.Message }
