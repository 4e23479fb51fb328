package delivery

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/brokle-ai/brokle-go/internal/transport"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Options are the bounds of a Processor and what it asks of those around it. The fields without
// a word of their own are those of brokle.Config, with defaults filled in.
type Options struct {
	// Post sends one request's body and returns its answer, with a 409 beside the error, which is a
	// *transport.RequestError unless the answer could not be read. reusable false: something may still read body.
	Post func(ctx context.Context, body []byte) (ans *wire.BatchResponse, reusable bool, err error)
	// Environment and Deduplication go along with every batch.
	Environment   string
	Deduplication wire.Deduplication

	BatchMaxSize       int
	BatchFlushInterval time.Duration
	BatchMaxBytes      int
	EventMaxBytes      int
	QueueMaxEvents     int
	QueueMaxBytes      int
	Senders            int
	MaxRetries         int
	Retry              transport.RetryPolicy

	SpoolDir      string // "" for none
	SpoolOwner    string // whose events they are: those of one owner never go out as another's
	SpoolMaxBytes int64

	SampleRate float64
	Mask       func(wire.EventType, json.RawMessage) (json.RawMessage, error) // nil for none
	OnOutcome  func(Outcome)                                                  // nil for nobody
	Logger     *slog.Logger                                                   // nil is silent
}
