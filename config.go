package brokle

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go/internal/transport"
)

// Config says how a Client behaves. Every zero field takes its value from the
// environment variable named beside it and, where that is unset or empty, the
// default. New reports every bad field at once, each as a *ConfigError.
//
// In the environment, durations are seconds ("5", "0.5") or Go durations
// ("500ms"); booleans are 1/0, true/false, yes/no or on/off in any case.
type Config struct {
	// APIKey starts with "bk_". BROKLE_API_KEY. Without a key the client is
	// disabled: every call is safe, does nothing and costs nothing.
	APIKey string
	// Host is the server's base URL. BROKLE_HOST, default http://localhost:8080.
	Host string
	// Environment is lower-case letters, digits, '-', '_' and '.', at most 40
	// characters, not starting with "brokle". BROKLE_ENVIRONMENT, default "default".
	Environment string
	// Disabled turns the client off. BROKLE_TELEMETRY_ENABLED=false does too.
	Disabled bool
	// Debug logs every batch at debug level, to slog.Default() when Logger is nil. BROKLE_DEBUG.
	Debug bool
	// Timeout bounds one HTTP request, 1 ms to 10 min. BROKLE_TIMEOUT, default 30 s.
	Timeout time.Duration

	// BatchMaxSize is the most events in one request, 1 to 1000.
	// BROKLE_BATCH_MAX_SIZE, default 100. A full batch is sent at once.
	BatchMaxSize int
	// BatchFlushInterval bounds how long the oldest event waits for its batch to
	// fill, 100 ms to 60 s. BROKLE_BATCH_FLUSH_INTERVAL, default 5 s.
	BatchFlushInterval time.Duration
	// BatchMaxBytes bounds the uncompressed body of one request, 1 KiB to 64 MiB; an
	// event larger than that goes alone. BROKLE_BATCH_MAX_BYTES, default 4 MiB.
	BatchMaxBytes int
	// EventMaxBytes is the largest payload taken, 1 KiB to 64 MiB; a larger one
	// is ErrTooLarge and never cut. BROKLE_EVENT_MAX_BYTES, default 1 MiB, the server's own limit.
	EventMaxBytes int
	// QueueMaxEvents bounds the events in memory, waiting and being sent, 1 to
	// 10 000 000. BROKLE_QUEUE_MAX_EVENTS, default 100 000. Beyond it: ErrQueueFull.
	QueueMaxEvents int
	// QueueMaxBytes bounds the bytes of those events, 64 KiB to 16 GiB.
	// BROKLE_QUEUE_MAX_BYTES, default 64 MiB. Beyond it: ErrQueueFull.
	QueueMaxBytes int
	// Senders is how many requests may be under way at once, 1 to 4.
	// BROKLE_SENDERS, default 4. Events of one trace keep their order whatever it is.
	Senders int
	// Compression is "auto" (zstd or gzip once an answer says that the server takes
	// it), "none", "gzip" or "zstd" (both at once, unasked). BROKLE_COMPRESSION, default auto.
	Compression string

	// DisableDeduplication sends deduplication.enabled = false: the server
	// then neither looks ids up nor remembers them, and a retry may double.
	// BROKLE_BATCH_ENABLE_DEDUPLICATION=false does too.
	DisableDeduplication bool
	// DeduplicationTTL is how long the server remembers an id, 60 s to 24 h,
	// whole seconds. BROKLE_BATCH_DEDUPLICATION_TTL, default 1 h.
	DeduplicationTTL time.Duration
	// DisableRedisCache compares ids on the receiving node only.
	// BROKLE_BATCH_USE_REDIS_CACHE=false does too.
	DisableRedisCache bool
	// FailOnDuplicate makes the server refuse a whole batch that holds a
	// duplicate. BROKLE_BATCH_FAIL_ON_DUPLICATE. Not advised in the background: the
	// events beside the duplicate are then rejected too.
	FailOnDuplicate bool

	// MaxRetries is how often a failed request is sent again, up to 100; −1
	// means never. BROKLE_MAX_RETRIES (there 0 means never), default 3. It bounds reads, and batches that
	// the server answers with 500. While the server is away (no answer, 408, 429,
	// 502, 503, 504) the background keeps a batch and goes on trying until Close;
	// after this many tries, a spool takes it and Close gives it up.
	MaxRetries int
	// Retry decides when to send again. Nil is ExponentialBackoff with its defaults.
	Retry RetryPolicy
	// SpoolDir is a directory for what could not be delivered; it is sent on
	// the next start. BROKLE_SPOOL_DIR, default none. Processes may share it.
	SpoolDir string
	// SpoolMaxBytes bounds this process's files there, 64 KiB to 1 TiB.
	// BROKLE_SPOOL_MAX_BYTES, default 256 MiB. Beyond it events are dropped (DropSpoolFull).
	SpoolMaxBytes int64

	// SampleRate is the share of traces kept, above 0 up to 1, decided by
	// trace id: a trace is whole or absent. BROKLE_SAMPLE_RATE, default 1.
	SampleRate float64
	// Mask may replace a payload before it leaves the process or reaches the spool. It fails closed:
	// when it returns an error, panics or returns something other than a JSON object, the event is dropped
	// (DropMask). It runs off the caller's path and must be safe for concurrent use.
	Mask func(t EventType, payload json.RawMessage) (json.RawMessage, error)
	// OnOutcome is told the fate of every accepted event, once, before Flush
	// or Close counts it, and of every event that a tracing helper could not hand over (Refused). It runs on a
	// sender's goroutine or the caller's: it must be quick, safe for concurrent use, and must not call Flush or Close.
	OnOutcome func(Outcome)

	// Logger gets warnings, at most one of a kind every 10 s. Nil is silent.
	Logger *slog.Logger
	// HTTPClient sends the requests. Nil is a client of this Client's own. Redirects are
	// never followed: they would carry the key elsewhere.
	HTTPClient *http.Client
}

// Defaults and names of the configuration.
const (
	DefaultHost        = "http://localhost:8080"
	DefaultEnvironment = "default"

	CompressionAuto = transport.CompressionAuto
	CompressionNone = transport.CompressionNone
	CompressionGzip = transport.CompressionGzip
	CompressionZstd = transport.CompressionZstd
)

// RetryPolicy decides whether and when a failed request is sent again.
// It is asked only for errors that are Retryable, and must be safe for concurrent use.
type RetryPolicy = transport.RetryPolicy

// ExponentialBackoff waits a random time between 0 and Base·2^(attempt−1),
// at most Max ("full jitter"), and never less than the server's Retry-After. It never gives up
// by itself: Config.MaxRetries and Close bound the tries. The default of Base is 200 ms, that of Max 30 s.
type ExponentialBackoff = transport.ExponentialBackoff
