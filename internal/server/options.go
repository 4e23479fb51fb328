package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/repricing"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Options says what a Server speaks for and what it allows. A zero limit means
// its documented default.
type Options struct {
	// Ingest takes the batches. Required.
	Ingest *ingest.Ingest
	// Limits bounds the decoding of a batch; Limits.MaxEvents is also the burst
	// of RatePerKey.
	Limits wireformat.Limits
	// Log is that of this node: what is accepted is in it. Required.
	Log store.Log
	// Events gives the payloads of what is read, by the Seqs that the Warehouse has. Default: those of Log.
	Events store.Reader
	// FirstRead is how many events are read at once before it is known how large they are, 1 to 500. The farther away Events are the more it pays to read many. Default 4.
	FirstRead int
	// Receipts answers for jobs, batches and events. Required.
	Receipts store.Receipts
	// Warehouse answers the queries. Required.
	Warehouse store.Warehouse
	// Prices says what calls cost that are folded for an answer; the Warehouse's are by the same. Required.
	Prices Prices
	// Budgets says what of what may be spent was spent, and takes budgets. Required.
	Budgets Budgets
	// Alerts says how alerts stand, and takes them. Required.
	Alerts Alerts
	// Prompts keeps the prompts of projects. Required.
	Prompts Prompts
	// Judges keeps the judges of projects, and says how they stand. Required.
	Judges Judges
	// Definitions says how people give scores, Views which lists they look at, and Charts what their dashboard draws. Required.
	Definitions SavedList[saved.Definition]
	Views       SavedList[saved.View]
	Charts      SavedList[saved.Chart]
	// Datasets are those of projects, and the records of their experiments. Required.
	Datasets *dataset.Datasets
	// Search finds events by their words. Required.
	Search store.Searcher
	// Keys knows the callers. Required.
	Keys *keyring.Keyring
	// SignIns has who is signed in to the page. Default: the memory.
	SignIns document.Place
	// Indexer fills the Warehouse. Required.
	Indexer Indexer

	// Eraser erases traces and users. Required.
	Eraser *removal.Eraser
	// Repricer prices calls of the past again. Required.
	Repricer *repricing.Repricer

	// PositionKey seals the places in the Log that clients see, as cursors and as ids of
	// the stream. Those of another key are refused. Required: 32 random bytes.
	PositionKey []byte

	// Freshness is how far lists may be behind what other nodes have accepted, as the header Brokle-Freshness says it: for how long, and how many events
	// at least that nodes have which are away. nil: there are no other nodes.
	Freshness func() (behind time.Duration, missing entity.Seq)

	// Backup writes a backup of the whole node as an archive. journal is the file of
	// erasures to put into it, nil for none; it is called when all segments are written, with
	// the last Seq in them. nil: there are no backups.
	Backup func(ctx context.Context, w io.Writer, journal func(head entity.Seq) ([]byte, error)) error

	// Copy copies the data of the node to the warehouse at url, which other nodes may share, and tells how far it is; the last line has the result. It ends with ctx, and the next
	// one goes on. Its error says nothing of the url. nil: the node shares its warehouse.
	Copy func(ctx context.Context, url string, told func(CopyLine)) error

	// Media opens what was taken out of payloads. nil: nothing is.
	Media interface {
		// OpenMedium opens a medium of a project. The error of one that is not there is fs.ErrNotExist.
		OpenMedium(project, hash string) (*store.MediumFile, error)
	}
	// MediaStats feeds /metrics. nil: there are no media.
	MediaStats func() store.MediaStats

	// Admit is asked before a body is read. An error refuses the request with
	// 503 and Retry-After; its text is logged and not shown. nil admits all.
	Admit func() error
	// Health gives the lines of /readyz. nil: there are none, and it is ready.
	Health func() []store.Health
	// LogStats, IndexerStats and ClaimerStats feed /metrics. nil leaves theirs out.
	LogStats     func() store.LogStats
	IndexerStats func() store.IndexerStats
	ClaimerStats func() store.ClaimerStats
	ForwardStats func() store.ForwardStats
	// RetentionStats feeds /metrics, too, and Removed the audit: how many events of a
	// project retention has removed since the start. nil: there is no retention.
	RetentionStats func() store.RetentionStats
	Removed        func(project string) store.Removed

	// MaxBodyBytes bounds a body as it was sent, compressed or not: 32 MiB.
	MaxBodyBytes int64
	// MaxDecodedBytes bounds a body after its Content-Encoding was undone: 64 MiB.
	MaxDecodedBytes int64
	// MaxInFlightBytes bounds the memory that the bodies of all requests hold
	// together, 256 MiB. Over it a request gets 503 with Retry-After.
	MaxInFlightBytes int64
	// RatePerKey is how many events per second one key may send; 0 is no limit.
	// A key may send Limits.MaxEvents (at least 1000, or RatePerKey if larger) at once after a pause.
	RatePerKey float64
	// AuthFailures is how many wrong keys a minute one client address may send, also all at
	// once: 60. More are answered 429; keys that are right are taken all the same.
	AuthFailures int
	// RetryAfter is what a 503 asks the client to wait, in whole seconds: 4 s. Where telemetry
	// comes in it is never more than that.
	RetryAfter time.Duration

	// ReadHeaderTimeout bounds the reading of a request's headers: 10 s.
	ReadHeaderTimeout time.Duration
	// BodyTimeout is how long a body may take beyond what MinBodyRate allows for
	// the bytes that came: 30 s.
	BodyTimeout time.Duration
	// MinBodyRate is the slowest a long body may come, in bytes per second: 16 KiB.
	MinBodyRate int64
	// WriteTimeout bounds the writing of one answer: 30 s.
	WriteTimeout time.Duration
	// IdleTimeout ends a connection without a request: 120 s.
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds a request's headers: 64 KiB.
	MaxHeaderBytes int
	// MaxWait is the longest ?wait= of a job: 30 s.
	MaxWait time.Duration

	// QueryTimeout bounds how long a question is worked at: 30 s. Then it is a 504.
	QueryTimeout time.Duration
	// MaxQueries is how many questions are answered at once, of which one key has at most
	// half (at least one): 4. Others wait, the keys in turn, at most QueryWait: 10 s.
	// Then they get 503 with Retry-After.
	MaxQueries int
	QueryWait  time.Duration

	// SQL answers questions in SQL, of which each is worked at for SQLTimeout at most: 30 s. nil: there are none.
	SQL        store.SQLer
	SQLTimeout time.Duration

	// MaxAnswerBytes bounds the memory of all answers that are being built and sent, 64 MiB, of
	// which one key has at most half. A larger one goes beside them, alone among its like;
	// one of more than four times as much is refused. Who finds no room within QueryWait gets 503.
	MaxAnswerBytes int64

	// MaxStreams is how many live streams there may be at once: 1000.
	MaxStreams int
	// StreamHeartbeat is how often a stream without events says that it lives: 15 s.
	StreamHeartbeat time.Duration

	// OpsOnMain serves /healthz, /readyz, /metrics and /openapi.json on Handler
	// too. Ops always has them.
	OpsOnMain bool
	// Now is the clock of the rate limit and of the answers' durations: time.Now.
	Now func() time.Time
	// Logger takes what people who run the server should know: slog.Default.
	Logger *slog.Logger
}

// Indexer is what the server needs of what fills the Warehouse.
type Indexer interface {
	// CatchUp waits until everything that is in the Log now is in the Warehouse or in quarantine.
	CatchUp(ctx context.Context) error
	// Refresh has the Warehouse take what is in the Log now, and waits for that a moment at most, where it is of use.
	Refresh(ctx context.Context)
	// QuarantinedOf counts the project's records in quarantine.
	QuarantinedOf(project string) int64
}

// The defaults of Options.
const (
	DefaultMaxBodyBytes      = 32 << 20
	DefaultMaxDecodedBytes   = 64 << 20
	DefaultMaxInFlightBytes  = 256 << 20
	DefaultAuthFailures      = 60
	DefaultRetryAfter        = longestIngestRetry
	DefaultReadHeaderTimeout = 10 * time.Second
	DefaultBodyTimeout       = 30 * time.Second
	DefaultMinBodyRate       = 16 << 10
	DefaultWriteTimeout      = 30 * time.Second
	DefaultIdleTimeout       = 120 * time.Second
	DefaultMaxHeaderBytes    = 64 << 10
	DefaultMaxWait           = 30 * time.Second
	DefaultQueryTimeout      = 30 * time.Second
	DefaultMaxQueries        = 4
	DefaultQueryWait         = 10 * time.Second
	DefaultSQLTimeout        = 30 * time.Second
	DefaultMaxAnswerBytes    = 64 << 20
	DefaultMaxStreams        = 1000
	DefaultStreamHeartbeat   = 15 * time.Second
)

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.WithDefaults()
	def(&o.MaxBodyBytes, DefaultMaxBodyBytes)
	def(&o.MaxDecodedBytes, DefaultMaxDecodedBytes)
	def(&o.MaxInFlightBytes, DefaultMaxInFlightBytes)
	def(&o.AuthFailures, DefaultAuthFailures)
	def(&o.RetryAfter, DefaultRetryAfter)
	def(&o.ReadHeaderTimeout, DefaultReadHeaderTimeout)
	def(&o.BodyTimeout, DefaultBodyTimeout)
	def(&o.MinBodyRate, DefaultMinBodyRate)
	def(&o.WriteTimeout, DefaultWriteTimeout)
	def(&o.IdleTimeout, DefaultIdleTimeout)
	def(&o.MaxHeaderBytes, DefaultMaxHeaderBytes)
	def(&o.MaxWait, DefaultMaxWait)
	def(&o.QueryTimeout, DefaultQueryTimeout)
	def(&o.MaxQueries, DefaultMaxQueries)
	def(&o.QueryWait, DefaultQueryWait)
	def(&o.SQLTimeout, DefaultSQLTimeout)
	def(&o.MaxAnswerBytes, DefaultMaxAnswerBytes)
	def(&o.MaxStreams, DefaultMaxStreams)
	def(&o.StreamHeartbeat, DefaultStreamHeartbeat)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Events == nil && o.Log != nil {
		o.Events = logReader{o.Log}
	}
	if o.FirstRead == 0 {
		o.FirstRead = firstRead
	}
	if o.Admit == nil {
		o.Admit = func() error { return nil }
	}
	if o.Health == nil {
		o.Health = func() []store.Health { return nil }
	}
	return o
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate names every field that is missing or out of range, in one error.
func (o Options) Validate() error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("server: "+format, args...))
		}
	}
	need(o.Ingest != nil, "Ingest is missing")
	need(o.Log != nil, "Log is missing")
	need(o.Receipts != nil, "Receipts is missing")
	need(o.Warehouse != nil, "Warehouse is missing")
	need(o.Prices != nil, "Prices are missing")
	need(o.Budgets != nil, "Budgets are missing")
	need(o.Alerts != nil, "Alerts are missing")
	need(o.Prompts != nil, "Prompts are missing")
	need(o.Judges != nil, "Judges are missing")
	need(o.Definitions != nil, "Definitions are missing")
	need(o.Views != nil, "Views are missing")
	need(o.Charts != nil, "Charts are missing")
	need(o.Search != nil, "Search is missing")
	need(o.Keys != nil, "Keys is missing")
	need(o.Eraser != nil, "Eraser is missing")
	need(o.Repricer != nil, "Repricer is missing")
	need(len(o.PositionKey) == PositionKeySize, "PositionKey has %d bytes, must have %d", len(o.PositionKey), PositionKeySize)
	need(o.Indexer != nil, "Indexer is missing")
	d := o.withDefaults()
	need(d.MaxBodyBytes > 0, "MaxBodyBytes is %d, must be positive", o.MaxBodyBytes)
	need(d.MaxDecodedBytes >= d.MaxBodyBytes, "MaxDecodedBytes is %d, must be at least MaxBodyBytes (%d)", d.MaxDecodedBytes, d.MaxBodyBytes)
	need(d.MaxInFlightBytes >= d.MaxBodyBytes+d.MaxDecodedBytes,
		"MaxInFlightBytes is %d, must hold one compressed and one decoded body (%d)", d.MaxInFlightBytes, d.MaxBodyBytes+d.MaxDecodedBytes)
	need(d.RatePerKey >= 0, "RatePerKey is %v, must not be negative", o.RatePerKey)
	need(d.AuthFailures > 0, "AuthFailures is %d, must be positive", o.AuthFailures)
	need(d.RetryAfter >= time.Second, "RetryAfter is %v, must be at least 1s", o.RetryAfter)
	for _, t := range []struct {
		name  string
		value time.Duration
	}{
		{"ReadHeaderTimeout", d.ReadHeaderTimeout}, {"BodyTimeout", d.BodyTimeout}, {"WriteTimeout", d.WriteTimeout},
		{"IdleTimeout", d.IdleTimeout}, {"MaxWait", d.MaxWait}, {"StreamHeartbeat", d.StreamHeartbeat},
		{"QueryTimeout", d.QueryTimeout}, {"QueryWait", d.QueryWait}, {"SQLTimeout", d.SQLTimeout},
	} {
		need(t.value > 0, "%s is %v, must be positive", t.name, t.value)
	}
	need(d.MaxQueries > 0, "MaxQueries is %d, must be positive", o.MaxQueries)
	need(d.MaxAnswerBytes >= leastAnswers, "MaxAnswerBytes is %d, must be at least %d", o.MaxAnswerBytes, leastAnswers)
	need(d.MaxStreams > 0, "MaxStreams is %d, must be positive", o.MaxStreams)
	need(d.MinBodyRate > 0, "MinBodyRate is %d, must be positive", o.MinBodyRate)
	need(d.MaxHeaderBytes >= 4096, "MaxHeaderBytes is %d, must be at least 4096", o.MaxHeaderBytes)
	return errors.Join(errs...)
}
