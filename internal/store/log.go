package store

import (
	"context"
	"errors"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Log is durable, ordered and deduplicating: the truth that everything else is a view of.
type Log interface {
	// Append decides for each event of b whether it is a duplicate, and stores
	// the rest as one unit. When it returns nil, what it reports as Stored
	// survives power loss. One Outcome per event, in the order of b.Events.
	// A batch without events (all failed) is appended too, for its receipt.
	//
	// ErrDuplicate: b.Dedup.FailOnDuplicate is set and the outcomes hold at
	// least one Duplicate; nothing was stored and nothing marked. Any other
	// error: the outcomes are nil and the same ids may be appended again.
	// The write does not stop half-way when ctx ends: ctx bounds the wait for
	// a place in the queue only.
	Append(ctx context.Context, b *Batch) ([]Outcome, error)

	// Read returns up to max stored records with Seq > after, in order, and
	// upto: the position to continue from (≥ the last record's Seq; it also passes
	// over duplicates and batches without events). It waits until there is something after
	// `after`, or ctx ends.
	Read(ctx context.Context, after entity.Seq, max int) (recs []entity.Record, upto entity.Seq, err error)

	// Get returns the records at seqs in the order asked. Those that were
	// trimmed, erased, duplicates, or never given out are left out.
	Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error)

	// Head is the last Seq given out and durable.
	Head() entity.Seq

	// Trim removes whole segments that hold only records before `before` (retention).
	// The caller passes no Seq beyond a follower's cursor.
	Trim(ctx context.Context, before entity.Seq) error

	// Hide takes what has expired out of all answers at once, Read, Get and searches;
	// the last call counts.
	Hide(c Cutoffs)
	// Expire removes from disk the payloads of events up to a Seq that are hidden,
	// each at latest a Slack after it expired, and counts them. The ids stay until their marks have
	// gone. The caller passes no Seq beyond a follower's cursor.
	Expire(ctx context.Context, upto entity.Seq) error

	// Erase removes the payloads at seqs from disk; they are gone when it returns.
	Erase(ctx context.Context, seqs []entity.Seq) error

	Close() error
}

// Reader reads stored events by the Seqs that a Warehouse has, whichever node took them.
type Reader interface {
	// Get is a Log's: the records at seqs in the order asked, without those that are gone.
	Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error)
	// ReadOf returns up to max events that a filter lets through with Seq > after, in order, and upto, the position to continue from. Others
	// may be among them. Where nothing comes up to Head, upto is Head.
	ReadOf(ctx context.Context, of *EventFilter, after entity.Seq, max int) (recs []entity.Record, upto entity.Seq, err error)
	// Head is a position that no event is behind which was accepted before.
	Head() entity.Seq
}

// EventFilter lets events of a project through, as far as the rest names what they must be.
type EventFilter struct {
	Project     string
	From, To    time.Time // of the event's timestamp: From <= it < To
	Environment string
	KeyID       string
}

// Has says whether it lets an event through.
func (f *EventFilter) Has(rec *entity.Record) bool {
	at := rec.Event.Timestamp.Time
	return rec.Project == f.Project &&
		(f.Environment == "" || rec.Environment == f.Environment) && (f.KeyID == "" || rec.KeyID == f.KeyID) &&
		(f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || at.Before(f.To))
}

// Receipts answers for what happened to batches, jobs and events. Receipts are
// kept for ReceiptTTL. All lookups are within one project; ErrNotFound otherwise.
type Receipts interface {
	BatchReceipt(ctx context.Context, project, batchID string) (*wire.Job, error)
	// EventReceipt knows stored events within their dedup ttl, and failed ones for ReceiptTTL.
	EventReceipt(ctx context.Context, project, eventID string) (*wire.EventReceipt, error)
	JobReceipt(ctx context.Context, project, jobID string) (*wire.Job, error)
}

// ReceiptTTL is how long receipts of batches, failed events and completed jobs are kept.
const ReceiptTTL = 24 * time.Hour

// Jobs keeps asynchronous batches: the raw request first, its result later.
type Jobs interface {
	// AddJob makes the raw batch durable before it returns.
	AddJob(ctx context.Context, j Job) error
	// PendingJobs returns the jobs without a result, oldest first: what a
	// restart has to finish.
	PendingJobs(ctx context.Context) ([]Job, error)
	// FailJob records that the job ended without storing anything. (A job that
	// stored something is completed by Append of a Batch that names it.)
	FailJob(ctx context.Context, project, jobID string, result *wire.BatchResponse, why wire.ErrorBody) error
}

// Job is an accepted asynchronous batch: everything needed to process it later.
type Job struct {
	ID          string // "job_" + ULID
	Project     string
	Environment string // already resolved from body and header
	BatchID     string
	KeyID       string // of the key that brought it; "" when that is not known
	ReceivedAt  time.Time
	// Format names the wire format of Body; "" is that of POST /v1/telemetry/batch.
	Format string
	Body   []byte // the request, decompressed
}

// Errors of the contracts. Backends wrap them; callers use errors.Is.
var (
	ErrDuplicate = errors.New("batch holds duplicates and asked to fail on them")
	ErrNotFound  = entity.ErrNotFound
	ErrClosed    = errors.New("closed")
	// ErrUnavailable: it cannot be stored now (disk full, write error, backlog);
	// the same request may succeed later.
	ErrUnavailable = errors.New("cannot store now")
	// ErrStarved: a question needs more memory than it may have; the same one will need it again.
	ErrStarved = errors.New("the question needs more memory than there is")
)
