package daemon

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is one field of Config: how it is called everywhere and what it takes.
type Setting struct {
	Field   string // of Config
	Flag    string // of `brokle serve`, without dashes; "" when the environment is the only way
	Env     string // the environment variable; a flag on the command line beats it
	Default string // as it would be written; "" is empty, zero or false
	Range   string // what is allowed, for people
	Usage   string
	Secret  bool // never printed

	ptr      func(*Config) any // the field
	min, max float64           // of numbers: durations in seconds, Bytes in bytes
	oneOf    []string          // of text
}

// Settings is the table of all settings, in the order in which people read them.
func Settings() []Setting {
	inf := math.Inf(1)
	list := []Setting{
		{Field: "DataDir", Flag: "data", Default: "./brokle-data", Range: "a directory, made when absent",
			Usage: "where everything is kept; one running node per directory",
			ptr:   func(c *Config) any { return &c.DataDir }},
		{Field: "AcceptLoss", Flag: "accept-loss", Range: "true or false",
			Usage: "for one start: go on although segments of the log are missing; what they held is lost, and that is written down",
			ptr:   func(c *Config) any { return &c.AcceptLoss }},
		{Field: "Listen", Flag: "listen", Default: "127.0.0.1:8080", Range: "HOST:PORT; port 0 takes a free one",
			Usage: "address of the HTTP API",
			ptr:   func(c *Config) any { return &c.Listen }},
		{Field: "OpsListen", Flag: "ops-listen", Range: "HOST:PORT; empty: on the API's address",
			Usage: "address of /healthz, /readyz and /metrics, which ask for no key",
			ptr:   func(c *Config) any { return &c.OpsListen }},
		{Field: "OTLPGRPCListen", Flag: "otlp-grpc-listen", Range: "HOST:PORT, such as 127.0.0.1:4317; empty: off",
			Usage: "address of OpenTelemetry's protocol over gRPC, with the keys and limits of the HTTP API",
			ptr:   func(c *Config) any { return &c.OTLPGRPCListen }},
		{Field: "TLSCert", Flag: "tls-cert", Range: "a PEM file: the certificate, then those that signed it; with tls-key",
			Usage: "serve HTTPS (TLS 1.2 and newer, HTTP/2) with this certificate, on all addresses; a new one is taken within seconds",
			ptr:   func(c *Config) any { return &c.TLSCert }},
		{Field: "TLSKey", Flag: "tls-key", Range: "a PEM file; with tls-cert",
			Usage: "the private key of the certificate",
			ptr:   func(c *Config) any { return &c.TLSKey }},
		{Field: "Dev", Flag: "dev", Range: "true or false",
			Usage: "for trying out: makes a key, keeps it in the data directory (dev.key), and prints it at every start with a ready curl line",
			ptr:   func(c *Config) any { return &c.Dev }},
		{Field: "Sample", Flag: "sample", Range: "true or false",
			Usage: "load a day of made-up telemetry of a support assistant, once a day",
			ptr:   func(c *Config) any { return &c.Sample }},
		{Field: "BootstrapAPIKey", Env: "BROKLE_BOOTSTRAP_API_KEY", Range: "bk_ and 8 to 250 printable characters",
			Usage: "a key (all scopes, project default) put in at start, for containers and tests", Secret: true,
			ptr: func(c *Config) any { return &c.BootstrapAPIKey }},
		{Field: "DrainTimeout", Flag: "drain-timeout", Default: "30s", Range: "1ms to 1h",
			Usage: "how long a stop waits for requests in flight and for the indexer",
			ptr:   func(c *Config) any { return &c.DrainTimeout }, min: 0.001, max: 3600},

		{Field: "MaxEvents", Flag: "max-events", Default: "1000", Range: "1 to 100000",
			Usage: "events in one request",
			ptr:   func(c *Config) any { return &c.MaxEvents }, min: 1, max: 100_000},
		{Field: "MaxPayloadBytes", Flag: "max-payload-bytes", Default: "1MiB", Range: "1KiB to 64MiB",
			Usage: "one event's payload, without its media; a larger one fails alone and is never cut",
			ptr:   func(c *Config) any { return &c.MaxPayloadBytes }, min: 1 << 10, max: 64 << 20},
		{Field: "MaxMediumBytes", Flag: "max-medium-bytes", Default: "20MiB", Range: "64KiB to 512MiB",
			Usage: "one picture, sound or file in a payload (docs/api.md#media); an event with a larger one fails alone. max-body-bytes must hold it in base64, which is a third longer. With warehouse-url media stay in payloads",
			ptr:   func(c *Config) any { return &c.MaxMediumBytes }, min: 64 << 10, max: 512 << 20},
		{Field: "MaxDepth", Flag: "max-depth", Default: "64", Range: "8 to 1000",
			Usage: "levels of JSON nesting in a payload",
			ptr:   func(c *Config) any { return &c.MaxDepth }, min: 8, max: 1000},
		{Field: "MaxBodyBytes", Flag: "max-body-bytes", Default: "32MiB", Range: "1KiB to 1GiB",
			Usage: "one request's body as it is sent",
			ptr:   func(c *Config) any { return &c.MaxBodyBytes }, min: 1 << 10, max: 1 << 30},
		{Field: "MaxDecodedBytes", Flag: "max-decoded-bytes", Default: "64MiB", Range: "max-body-bytes to 4GiB",
			Usage: "one request's body after decompression",
			ptr:   func(c *Config) any { return &c.MaxDecodedBytes }, min: 1 << 10, max: 4 << 30},
		{Field: "MaxInFlightBytes", Flag: "max-in-flight-bytes", Default: "256MiB", Range: "both limits above together, to 64GiB",
			Usage: "all bodies held at once; beyond it requests get 503 with Retry-After",
			ptr:   func(c *Config) any { return &c.MaxInFlightBytes }, min: 1 << 11, max: 64 << 30},
		{Field: "MinBodyRate", Flag: "min-body-rate", Default: "16KiB", Range: "1 byte to 1GiB",
			Usage: "bytes a second with which a body must come, over any 10s and with 30s on top; slower ones end with 408",
			ptr:   func(c *Config) any { return &c.MinBodyRate }, min: 1, max: 1 << 30},
		{Field: "RatePerKey", Flag: "rate-per-key", Range: "events per second; 0 is no limit",
			Usage: "events per second that one key may send; beyond it 429 with Retry-After",
			ptr:   func(c *Config) any { return &c.RatePerKey }, min: 0, max: inf},
		{Field: "AuthFailures", Flag: "auth-failures", Default: "60", Range: "1 to 1000000",
			Usage: "wrong keys a minute that one client address may send; beyond it 429 with Retry-After, while right keys are taken",
			ptr:   func(c *Config) any { return &c.AuthFailures }, min: 1, max: 1_000_000},

		{Field: "QueryTimeout", Flag: "query-timeout", Default: "30s", Range: "100ms to 1h",
			Usage: "how long a question is worked at; then it is answered 504 query_timeout",
			ptr:   func(c *Config) any { return &c.QueryTimeout }, min: 0.1, max: 3600},
		{Field: "SQL", Flag: "sql", Default: "on", Range: "on or off",
			Usage: "questions in SQL are answered, of what is the project's of the key (docs/sql.md)",
			ptr:   func(c *Config) any { return &c.SQL }, oneOf: []string{"on", "off"}},
		{Field: "SQLTimeout", Flag: "sql-timeout", Default: "30s", Range: "100ms to 1h",
			Usage: "how long a question in SQL is worked at; then it is answered 504 query_timeout",
			ptr:   func(c *Config) any { return &c.SQLTimeout }, min: 0.1, max: 3600},
		{Field: "MaxQueries", Flag: "max-queries", Default: "4", Range: "1 to 1000",
			Usage: "questions answered at once, half of them of one key at most; others wait up to 10s, the keys in turn, then get 503 with Retry-After",
			ptr:   func(c *Config) any { return &c.MaxQueries }, min: 1, max: 1000},
		{Field: "MaxAnswerBytes", Flag: "max-answer-bytes", Default: "64MiB", Range: "16MiB to 64GiB",
			Usage: "memory of all answers being built and sent, half of it for one key at most; a larger answer goes beside them, one at a time, up to four times this",
			ptr:   func(c *Config) any { return &c.MaxAnswerBytes }, min: 16 << 20, max: 64 << 30},

		{Field: "RedisURL", Flag: "redis-url", Range: "redis://, rediss://, unix:// or redis-sentinel://; several hosts are a Cluster; empty: one node alone",
			Usage: "the Redis on which several nodes deduplicate together (docs/scale-out.md)", Secret: true,
			ptr: func(c *Config) any { return &c.RedisURL }},
		{Field: "RedisTimeout", Flag: "redis-timeout", Default: "500ms", Range: "10ms to 10s",
			Usage: "how long a batch waits for Redis at each step; then this node deduplicates alone until Redis answers again",
			ptr:   func(c *Config) any { return &c.RedisTimeout }, min: 0.01, max: 10},
		{Field: "WarehouseURL", Flag: "warehouse-url", Range: "clickhouse://user:password@host:9000[,host:9000]/database?secure=true, the same with http:// (port 8123) or https:// (8443); host;host and ?cluster=NAME for shards; or @FILE for one that is in a file; empty: the node has its own",
			Usage: "the ClickHouse that several nodes have as their warehouse (docs/scale-out.md)", Secret: true,
			ptr: func(c *Config) any { return &c.WarehouseURL }},

		{Field: "ForwardOTLP", Flag: "forward-otlp", Range: "an http:// or https:// URL; /v1/traces is appended unless it ends in it; empty: nothing is sent on",
			Usage: "a server of OpenTelemetry that everything is sent on to, from the log, at least once (docs/operations.md)",
			ptr:   func(c *Config) any { return &c.ForwardOTLP }},
		{Field: "ForwardOTLPHeader", Flag: "forward-otlp-header", Range: "NAME=VALUE, or NAME=@FILE for a value that is in a file; may be repeated, in the variable one on each line",
			Usage: "a header of requests to forward-otlp, such as its key", Secret: true,
			ptr: func(c *Config) any { return &c.ForwardOTLPHeader }},

		{Field: "MinFreeDisk", Flag: "min-free-disk", Default: "1GiB", Range: "1 byte and up",
			Usage: "free space below which requests get 503 with Retry-After; above it they go on by themselves",
			ptr:   func(c *Config) any { return &c.MinFreeDisk }, min: 1, max: inf},
		{Field: "MaxBacklogEvents", Flag: "max-backlog-events", Default: "20000000", Range: "1 and up",
			Usage: "accepted events that may wait for the warehouse; beyond it requests get 503 with Retry-After",
			ptr:   func(c *Config) any { return &c.MaxBacklogEvents }, min: 1, max: inf},

		{Field: "Cost", Flag: "cost", Default: "reported", Range: "reported, computed or as-sent",
			Usage: "which cost of a call counts: the one that was sent, else the computed one; the computed one, else the one that was sent; or only what was sent. Another value holds for calls from then on (docs/costs.md)",
			ptr:   func(c *Config) any { return &c.Cost }, oneOf: []string{"reported", "computed", "as-sent"}},

		{Field: "BudgetInterval", Flag: "budget-interval", Default: "1m", Range: "5s to 1h",
			Usage: "how far apart the looks at budgets are; they never take more than a tenth of the time (docs/costs.md)",
			ptr:   func(c *Config) any { return &c.BudgetInterval }, min: 5, max: 3600},
		{Field: "AlertWebhook", Flag: "alert-webhook", Range: "an http:// or https:// URL, or @FILE for one that is in a file; PROJECT= before it for the alerts of one project; may be repeated, in the variable one on each line; empty: alerts are in the log only",
			Usage: "where an alert is sent when a level of a budget is reached", Secret: true,
			ptr: func(c *Config) any { return &c.AlertWebhook }},
		{Field: "AlertWebhookHeader", Flag: "alert-webhook-header", Range: "NAME=VALUE, or NAME=@FILE for a value that is in a file; may be repeated, in the variable one on each line",
			Usage: "a header of requests to alert-webhook, such as its key", Secret: true,
			ptr: func(c *Config) any { return &c.AlertWebhookHeader }},

		{Field: "AlertPrivate", Flag: "alert-private", Range: "true or false",
			Usage: "alerts that people set may be sent to addresses of private networks and of this machine, too (docs/alerts.md)",
			ptr:   func(c *Config) any { return &c.AlertPrivate }},
		{Field: "AlertCommand", Flag: "alert-command", Range: "NAME=PROGRAM and its arguments, with blanks between them; may be repeated, in the variable one on each line; empty: there are none",
			Usage: "a program that alerts can be given to, on its standard input, by this name (docs/alerts.md)",
			ptr:   func(c *Config) any { return &c.AlertCommand }},

		{Field: "JudgePrivate", Flag: "judge-private", Range: "true or false",
			Usage: "judges may be at addresses of private networks and of this machine, too, such as a model that runs there (docs/judges.md)",
			ptr:   func(c *Config) any { return &c.JudgePrivate }},

		{Field: "Retention", Flag: "retention", Range: "1m and up, such as 30d, 36h or 1d12h; 0: for ever",
			Usage: "how long events are kept, counted from the time when they happened (docs/keep-it-safe.md)",
			ptr:   func(c *Config) any { return &c.Retention }, min: 60, max: maxAge.Seconds()},
		{Field: "RetentionProjects", Flag: "retention-projects", Range: "NAME=AGE, several with commas between them: shop=7d,lab=0",
			Usage: "projects whose events are kept for another time than --retention says",
			ptr:   func(c *Config) any { return &c.RetentionProjects }},

		{Field: "IndexCache", Flag: "index-cache", Default: "64MiB", Range: "8MiB and up",
			Usage: "memory for the id index",
			ptr:   func(c *Config) any { return &c.IndexCache }, min: 8 << 20, max: inf},
		{Field: "WarehouseMemory", Flag: "warehouse-memory", Default: "128MiB", Range: "64MiB and up; at least 96MiB are used",
			Usage: "memory of the warehouse; larger queries spill to disk, and below 120MiB what comes is written several times",
			ptr:   func(c *Config) any { return &c.WarehouseMemory }, min: 64 << 20, max: inf},
		{Field: "WarehouseThreads", Flag: "warehouse-threads", Default: "1", Range: "1 and up",
			Usage: "threads of the warehouse; more answer what goes through everything sooner, and every event costs more processor time",
			ptr:   func(c *Config) any { return &c.WarehouseThreads }, min: 1, max: 1024},
		{Field: "MemoryLimit", Flag: "memory-limit", Default: "160MiB", Range: "64MiB and up; GOMEMLIMIT in the environment beats it",
			Usage: "soft limit of the Go heap: the collector works harder near it, and leaves an eighth of what is in use where more is in use; index and warehouse count beside it",
			ptr:   func(c *Config) any { return &c.MemoryLimit }, min: 64 << 20, max: inf},

		{Field: "LogLevel", Flag: "log-level", Default: "info", Range: "debug, info, warn or error",
			Usage: "what is written to standard error",
			ptr:   func(c *Config) any { return &c.LogLevel }, oneOf: []string{"debug", "info", "warn", "error"}},
		{Field: "LogFormat", Flag: "log-format", Default: "text", Range: "text or json",
			Usage: "how it is written",
			ptr:   func(c *Config) any { return &c.LogFormat }, oneOf: []string{"text", "json"}},
	}
	for i := range list {
		if list[i].Env == "" {
			list[i].Env = "BROKLE_" + strings.ToUpper(strings.ReplaceAll(list[i].Flag, "-", "_"))
		}
	}
	return list
}

// settingNamed is the setting of a field; the field exists, a test sees to it.
func settingNamed(field string) Setting {
	all := Settings()
	return all[slices.IndexFunc(all, func(s Setting) bool { return s.Field == field })]
}

// Set reads text into the setting's field of c. The error names the setting and
// says what it takes.
func (s Setting) Set(c *Config, text string) (err error) {
	switch p := s.ptr(c).(type) {
	case *string:
		*p = text
	case *bool:
		*p, err = strconv.ParseBool(text)
	case *int:
		*p, err = strconv.Atoi(text)
	case *float64:
		*p, err = strconv.ParseFloat(text, 64)
	case *time.Duration:
		*p, err = time.ParseDuration(text)
	case *Age:
		*p, err = ParseAge(text)
	case *Bytes:
		*p, err = ParseBytes(text)
	case *Lines:
		p.set(text)
	default:
		panic(fmt.Sprintf("setting %s has type %T", s.Field, p))
	}
	if err != nil {
		return s.wrong(strconv.Quote(text), "must be "+s.Range)
	}
	return nil
}

// Text is the setting's value in c as it would be written.
func (s Setting) Text(c *Config) string {
	switch p := s.ptr(c).(type) {
	case *string:
		return *p
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	case *float64:
		return strconv.FormatFloat(*p, 'f', -1, 64)
	case *time.Duration:
		return plain(*p)
	case *Age:
		return p.String()
	case *Bytes:
		return p.String()
	case *Lines:
		return strings.Join(*p, "\n")
	default:
		panic(fmt.Sprintf("setting %s has type %T", s.Field, p))
	}
}

// plain writes a duration as people do: 1m, not 1m0s.
func plain(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if cut, ok := strings.CutSuffix(text, zero[1:]); ok && strings.HasSuffix(cut, zero[:1]) {
			text = cut
		}
	}
	return text
}

// IsBool says whether the flag stands alone, without a value.
func (s Setting) IsBool() bool {
	_, ok := s.ptr(new(Config)).(*bool)
	return ok
}

func (s Setting) zero(c *Config) bool {
	switch p := s.ptr(c).(type) {
	case *string:
		return *p == ""
	case *bool:
		return !*p
	case *Lines:
		return len(*p) == 0
	default:
		return s.number(c) == 0
	}
}

// number is a numeric value in the unit of min and max.
func (s Setting) number(c *Config) float64 {
	switch p := s.ptr(c).(type) {
	case *int:
		return float64(*p)
	case *float64:
		return *p
	case *time.Duration:
		return p.Seconds()
	case *Age:
		return time.Duration(*p).Seconds()
	case *Bytes:
		return float64(*p)
	}
	return 0
}

// check says what is wrong with the setting's value in c.
func (s Setting) check(c *Config) error {
	switch p := s.ptr(c).(type) {
	case *bool, *Lines:
		return nil
	case *string:
		if len(s.oneOf) > 0 && !slices.Contains(s.oneOf, *p) {
			return s.wrong(*p, "must be "+s.Range)
		}
		return nil
	case *Age:
		if *p == 0 { // for ever
			return nil
		}
	}
	if n := s.number(c); !(n >= s.min && n <= s.max) {
		return s.wrong(s.Text(c), "must be "+s.Range)
	}
	return nil
}

// wrong is the sentence about a bad value.
func (s Setting) wrong(value any, why string) error {
	where := s.Env
	if s.Flag != "" {
		where = "--" + s.Flag + ", " + s.Env
	}
	return fmt.Errorf("%s (%s) is %v: %s", s.Field, where, value, why)
}
