package brokle

import (
	"context"
	"iter"
	"time"
)

const pathStoredEvents = "/v1/telemetry/events"

// EventQuery asks for stored events, in the order in which they were accepted.
type EventQuery struct {
	From, To    time.Time // From ≤ timestamp of the event < To
	Environment string    // of the batch
	KeyID       string    // of the key that brought it
	// TraceID asks for the events that fold into this trace: its own, those of
	// its observations and of its scores.
	TraceID string
	// Limit is the most rows of one page, 1 to 1000; 0 is the server's default, 50. A page may
	// hold fewer, even none, and still have a NextCursor: the server bounds its bytes too.
	Limit int
	// Cursor is the NextCursor of a page of the same query.
	Cursor string
}

// Events reads the stored events themselves. It is a Client's field.
type Events struct{ c *Client }

// List iterates over all events that q asks for and that were accepted before
// it began, page by page. It ends after the first error, which comes with a zero row.
func (e *Events) List(ctx context.Context, q EventQuery) iter.Seq2[StoredEvent, error] {
	return rows(func(cursor string) (*Page[StoredEvent], error) {
		q.Cursor = cursor
		return e.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (e *Events) Page(ctx context.Context, q EventQuery) (*Page[StoredEvent], error) {
	return get[Page[StoredEvent]](ctx, e.c, pathStoredEvents, params(q))
}
