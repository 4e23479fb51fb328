package brokle

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestConfigFieldBeatsEnvironmentBeatsDefault(t *testing.T) {
	t.Parallel()
	c, err := Config{BatchMaxSize: 7}.resolve(env("BROKLE_BATCH_MAX_SIZE", "9", "BROKLE_BATCH_FLUSH_INTERVAL", "0.5",
		"BROKLE_TIMEOUT", "1500ms", "BROKLE_HOST", "https://b.example/ ", "BROKLE_BATCH_ENABLE_DEDUPLICATION", "Off",
		"BROKLE_BATCH_USE_REDIS_CACHE", "yes", "BROKLE_BATCH_FAIL_ON_DUPLICATE", "1", "BROKLE_MAX_RETRIES", "0",
		"BROKLE_TELEMETRY_ENABLED", "no", "BROKLE_BATCH_DEDUPLICATION_TTL", "60", "BROKLE_DEBUG", ""))
	if err != nil {
		t.Fatal(err)
	}
	if c.BatchMaxSize != 7 || c.BatchFlushInterval != 500*time.Millisecond || c.Timeout != 1500*time.Millisecond ||
		c.Host != "https://b.example" || !c.DisableDeduplication || c.DisableRedisCache || !c.FailOnDuplicate ||
		c.MaxRetries != -1 || !c.Disabled || c.DeduplicationTTL != time.Minute || c.Debug {
		t.Errorf("%+v", c)
	}
	c, err = Config{}.resolve(env())
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != DefaultHost || c.Environment != "default" || c.BatchMaxSize != 100 || c.BatchFlushInterval != 5*time.Second || c.Timeout != 30*time.Second ||
		c.MaxRetries != 3 || c.DeduplicationTTL != time.Hour || c.DisableDeduplication || c.Disabled || c.SampleRate != 1 {
		t.Errorf("defaults %+v", c)
	}
}

func TestConfigReportsEveryBadFieldWithoutTheKey(t *testing.T) {
	t.Parallel()
	_, err := Config{APIKey: "sk_secret", BatchMaxSize: 1001, Environment: "Prod", SampleRate: 2, Compression: "lzma", Senders: 5}.resolve(env(
		"BROKLE_TIMEOUT", "soon", "BROKLE_DEBUG", "maybe", "BROKLE_HOST", "ftp://x", "BROKLE_BATCH_DEDUPLICATION_TTL", "59",
		"BROKLE_MAX_RETRIES", "many", "BROKLE_QUEUE_MAX_EVENTS", "0", "BROKLE_BATCH_FLUSH_INTERVAL", "0.01"))
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	for _, name := range []string{"BROKLE_API_KEY", "BROKLE_BATCH_MAX_SIZE", "BROKLE_ENVIRONMENT", "BROKLE_SAMPLE_RATE", "BROKLE_COMPRESSION", "BROKLE_SENDERS",
		"BROKLE_TIMEOUT", "BROKLE_DEBUG", "BROKLE_HOST", "BROKLE_BATCH_DEDUPLICATION_TTL", "BROKLE_MAX_RETRIES", "BROKLE_QUEUE_MAX_EVENTS", "BROKLE_BATCH_FLUSH_INTERVAL"} {
		if !strings.Contains(text, name) {
			t.Errorf("%s is not named", name)
		}
	}
	if strings.Contains(text, "secret") {
		t.Error("the key is in the error")
	}
	var ce *ConfigError
	if !errors.As(err, &ce) || ce.Field == "" {
		t.Errorf("%v is no ConfigError", err)
	}
}

func TestEnvironmentNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"default": true, "prod-eu_1.2": true, "": false, "Prod": false, "brokle-x": false, "a b": false, "é": false,
		strings.Repeat("a", 40): true, strings.Repeat("a", 41): false} {
		if validEnvironment(name) != ok {
			t.Errorf("%q: %v", name, !ok)
		}
	}
}
