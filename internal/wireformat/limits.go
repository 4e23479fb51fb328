package wireformat

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/medium"
)

// Limits bounds what one request may hold. A zero field is its default.
type Limits struct {
	// MaxEvents is the most events in a batch, 1 to 100 000; default 1000.
	MaxEvents int
	// MaxPayloadBytes is the largest payload of one event, as it was sent but for its media, 1 KiB to 64 MiB; default 1 MiB.
	MaxPayloadBytes int
	// MaxMediumBytes is the largest picture, sound or file that is taken out of a payload, which is weighed without it. 0: none is, all
	// count with their payload; there is no default.
	MaxMediumBytes int
	// MaxDepth is how deep objects and lists of a payload may nest, 1 to 1000;
	// the payload itself is the first level; default 64.
	MaxDepth int
}

// The defaults of Limits.
const (
	DefaultMaxEvents       = 1000
	DefaultMaxPayloadBytes = 1 << 20
	DefaultMaxDepth        = 64
)

// Validate reports every field that is out of its range.
func (l Limits) Validate() error {
	return errors.Join(
		inRange("MaxEvents", l.MaxEvents, 1, 100_000),
		inRange("MaxPayloadBytes", l.MaxPayloadBytes, 1<<10, 64<<20),
		inRange("MaxDepth", l.MaxDepth, 1, 1000),
	)
}

func inRange(name string, value, least, most int) error {
	if value == 0 || value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %d, must be %d to %d", name, value, least, most)
}

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	if l.MaxEvents == 0 {
		l.MaxEvents = DefaultMaxEvents
	}
	if l.MaxPayloadBytes == 0 {
		l.MaxPayloadBytes = DefaultMaxPayloadBytes
	}
	if l.MaxDepth == 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	return l
}

// LargeByMedia says whether a payload that has more bytes than one may have is so large by what may be media.
func (l *Limits) LargeByMedia(payload []byte) bool {
	return l.MaxMediumBytes > 0 && medium.Beside(payload) <= l.MaxPayloadBytes
}

// The codes of errors that refuse a request as a whole.
const (
	CodeInvalidJSON          = "invalid_json"
	CodeInvalidField         = "invalid_field"
	CodeInvalidEnvironment   = "invalid_environment"
	CodeInvalidDeduplication = "invalid_deduplication"
	CodeEmptyBatch           = "empty_batch"
	CodeBatchTooLarge        = "batch_too_large"
)

// CountLimit is the Details of a batch_too_large.
type CountLimit struct {
	Limit int `json:"max_events"`
}

// TooMany refuses a request with more events than MaxEvents.
func (l Limits) TooMany() error {
	return &ingest.RequestError{Code: CodeBatchTooLarge, Details: CountLimit{l.MaxEvents}, TooLarge: true,
		Message: "the batch holds more than " + strconv.Itoa(l.MaxEvents) + " events, the most for one request"}
}

// Empty refuses a request whose list of events is empty.
func Empty(field string) error {
	return &ingest.RequestError{Code: CodeEmptyBatch, Message: field + " is empty; a batch holds at least one event"}
}
