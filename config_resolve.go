package brokle

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/delivery"
	"github.com/brokle-ai/brokle-go/internal/transport"
)

// resolve returns c with zero fields filled from the environment and then from
// the defaults, or every error found.
func (c Config) resolve(lookup func(string) (string, bool)) (Config, error) {
	e := &environ{lookup: lookup}
	c.readEnv(e)
	c.setDefaults()
	return c, errors.Join(append(e.errs, c.problems()...)...)
}

// Validate says what New would say: nil, or every bad field joined, each a *ConfigError.
func (c Config) Validate() error {
	_, err := c.resolve(os.LookupEnv)
	return err
}

func (c *Config) readEnv(e *environ) {
	e.text(&c.APIKey, "BROKLE_API_KEY")
	e.text(&c.Host, "BROKLE_HOST")
	e.text(&c.Environment, "BROKLE_ENVIRONMENT")
	e.flag(&c.Disabled, "Disabled", "BROKLE_TELEMETRY_ENABLED", false)
	e.flag(&c.Debug, "Debug", "BROKLE_DEBUG", true)
	e.duration(&c.Timeout, "Timeout", "BROKLE_TIMEOUT")

	e.int(&c.BatchMaxSize, "BatchMaxSize", "BROKLE_BATCH_MAX_SIZE")
	e.duration(&c.BatchFlushInterval, "BatchFlushInterval", "BROKLE_BATCH_FLUSH_INTERVAL")
	e.int(&c.BatchMaxBytes, "BatchMaxBytes", "BROKLE_BATCH_MAX_BYTES")
	e.int(&c.EventMaxBytes, "EventMaxBytes", "BROKLE_EVENT_MAX_BYTES")
	e.int(&c.QueueMaxEvents, "QueueMaxEvents", "BROKLE_QUEUE_MAX_EVENTS")
	e.int(&c.QueueMaxBytes, "QueueMaxBytes", "BROKLE_QUEUE_MAX_BYTES")
	e.int(&c.Senders, "Senders", "BROKLE_SENDERS")
	e.text(&c.Compression, "BROKLE_COMPRESSION")

	e.flag(&c.DisableDeduplication, "DisableDeduplication", "BROKLE_BATCH_ENABLE_DEDUPLICATION", false)
	e.duration(&c.DeduplicationTTL, "DeduplicationTTL", "BROKLE_BATCH_DEDUPLICATION_TTL")
	e.flag(&c.DisableRedisCache, "DisableRedisCache", "BROKLE_BATCH_USE_REDIS_CACHE", false)
	e.flag(&c.FailOnDuplicate, "FailOnDuplicate", "BROKLE_BATCH_FAIL_ON_DUPLICATE", true)

	e.retries(&c.MaxRetries)
	e.text(&c.SpoolDir, "BROKLE_SPOOL_DIR")
	e.int64(&c.SpoolMaxBytes, "SpoolMaxBytes", "BROKLE_SPOOL_MAX_BYTES")
	e.float(&c.SampleRate, "SampleRate", "BROKLE_SAMPLE_RATE")
}

func orDefault[T comparable](dst *T, def T) {
	var zero T
	if *dst == zero {
		*dst = def
	}
}

func (c *Config) setDefaults() {
	orDefault(&c.Host, DefaultHost)
	c.Host = strings.TrimRight(c.Host, "/")
	orDefault(&c.Environment, DefaultEnvironment)
	orDefault(&c.Timeout, 30*time.Second)
	orDefault(&c.BatchMaxSize, 100)
	orDefault(&c.BatchFlushInterval, 5*time.Second)
	orDefault(&c.BatchMaxBytes, 4<<20)
	orDefault(&c.EventMaxBytes, 1<<20)
	orDefault(&c.QueueMaxEvents, 100_000)
	orDefault(&c.QueueMaxBytes, 64<<20)
	orDefault(&c.Senders, 4)
	orDefault(&c.Compression, CompressionAuto)
	orDefault(&c.DeduplicationTTL, DefaultDedupTTL*time.Second)
	orDefault(&c.MaxRetries, 3)
	orDefault(&c.SpoolMaxBytes, 256<<20)
	orDefault(&c.SampleRate, 1)
	if c.Retry == nil {
		c.Retry = ExponentialBackoff{}
	}
}

// problems lists the fields that are out of range. It expects defaults to be set.
func (c *Config) problems() []error {
	var errs []error
	bad := func(field, env string, value any, problem string) {
		errs = append(errs, &ConfigError{Field: field, Env: env, Value: fmt.Sprint(value), Problem: problem})
	}
	between := func(field, env string, value, lo, hi int64) {
		if value < lo || value > hi {
			bad(field, env, value, fmt.Sprintf("must be %d to %d", lo, hi))
		}
	}
	lasting := func(field, env string, value, lo, hi time.Duration) {
		if value < lo || value > hi {
			bad(field, env, value, fmt.Sprintf("must be %v to %v", lo, hi))
		}
	}
	if c.APIKey != "" && (!strings.HasPrefix(c.APIKey, "bk_") || !ValidID(c.APIKey)) {
		// Whatever it is, it may be a secret: never repeat it.
		bad("APIKey", "BROKLE_API_KEY", "(hidden)", `must start with "bk_" and hold no space`)
	}
	if u, err := url.Parse(c.Host); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		bad("Host", "BROKLE_HOST", c.Host, "must be an http or https URL without user, query and fragment, like "+DefaultHost)
	}
	if !validEnvironment(c.Environment) {
		bad("Environment", "BROKLE_ENVIRONMENT", c.Environment,
			`must be 1 to 40 of a-z, 0-9, '-', '_', '.', not starting with "brokle"`)
	}
	lasting("Timeout", "BROKLE_TIMEOUT", c.Timeout, time.Millisecond, 10*time.Minute)
	between("BatchMaxSize", "BROKLE_BATCH_MAX_SIZE", int64(c.BatchMaxSize), 1, 1000)
	lasting("BatchFlushInterval", "BROKLE_BATCH_FLUSH_INTERVAL", c.BatchFlushInterval, 100*time.Millisecond, time.Minute)
	between("BatchMaxBytes", "BROKLE_BATCH_MAX_BYTES", int64(c.BatchMaxBytes), 1<<10, 64<<20)
	between("EventMaxBytes", "BROKLE_EVENT_MAX_BYTES", int64(c.EventMaxBytes), 1<<10, 64<<20)
	between("QueueMaxEvents", "BROKLE_QUEUE_MAX_EVENTS", int64(c.QueueMaxEvents), 1, 10_000_000)
	between("QueueMaxBytes", "BROKLE_QUEUE_MAX_BYTES", int64(c.QueueMaxBytes), 64<<10, 16<<30)
	between("Senders", "BROKLE_SENDERS", int64(c.Senders), 1, transport.MaxSenders)
	switch c.Compression {
	case CompressionAuto, CompressionNone, CompressionGzip, CompressionZstd:
	default:
		bad("Compression", "BROKLE_COMPRESSION", c.Compression, "must be auto, none, gzip or zstd")
	}
	lasting("DeduplicationTTL", "BROKLE_BATCH_DEDUPLICATION_TTL", c.DeduplicationTTL, MinDedupTTL*time.Second, MaxDedupTTL*time.Second)
	between("MaxRetries", "BROKLE_MAX_RETRIES", int64(c.MaxRetries), -1, 100)
	between("SpoolMaxBytes", "BROKLE_SPOOL_MAX_BYTES", c.SpoolMaxBytes, 64<<10, 1<<40)
	if !(c.SampleRate > 0 && c.SampleRate <= 1) {
		bad("SampleRate", "BROKLE_SAMPLE_RATE", c.SampleRate, "must be above 0 and at most 1")
	}
	return errs
}

func validEnvironment(s string) bool {
	if len(s) == 0 || len(s) > 40 || strings.HasPrefix(s, "brokle") {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

// deduplication is what the client's batches ask for.
func (c *Config) deduplication() Deduplication {
	return Deduplication{
		Enabled:         !c.DisableDeduplication,
		TTL:             int(c.DeduplicationTTL / time.Second),
		UseRedisCache:   !c.DisableRedisCache,
		FailOnDuplicate: c.FailOnDuplicate,
	}
}

// transport is how single requests are sent.
func (c *Config) transport() transport.Options {
	return transport.Options{
		Host: c.Host, APIKey: c.APIKey, UserAgent: "brokle-go/" + Version, Timeout: c.Timeout, Compression: c.Compression,
		MaxRetries: c.MaxRetries, Retry: c.Retry, HTTPClient: c.HTTPClient,
	}
}

// delivery is how events are brought to the server, by the requests of t.
func (c *Config) delivery(t *transport.Transport) delivery.Options {
	logger := c.Logger
	if logger == nil && c.Debug {
		logger = slog.Default()
	}
	return delivery.Options{
		Post: t.PostBatch, Environment: c.Environment, Deduplication: c.deduplication(),
		BatchMaxSize: c.BatchMaxSize, BatchFlushInterval: c.BatchFlushInterval, BatchMaxBytes: c.BatchMaxBytes,
		EventMaxBytes: c.EventMaxBytes, QueueMaxEvents: c.QueueMaxEvents, QueueMaxBytes: c.QueueMaxBytes,
		Senders: c.Senders, MaxRetries: c.MaxRetries, Retry: c.Retry,
		SpoolDir: c.SpoolDir, SpoolOwner: c.Host + "\n" + c.APIKey, SpoolMaxBytes: c.SpoolMaxBytes,
		SampleRate: c.SampleRate, Mask: c.Mask, OnOutcome: c.OnOutcome, Logger: logger,
	}
}
