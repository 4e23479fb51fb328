package brokle

import (
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/delivery"
	"github.com/brokle-ai/brokle-go/internal/transport"
)

// Validate says what New would say: nil, or every bad field joined, each a *ConfigError.
func (c Config) Validate() error {
	_, err := c.resolve(os.LookupEnv)
	return err
}

// resolve returns c with zero fields filled from the environment and then from
// the defaults, or every error found. Each field has its variable, default and range here.
func (c Config) resolve(lookup func(string) (string, bool)) (Config, error) {
	s := &settings{lookup: lookup}
	s.text(&c.APIKey, "BROKLE_API_KEY", "")
	if c.APIKey != "" && (!strings.HasPrefix(c.APIKey, "bk_") || !ValidID(c.APIKey)) {
		// Whatever it is, it may be a secret: never repeat it.
		s.unfit("APIKey", "BROKLE_API_KEY", "(hidden)", `must start with "bk_" and hold no space`)
	}
	s.text(&c.Host, "BROKLE_HOST", DefaultHost)
	if c.Host = strings.TrimRight(c.Host, "/"); !validHost(c.Host) {
		s.unfit("Host", "BROKLE_HOST", c.Host, "must be an http or https URL without user, query and fragment, like "+DefaultHost)
	}
	s.text(&c.Environment, "BROKLE_ENVIRONMENT", DefaultEnvironment)
	if !validEnvironment(c.Environment) {
		s.unfit("Environment", "BROKLE_ENVIRONMENT", c.Environment,
			`must be 1 to 40 of a-z, 0-9, '-', '_', '.', not starting with "brokle"`)
	}
	s.flag(&c.Disabled, "Disabled", "BROKLE_TELEMETRY_ENABLED", false)
	s.flag(&c.Debug, "Debug", "BROKLE_DEBUG", true)
	bounded(s, &c.Timeout, "Timeout", "BROKLE_TIMEOUT", 30*time.Second, time.Millisecond, 10*time.Minute)

	bounded(s, &c.BatchMaxSize, "BatchMaxSize", "BROKLE_BATCH_MAX_SIZE", 100, 1, 1000)
	bounded(s, &c.BatchFlushInterval, "BatchFlushInterval", "BROKLE_BATCH_FLUSH_INTERVAL", 5*time.Second, 100*time.Millisecond, time.Minute)
	bounded(s, &c.BatchMaxBytes, "BatchMaxBytes", "BROKLE_BATCH_MAX_BYTES", 4<<20, 1<<10, 64<<20)
	bounded(s, &c.EventMaxBytes, "EventMaxBytes", "BROKLE_EVENT_MAX_BYTES", 1<<20, 1<<10, 64<<20)
	bounded(s, &c.QueueMaxEvents, "QueueMaxEvents", "BROKLE_QUEUE_MAX_EVENTS", 100_000, 1, 10_000_000)
	bounded(s, &c.QueueMaxBytes, "QueueMaxBytes", "BROKLE_QUEUE_MAX_BYTES", 64<<20, 64<<10, 16<<30)
	bounded(s, &c.Senders, "Senders", "BROKLE_SENDERS", transport.MaxSenders, 1, transport.MaxSenders)
	s.text(&c.Compression, "BROKLE_COMPRESSION", CompressionAuto)
	switch c.Compression {
	case CompressionAuto, CompressionNone, CompressionGzip, CompressionZstd:
	default:
		s.unfit("Compression", "BROKLE_COMPRESSION", c.Compression, "must be auto, none, gzip or zstd")
	}

	s.flag(&c.DisableDeduplication, "DisableDeduplication", "BROKLE_BATCH_ENABLE_DEDUPLICATION", false)
	bounded(s, &c.DeduplicationTTL, "DeduplicationTTL", "BROKLE_BATCH_DEDUPLICATION_TTL",
		DefaultDedupTTL*time.Second, MinDedupTTL*time.Second, MaxDedupTTL*time.Second)
	s.flag(&c.DisableRedisCache, "DisableRedisCache", "BROKLE_BATCH_USE_REDIS_CACHE", false)
	s.flag(&c.FailOnDuplicate, "FailOnDuplicate", "BROKLE_BATCH_FAIL_ON_DUPLICATE", true)

	if v, _ := s.get("BROKLE_MAX_RETRIES"); c.MaxRetries == 0 && isZero(v) { // there it means never
		c.MaxRetries = -1
	}
	bounded(s, &c.MaxRetries, "MaxRetries", "BROKLE_MAX_RETRIES", 3, -1, 100)
	if c.Retry == nil {
		c.Retry = ExponentialBackoff{}
	}
	s.text(&c.SpoolDir, "BROKLE_SPOOL_DIR", "")
	bounded(s, &c.SpoolMaxBytes, "SpoolMaxBytes", "BROKLE_SPOOL_MAX_BYTES", 256<<20, 64<<10, 1<<40)
	bounded(s, &c.SampleRate, "SampleRate", "BROKLE_SAMPLE_RATE", 1, 0, 1)
	return c, errors.Join(append(s.malformed, s.outOfRange...)...)
}

func isZero(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n == 0
}

func validHost(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
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
