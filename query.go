package brokle

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

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
	KeyID        string // of the key that brought it, as Key.ID; not its secret
	Tag          string
	Model        string
	Type         string // observation type
	Level        string
	TraceID      string
	MinLatencyMS *float64
	MaxLatencyMS *float64
	MinCost      *float64
	HasError     *bool
	// Duplicates: true adds the observations that another one stands for, because it reports the same call of a
	// provider. Only for lists and statistics of observations.
	Duplicates *bool
	// Scores are conditions like "quality>=0.8".
	Scores []string
	// Text are words, and phrases in double quotes, that must all be in the name, input or output
	// of one event: whole words in any case. At most 1024 bytes and 32 words. Not for lists of scores.
	Text string
	// Attributes are values of attributes by their keys, Resource those of resources: of a span of
	// OpenTelemetry, or of the object attributes in a payload. The same event must have all of them, and
	// the words of Text. For traces, observations and their aggregates; at most 16.
	Attributes map[string]string
	Resource   map[string]string
	// Where is a filter in one line, such as `level:error latency:>2s -env:dev metadata.tier:gold`: docs/api.md has its grammar. For traces, observations,
	// scores, sessions, users and statistics; at most 2048 bytes.
	Where string
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
	// Previews asks for InputPreview, OutputPreview and Highlights of the rows, of which a page then has 200 at most.
	Previews bool
}

// ObservationQuery asks for observations.
type ObservationQuery struct {
	Filter
	Order
	// Previews asks for InputPreview, OutputPreview and Highlights of the rows, of which a page then has 200 at most.
	Previews bool
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
// SessionID, Environment, KeyID, Tag and Model, which say what traces count, and HasError,
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
	// cost, cost_input, cost_cached (of cost_input, what a cache gave), cost_output,
	// unpriced_count (calls of models whose cost is not known), score_avg:NAME,
	// score_count:NAME. Default: the server's.
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

// params are the parameters of a query: its fields, by the names that the API has for them.
// Zero fields are left out.
func params(query any) url.Values {
	p := url.Values{}
	addParams(p, reflect.ValueOf(query))
	return p
}

func addParams(p url.Values, query reflect.Value) {
	for i := range query.NumField() {
		name := paramName(query.Type().Field(i).Name)
		switch v := query.Field(i).Interface().(type) {
		case Filter, Order:
			addParams(p, reflect.ValueOf(v))
		case url.Values:
			for k, vs := range v {
				p[k] = append(p[k], vs...)
			}
		case map[string]string:
			for key, value := range v {
				p.Set(name+"."+key, value)
			}
		case []string:
			if len(v) > 0 {
				p[name] = listed(name, v)
			}
		default:
			if text := written(v); text != "" {
				p.Set(name, text)
			}
		}
	}
}

// listed is how a list is sent: conditions each by itself, names with commas.
func listed(name string, list []string) []string {
	switch name {
	case "score":
		return slices.Clone(list)
	case "metrics":
		return []string{metricList(list)}
	}
	return []string{strings.Join(list, ",")}
}

// written is a value as it is sent; "" when it restricts nothing.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		if !v.IsZero() {
			return v.UTC().Format(time.RFC3339Nano)
		}
	case *float64:
		if v != nil {
			return strconv.FormatFloat(*v, 'g', -1, 64)
		}
	case *bool:
		if v != nil {
			return strconv.FormatBool(*v)
		}
	case bool:
		if v {
			return "true"
		}
	case time.Duration:
		if v > 0 {
			return formatInterval(v)
		}
	case int:
		if v != 0 {
			return strconv.Itoa(v)
		}
	}
	return ""
}

// paramName writes a field's name as the API does: UserID is user_id.
func paramName(name string) string {
	switch name {
	case "Scores":
		return "score"
	case "Text":
		return "q"
	case "Zone":
		return "tz"
	case "Where":
		return "filter"
	}
	var b strings.Builder
	for i, c := range name {
		if i > 0 && unicode.IsUpper(c) && unicode.IsLower(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
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
