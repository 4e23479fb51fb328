package wire

import (
	"encoding/json"
	"time"
)

// BatchRequest is the body of POST /v1/telemetry/batch.
type BatchRequest struct {
	// Events holds 1 to 1000 events (the server's limit is configurable).
	Events []Event `json:"events"`
	// Environment is lower-case letters, digits, '-', '_' and '.', at most 40
	// characters, not starting with "brokle". Empty means "default".
	Environment string `json:"environment,omitempty"`
	// Metadata is any JSON object about the batch; the server accepts and ignores it.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// Deduplication is nil for the defaults: enabled, an hour, shared, lenient.
	Deduplication *Deduplication `json:"deduplication,omitempty"`
	// AsyncMode asks for 202 as soon as the raw batch is durable; the outcome
	// is then read from the job.
	AsyncMode bool `json:"async_mode,omitempty"`
}

// Deduplication says how a batch's event ids are compared with those already accepted.
type Deduplication struct {
	// Enabled false means no look-up and no mark.
	Enabled bool `json:"enabled"`
	// TTL is how long an accepted id is remembered, in seconds, 60 to 86400.
	TTL int `json:"ttl"`
	// UseRedisCache false means this node's index only.
	UseRedisCache bool `json:"use_redis_cache"`
	// FailOnDuplicate refuses the whole batch with 409 when any id is a duplicate.
	FailOnDuplicate bool `json:"fail_on_duplicate"`
}

// The range and default of Deduplication.TTL, in seconds.
const (
	MinDedupTTL     = 60
	DefaultDedupTTL = 3600
	MaxDedupTTL     = 86400
)

// DefaultDeduplication is what a batch without a deduplication object gets.
func DefaultDeduplication() Deduplication {
	return Deduplication{Enabled: true, TTL: DefaultDedupTTL, UseRedisCache: true}
}

// BatchResponse is the body of a 200 (and of a 202, with all counts 0 and a JobID).
// Every event of the request is counted in exactly one of the three.
type BatchResponse struct {
	BatchID           string            `json:"batch_id"`
	ProcessedEvents   int               `json:"processed_events"`
	DuplicateEvents   int               `json:"duplicate_events"`
	FailedEvents      int               `json:"failed_events"`
	ProcessingTimeMS  int64             `json:"processing_time_ms"`
	Errors            []BatchEventError `json:"errors"`
	DuplicateEventIDs []string          `json:"duplicate_event_ids"`
	// Notes say what of the processed events is read otherwise than it was sent, in the
	// order of the request; nil when there is nothing to say, as for nearly every batch.
	Notes []EventNote `json:"notes,omitempty"`
	JobID string      `json:"job_id,omitempty"`
}

// EventNote says of one processed event what was left out of its typed fields or read
// otherwise than it was sent. The event itself is stored.
type EventNote struct {
	EventID string `json:"event_id"`
	// Note is a sentence for people. It repeats no value of the event.
	Note string `json:"note"`
}

// BatchEventError says why one event of a batch failed.
type BatchEventError struct {
	// EventID is the id as sent, or "" when the event had none that could be read.
	EventID string `json:"event_id"`
	// Message is the sentence for people; it begins with one of the documented openings.
	Message string `json:"error"`
	// Details names the rule that was broken and its limit.
	Details string `json:"details"`
	// Code is stable and listed in docs/api.md.
	Code string `json:"code"`
	// Retryable is true when the same event may be accepted later.
	Retryable bool `json:"retryable"`
}

// JobStatus is how far an asynchronous batch has come.
type JobStatus string

// The states of a job.
const (
	JobPending    JobStatus = "pending"
	JobProcessing JobStatus = "processing"
	JobCompleted  JobStatus = "completed"
	JobFailed     JobStatus = "failed"
)

// Job is the answer of GET /v1/telemetry/jobs/{job_id} and, for any batch, of
// GET /v1/telemetry/batch/{batch_id}. It is kept for 24 hours after completion.
type Job struct {
	JobID       string         `json:"job_id,omitempty"`
	BatchID     string         `json:"batch_id"`
	Status      JobStatus      `json:"status"`
	CreatedAt   time.Time      `json:"created_at"`
	CompletedAt *time.Time     `json:"completed_at"`
	Result      *BatchResponse `json:"result"`
	// Error says why a failed job failed; nil otherwise.
	Error *ErrorBody `json:"error,omitempty"`
}

// EventReceipt is the answer of GET /v1/telemetry/events/{event_id}.
type EventReceipt struct {
	EventID string `json:"event_id"`
	// Status is "stored" or "failed".
	Status    string           `json:"status"`
	EventType EventType        `json:"event_type,omitempty"`
	BatchID   string           `json:"batch_id"`
	At        time.Time        `json:"at"`
	Error     *BatchEventError `json:"error,omitempty"`
	// Facts are the events that were stored under this id, oldest first, when they are
	// several: an id that comes again with other content, once its deduplication has ended
	// or without one, is an event of its own.
	Facts []EventFact `json:"facts,omitempty"`
	// Notes say in words what of a stored event is read otherwise than it was sent (see
	// BatchResponse.Notes), and how the server read what was left open: of which trace's
	// observation an event speaks that names none while several have one.
	Notes []string `json:"notes,omitempty"`
}

// EventFact is one of the events that were stored under one id.
type EventFact struct {
	EventType EventType `json:"event_type"`
	BatchID   string    `json:"batch_id"`
	At        time.Time `json:"at"`                  // when the server received it
	EntityID  string    `json:"entity_id,omitempty"` // what it is about
	TraceID   string    `json:"trace_id,omitempty"`  // that it names
}

// ErrorBody is what every answer that is not 2xx carries under "error".
type ErrorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Details any    `json:"details,omitempty"`
}
