package delivery

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Why an event is not taken.
var (
	// ErrQueueFull: the queue has reached QueueMaxEvents or QueueMaxBytes; the event was not taken.
	ErrQueueFull = errors.New("brokle: queue full")
	// ErrClosed: Close has been called; the event was not taken.
	ErrClosed = errors.New("brokle: client closed")
	// ErrTooLarge: the payload is larger than EventMaxBytes, or than the whole queue; the event was not taken.
	ErrTooLarge = errors.New("brokle: payload too large")
)

// EventError says why one event was not taken or not kept.
type EventError struct {
	EventID string // "" when it was refused before it had one
	Type    wire.EventType
	// Code is the server's, or one of the SDK's: "unknown_event_type", "invalid_payload", "invalid_event_id".
	Code    string
	Message string
	// Retryable is true when the same event may be accepted later.
	Retryable bool
	Err       error // the cause, where there is one
}

func (e *EventError) Error() string {
	var b strings.Builder
	b.WriteString("brokle: event")
	if e.EventID != "" {
		b.WriteString(" " + e.EventID)
	}
	fmt.Fprintf(&b, ": %s", e.Code)
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *EventError) Unwrap() error { return e.Err }

// PendingError is what Flush and Close return when the context ended first, or
// when events went to the spool.
type PendingError struct {
	// Pending is how many events accepted before the call have no outcome yet.
	// After Close they have been dropped (DropShutdown), but for those spooled.
	Pending int
	// Spooled is how many of them are on disk and will be sent on the next start.
	Spooled int
	Err     error // the context's error, or nil
}

func (e *PendingError) Error() string {
	s := fmt.Sprintf("brokle: %d events without an outcome", e.Pending)
	if e.Spooled > 0 {
		s += fmt.Sprintf(", %d of them in the spool", e.Spooled)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *PendingError) Unwrap() error { return e.Err }
