package brokle

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/payload"
)

// Filter restricts a list or an aggregate. Zero fields do not restrict; every
// field given must hold.
type Filter struct {
	From, To     time.Time // From ≤ start_time < To
	Name         string
	UserID       string
	SessionID    string
	Environment  string
	Tag          string
	Model        string
	Type         string // observation type
	Level        string
	TraceID      string
	MinLatencyMS *float64
	MaxLatencyMS *float64
	MinCost      *float64
	HasError     *bool
	// Scores are conditions like "quality>=0.8".
	Scores []string
	// Text are words, and phrases in double quotes, that must all be in the name, input or output
	// of one event: whole words in any case. At most 1024 bytes and 32 words. Not for lists of scores.
	Text string
	// Extra holds parameters that have no field here.
	Extra url.Values
}

// Order is how a list is sorted and paged.
type Order struct {
	// Sort is "start_time" or a numeric column, with "-" in front for descending. Default newest first.
	Sort string
	// Limit is the rows of one page, 1 to 1000; 0 is the server's default. Iterators go on to the next page by themselves.
	Limit int
	// Cursor is the NextCursor of a page of the same query.
	Cursor string
}

// TraceQuery asks for traces.
type TraceQuery struct {
	Filter
	Order
}

// ObservationQuery asks for observations.
type ObservationQuery struct {
	Filter
	Order
}

// ScoreQuery asks for scores.
type ScoreQuery struct {
	Filter
	Order
	ObservationID string
	DataType      string // NUMERIC, CATEGORICAL, BOOLEAN
	Source        string // API, AUTO, HUMAN, EVAL
}

// SessionQuery asks for sessions. Of the Filter it takes From, To, Name, UserID,
// SessionID, Environment, Tag and Model, which say what traces count, and HasError,
// which says what sessions are wanted; anything else is refused by the server.
// Sort is "last_seen" (default, newest first), "first_seen", "trace_count",
// "observation_count", "error_count", "total_tokens" or "total_cost".
type SessionQuery struct {
	Filter
	Order
}

// UserQuery asks for users, as a SessionQuery does for sessions; it can also be
// sorted by "session_count".
type UserQuery struct {
	Filter
	Order
}

// EnvironmentQuery asks for environments, sorted as a SessionQuery.
type EnvironmentQuery struct {
	From, To time.Time // From ≤ time < To of what counts
	Order
}

// StatsQuery asks for aggregates.
type StatsQuery struct {
	Filter
	// Of is "observations" (default), "traces", "scores" or "events".
	Of string
	// Metrics: count, error_rate, latency_p50, latency_p95, latency_p99, tokens,
	// cost, score_avg:NAME, score_count:NAME. Default: the server's.
	Metrics []string
	// GroupBy: model, name, environment, user_id, type, event_type, …
	GroupBy []string
	// Interval groups by time too, 1 minute to 1 day; 0 does not.
	Interval time.Duration
	// Zone is the IANA name of the time zone by whose clock intervals begin, such as
	// "Asia/Tokyo"; "" is UTC.
	Zone   string
	Limit  int
	Cursor string
}

type params struct{ url.Values }

func (p params) text(name, v string) {
	if v != "" {
		p.Set(name, v)
	}
}

func (p params) time(name string, t time.Time) {
	if !t.IsZero() {
		p.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

func (p params) float(name string, f *float64) {
	if f != nil {
		p.Set(name, strconv.FormatFloat(*f, 'g', -1, 64))
	}
}

func (p params) int(name string, n int) {
	if n != 0 {
		p.Set(name, strconv.Itoa(n))
	}
}

func (f *Filter) params() params {
	p := params{url.Values{}}
	p.time("from", f.From)
	p.time("to", f.To)
	p.text("name", f.Name)
	p.text("user_id", f.UserID)
	p.text("session_id", f.SessionID)
	p.text("environment", f.Environment)
	p.text("tag", f.Tag)
	p.text("model", f.Model)
	p.text("type", f.Type)
	p.text("level", f.Level)
	p.text("trace_id", f.TraceID)
	p.float("min_latency_ms", f.MinLatencyMS)
	p.float("max_latency_ms", f.MaxLatencyMS)
	p.float("min_cost", f.MinCost)
	if f.HasError != nil {
		p.Set("has_error", strconv.FormatBool(*f.HasError))
	}
	for _, s := range f.Scores {
		p.Add("score", s)
	}
	p.text("q", f.Text)
	for k, vs := range f.Extra {
		p.Values[k] = append(p.Values[k], vs...)
	}
	return p
}

func (o *Order) add(p params) url.Values {
	p.text("sort", o.Sort)
	p.int("limit", o.Limit)
	p.text("cursor", o.Cursor)
	return p.Values
}

func (q *TraceQuery) params() url.Values       { return q.Order.add(q.Filter.params()) }
func (q *ObservationQuery) params() url.Values { return q.Order.add(q.Filter.params()) }
func (q *SessionQuery) params() url.Values     { return q.Order.add(q.Filter.params()) }
func (q *UserQuery) params() url.Values        { return q.Order.add(q.Filter.params()) }

func (q *EnvironmentQuery) params() url.Values {
	p := params{url.Values{}}
	p.time("from", q.From)
	p.time("to", q.To)
	return q.Order.add(p)
}

func (q *ScoreQuery) params() url.Values {
	p := q.Filter.params()
	p.text("observation_id", q.ObservationID)
	p.text("data_type", q.DataType)
	p.text("source", q.Source)
	return q.Order.add(p)
}

func (q *StatsQuery) params() url.Values {
	p := q.Filter.params()
	p.text("of", q.Of)
	p.text("metrics", metricList(q.Metrics))
	p.text("group_by", strings.Join(q.GroupBy, ","))
	if q.Interval > 0 {
		p.Set("interval", formatInterval(q.Interval))
	}
	p.text("tz", q.Zone)
	p.int("limit", q.Limit)
	p.text("cursor", q.Cursor)
	return p.Values
}

// metricList joins metrics with commas; one whose name would not survive that is a JSON string.
func metricList(metrics []string) string {
	var b []byte
	for i, m := range metrics {
		if i > 0 {
			b = append(b, ',')
		}
		if strings.Contains(m, ",") || strings.HasPrefix(m, `"`) || strings.TrimSpace(m) != m {
			b = payload.AppendString(b, m)
		} else {
			b = append(b, m...)
		}
	}
	return string(b)
}

// formatInterval writes the largest whole unit: 1d, 6h, 5m, 90s.
func formatInterval(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
