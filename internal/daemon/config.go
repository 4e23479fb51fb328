package daemon

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store/redisclaim"
)

// Config says how a node behaves. A zero field means its default. Settings
// lists every field with its flag, its environment variable, its default and
// its range; docs/configuration.md shows the same table.
type Config struct {
	DataDir         string
	AcceptLoss      bool
	Listen          string
	OpsListen       string
	OTLPGRPCListen  string
	TLSCert         string
	TLSKey          string
	Dev             bool
	Sample          bool
	BootstrapAPIKey string // secret
	DrainTimeout    time.Duration

	MaxEvents        int
	MaxPayloadBytes  Bytes
	MaxMediumBytes   Bytes
	MaxDepth         int
	MaxBodyBytes     Bytes
	MaxDecodedBytes  Bytes
	MaxInFlightBytes Bytes
	MinBodyRate      Bytes // per second
	RatePerKey       float64
	AuthFailures     int

	QueryTimeout time.Duration
	MaxQueries   int
	SQL          string
	SQLTimeout   time.Duration

	MaxAnswerBytes Bytes

	RedisURL     string // secret: it may hold a password
	RedisTimeout time.Duration
	WarehouseURL string // secret: it may hold a password

	ForwardOTLP       string
	ForwardOTLPHeader Lines // secret

	MinFreeDisk      Bytes
	MaxBacklogEvents int

	Cost string

	BudgetInterval     time.Duration
	AlertWebhook       Lines // secret: a URL may be all that one needs to send there
	AlertWebhookHeader Lines // secret
	AlertPrivate       bool
	AlertCommand       Lines
	JudgePrivate       bool

	Retention         Age
	RetentionProjects string // NAME=AGE, several with commas between them

	IndexCache       Bytes
	WarehouseMemory  Bytes
	WarehouseThreads int
	MemoryLimit      Bytes

	LogLevel  string
	LogFormat string
}

// withDefaults fills every zero field.
func (c Config) withDefaults() Config {
	for _, s := range Settings() {
		if s.zero(&c) && s.Default != "" {
			if err := s.Set(&c, s.Default); err != nil {
				panic("default of " + s.Field + ": " + err.Error()) // a test sets them all
			}
		}
	}
	return c
}

// Validate reports everything that is wrong with c in one error, each with the
// field, its flag and environment variable, the value, and what is allowed.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	for _, s := range Settings() {
		if err := s.check(&c); err != nil {
			errs = append(errs, err)
		}
	}
	for _, f := range []struct{ field, value string }{{"Listen", c.Listen}, {"OpsListen", c.OpsListen}, {"OTLPGRPCListen", c.OTLPGRPCListen}} {
		if f.value == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(f.value); err != nil {
			errs = append(errs, settingNamed(f.field).wrong(f.value, "must be HOST:PORT, such as 127.0.0.1:8080 or :8080"))
		}
	}
	if err := c.checkTLS(); err != nil {
		errs = append(errs, err)
	}
	if c.MaxDecodedBytes < c.MaxBodyBytes {
		errs = append(errs, settingNamed("MaxDecodedBytes").wrong(c.MaxDecodedBytes,
			fmt.Sprintf("must be at least MaxBodyBytes (%s)", c.MaxBodyBytes)))
	}
	if c.MaxInFlightBytes < c.MaxBodyBytes+c.MaxDecodedBytes {
		errs = append(errs, settingNamed("MaxInFlightBytes").wrong(c.MaxInFlightBytes,
			fmt.Sprintf("must hold one body, compressed and decoded (%s)", c.MaxBodyBytes+c.MaxDecodedBytes)))
	}
	if k := c.BootstrapAPIKey; k != "" && (!strings.HasPrefix(k, "bk_") || len(k) < 11 || len(k) > 253) {
		errs = append(errs, settingNamed("BootstrapAPIKey").wrong(masked, "must be bk_ and 8 to 250 printable characters"))
	}
	if _, err := c.retention(); err != nil {
		errs = append(errs, settingNamed("RetentionProjects").wrong(strconv.Quote(c.RetentionProjects), err.Error()))
	}
	if c.RedisURL != "" {
		if _, err := redisclaim.ParseURL(c.RedisURL); err != nil {
			errs = append(errs, settingNamed("RedisURL").wrong(masked, err.Error()))
		}
	}
	if err := c.checkShared(); err != nil {
		errs = append(errs, err)
	}
	if _, _, err := c.target(); err != nil {
		errs = append(errs, forwardFault(err))
	}
	if c.ForwardOTLP == "" && len(c.ForwardOTLPHeader) > 0 {
		errs = append(errs, settingNamed("ForwardOTLPHeader").wrong(masked, "needs --forward-otlp, to which it is sent"))
	}
	return errors.Join(append(errs, c.checkAlerts())...)
}

// Effective lists every setting with the value that would be used, for people:
// defaults filled in, secrets masked.
func (c Config) Effective() []EffectiveSetting {
	d := c.withDefaults()
	var list []EffectiveSetting
	for _, s := range Settings() {
		e := EffectiveSetting{Setting: s, Value: s.Text(&d), IsDefault: s.zero(&c) || s.Text(&d) == s.Default}
		if s.Secret && !s.zero(&c) {
			e.Value = masked
		}
		list = append(list, e)
	}
	return list
}

// EffectiveSetting is one line of Effective.
type EffectiveSetting struct {
	Setting
	Value     string
	IsDefault bool
}

// masked stands for a secret that is set.
const masked = "********"
