package brokle

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// EventReceipt is the answer of GET /v1/telemetry/events/{event_id}.
type EventReceipt = wire.EventReceipt

// EventFact is one of the events that were stored under one id.
type EventFact = wire.EventFact

// ErrorBody is what every answer that is not 2xx carries under "error".
type ErrorBody = wire.ErrorBody

// Deduplication says how a batch's event ids are compared with those already accepted.
type Deduplication = wire.Deduplication

// DefaultDeduplication is what a batch without a deduplication object gets.
func DefaultDeduplication() Deduplication { return wire.DefaultDeduplication() }

// BatchResponse is the body of a 200 (and of a 202, with all counts 0 and a JobID).
// Every event of the request is counted in exactly one of the three.
type BatchResponse = wire.BatchResponse

// EventNote says of one processed event what was left out of its typed fields or read
// otherwise than it was sent. The event itself is stored.
type EventNote = wire.EventNote

// BatchEventError says why one event of a batch failed.
type BatchEventError = wire.BatchEventError

// JobStatus is how far an asynchronous batch has come.
type JobStatus = wire.JobStatus

// The states of a job.
const (
	JobPending    = wire.JobPending
	JobProcessing = wire.JobProcessing
	JobCompleted  = wire.JobCompleted
	JobFailed     = wire.JobFailed
)

// Job is the answer of GET /v1/telemetry/jobs/{job_id} and, for any batch, of
// GET /v1/telemetry/batch/{batch_id}. It is kept for 24 hours after completion.
type Job = wire.Job

// BatchRequest is the body of POST /v1/telemetry/batch.
type BatchRequest = wire.BatchRequest

// Event is one fact about an application: in the SDK's queue, on the wire, in
// the server and in its log it is this type.
type Event = wire.Event

// EventType names what an event records. The set is closed: the server fails an
// event of any other type alone, with code "unknown_event_type".
type EventType = wire.EventType

// The event types of the wire contract.
const (
	TraceCreate         = wire.TraceCreate
	TraceUpdate         = wire.TraceUpdate
	ObservationCreate   = wire.ObservationCreate
	ObservationUpdate   = wire.ObservationUpdate
	ObservationComplete = wire.ObservationComplete
	QualityScoreCreate  = wire.QualityScoreCreate
	QualityScoreUpdate  = wire.QualityScoreUpdate
	EventCreate         = wire.EventCreate
)

// Score is one folded quality score.
type Score = wire.Score

// Page is what every list answers: the rows, and where to go on.
type Page[T any] = wire.Page[T]

// StatRow is one row of GET /v1/stats: "time" when an interval was asked for,
// then a key for each group_by and for each metric.
type StatRow = wire.StatRow

// StoredEvent is an event as the server keeps it, with what the server knows of
// it: a row of GET /v1/telemetry/events.
type StoredEvent = wire.StoredEvent

// Trace is one folded trace with what belongs to it: GET /v1/traces/{id}.
type Trace = wire.Trace

// Observation is one folded observation: a generation, a span, a tool call, … Its id is
// its own within its trace. A number that is not known is nil.
type Observation = wire.Observation

// ObservationSource says how an observation came: by which door, from which instrumentation and SDK.
type ObservationSource = wire.ObservationSource

// ObservationEvent is one of the events that an observation, a trace or a score was
// folded from: a row of GET /v1/observations/{id}/history, and of the others.
type ObservationEvent = wire.ObservationEvent

// TraceSummary is one row of GET /v1/traces: the fold of a trace and of what belongs to it.
type TraceSummary = wire.TraceSummary

// SessionSummary is one row of GET /v1/sessions: the traces that name the same
// session, such as the turns of one conversation.
type SessionSummary = wire.SessionSummary

// Session is one session with its traces: GET /v1/sessions/{id}. The numbers
// are those of the whole session, on every page of its traces.
type Session = wire.Session

// SessionTrace is a trace of a session, with what went in and what came out.
type SessionTrace = wire.SessionTrace

// UserSummary is one row of GET /v1/users: the traces that name the same user.
type UserSummary = wire.UserSummary

// EnvironmentSummary is one row of GET /v1/environments: an environment that any
// trace, observation or score is in. Observations, errors, tokens and cost are
// those of the observations that are in it themselves, whatever their trace is in.
type EnvironmentSummary = wire.EnvironmentSummary

// Totals is what a number of traces add up to.
type Totals = wire.Totals

// Timestamp is an instant on the wire: Unix seconds as an integer or a decimal
// fraction. Read, it also takes milliseconds, microseconds and nanoseconds by
// magnitude, RFC 3339 strings, and the other forms in which programs write times,
// as far as they leave no doubt about the instant: offsets as +0530 or +05, a time
// without seconds, a leap second, String of Go's time.Time, RFC 1123, RFC 850 and ANSI C.
// Without a zone it is UTC. The precision kept is the microsecond; the range is the years 1970 to 9999.
type Timestamp = wire.Timestamp

// At is the Timestamp of t, in UTC, cut to the microsecond.
func At(t time.Time) Timestamp { return wire.At(t) }

// The range and default of Deduplication.TTL, in seconds.
const (
	MinDedupTTL     = wire.MinDedupTTL
	DefaultDedupTTL = wire.DefaultDedupTTL
	MaxDedupTTL     = wire.MaxDedupTTL
)

// MaxIDLength is the longest event id, in characters.
const (
	MaxIDLength = wire.MaxIDLength
)

// ErrTimestamp reports a timestamp that is neither a number in range nor a text that can mean only one instant of it.
var (
	ErrTimestamp = wire.ErrTimestamp
)

// IDTime returns the time in a ULID, or false when id is not one. It is a hint
// for people: an event id is opaque and need not be a ULID.
func IDTime(id string) (time.Time, bool) { return wire.IDTime(id) }

// NewID returns a new ULID (26 characters of Crockford base32): 48 bits of
// Unix milliseconds, 80 random bits. Ids made later in this process sort later.
// It is safe for concurrent use.
func NewID() string { return wire.NewID() }

// NewIDAt returns a new ULID whose time is t (milliseconds, 1970 to 10889).
// Its order against ids of NewID is that of the times.
func NewIDAt(t time.Time) string { return wire.NewIDAt(t) }

// ValidID says whether id may name an event: 1 to 128 printable ASCII
// characters without space.
func ValidID(id string) bool { return wire.ValidID(id) }
