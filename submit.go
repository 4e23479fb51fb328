package brokle

import (
	"context"
	"time"
)

// SubmitBatchEvent takes an event for the background and returns its id, a new
// ULID; its timestamp is now. It never blocks and never does input or output.
//
// payload becomes a JSON object: a struct, a map, a json.RawMessage (sent as it is), or a
// Trace, Observation or Score (its zero fields are left out). It is taken as it is: the caller may change
// it afterwards. It is marshalled before the call returns, but for texts of more than 128 bytes, which nobody can change: these are
// held until a batch is due or full, and written in the background.
//
// The errors are ErrQueueFull, ErrClosed, ErrTooLarge, and an *EventError for
// an unknown type or a payload that is no JSON object; the event was then not
// taken and is counted in Metrics.Refused. After nil, OnOutcome and the metrics tell its fate.
// A client that is nil or disabled returns "" and nil.
func (c *Client) SubmitBatchEvent(t EventType, payload any) (string, error) {
	if !c.enabled() {
		return "", nil
	}
	return c.proc.Submit("", t, time.Time{}, payload)
}

// SubmitEvent is SubmitBatchEvent for an event that brings its own id and
// time, for ids derived from content or times in the past. An empty ID gets a new ULID, a zero Timestamp
// is now.
func (c *Client) SubmitEvent(ev Event) (string, error) {
	if !c.enabled() {
		return "", nil
	}
	return c.proc.Submit(ev.ID, ev.Type, ev.Timestamp.Time, ev.Payload)
}

// SubmitTelemetry takes data as an event_create. See SubmitBatchEvent.
func (c *Client) SubmitTelemetry(data any) error {
	return c.SubmitTelemetryAs(EventCreate, data)
}

// SubmitTelemetryAs is SubmitBatchEvent for callers who do not need the id.
func (c *Client) SubmitTelemetryAs(t EventType, data any) error {
	_, err := c.SubmitBatchEvent(t, data)
	return err
}

// Flush sends everything at once and returns when each event accepted before
// the call has an outcome. When ctx ends first it returns a *PendingError that says how many
// have none. Without a deadline and a server it waits as long as the server is away.
func (c *Client) Flush(ctx context.Context) error {
	if !c.enabled() {
		return nil
	}
	return c.proc.Flush(ctx)
}

// Close takes no more events, flushes, and ends the client's goroutines. Each
// batch is tried at most MaxRetries more times; what is then still undelivered goes to the spool where
// there is one and is dropped otherwise. When ctx ends first, that happens at once. It returns a
// *PendingError when events went to the spool or ctx ended before all had their outcome. Every call of Close returns when
// the client is closed, and only the first one may return that error.
func (c *Client) Close(ctx context.Context) error {
	if !c.enabled() {
		return nil
	}
	defer c.transport.Close()
	defer c.prompts.close()
	return c.proc.Close(ctx)
}
