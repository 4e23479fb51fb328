package server

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Rows of a list when no limit is given, and at most.
const (
	defaultLimit      = 50
	defaultStatsLimit = 1000
	maxLimit          = 1000
)

// How often a parameter may be repeated, or how much its comma lists hold together:
// what one question may cost. docs/api.md says the same.
const (
	maxScores     = 10 // conditions
	maxMetrics    = 20
	maxGroups     = 8
	maxEventTypes = 20
)

// query reads typed parameters and keeps the first error. An empty value is as
// none at all, as forms send it.
type query struct {
	values url.Values
	err    error
}

func (q *query) fail(name, format string, args ...any) {
	if q.err == nil {
		q.err = badParameter(name, format, args...)
	}
}

func (q *query) text(name string) string {
	vs := q.values[name]
	if len(vs) > 1 {
		q.fail(name, "given more than once")
	}
	if len(vs) == 0 {
		return ""
	}
	if !cleanText(vs[0]) {
		q.fail(name, "must be UTF-8 without NUL")
	}
	return vs[0]
}

// cleanText says whether a backend can be asked for s at all.
func cleanText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// list reads "a,b" and repetitions of the parameter, at most as many parts, those that are said twice too.
func (q *query) list(name string, most int) []string {
	var out []string
	parts := 0
	for _, v := range q.values[name] {
		if !cleanText(v) {
			q.fail(name, "must be UTF-8 without NUL")
		}
		for part := range strings.SplitSeq(v, ",") {
			if parts++; parts > most {
				q.fail(name, "names more than %d", most)
				return nil
			}
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

func (q *query) number(name string) *float64 {
	v := q.text(name)
	if v == "" {
		return nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		q.fail(name, "must be a number")
		return nil
	}
	return &n
}

func (q *query) boolean(name string) *bool {
	v := strings.ToLower(q.text(name))
	yes := v == "true" || v == "1"
	if v == "" {
		return nil
	}
	if !yes && v != "false" && v != "0" {
		q.fail(name, "must be true or false")
	}
	return &yes
}

// time reads what brokle.Timestamp does: RFC 3339, Unix seconds, and more.
func (q *query) time(name string) time.Time {
	v := q.text(name)
	if v == "" {
		return time.Time{}
	}
	if len(v) > 10 && v[10] == 'T' {
		v = strings.ReplaceAll(v, " ", "+") // a zone's plus that was not escaped
	}
	var t wire.Timestamp
	if strings.ContainsAny(v, `"\`) || t.UnmarshalJSON([]byte(`"`+v+`"`)) != nil {
		q.fail(name, "must be RFC 3339 or Unix seconds, from 1970 to 9999")
	}
	return t.Time
}

func (q *query) limit(absent int) int {
	v := q.text("limit")
	if v == "" {
		return absent
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxLimit {
		q.fail("limit", "must be an integer from 1 to %d", maxLimit)
	}
	return n
}

func (q *query) order() store.Order {
	o := store.Order{Limit: q.limit(defaultLimit), Cursor: q.text("cursor")}
	if by := q.text("sort"); by != "" {
		o.By = strings.TrimPrefix(by, "-")
		o.Asc = o.By == by
		if o.By == "" {
			q.fail("sort", "must name a column, with - before it for descending")
		}
	}
	return o
}

// interval reads a Go duration of whole seconds, or days as "1d".
func (q *query) interval(name string) time.Duration {
	v := q.text(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if n, days := strings.CutSuffix(v, "d"); days {
		var k int
		k, err = strconv.Atoi(n)
		d = time.Duration(min(max(k, 0), 2)) * 24 * time.Hour
	}
	if err != nil || d < time.Minute || d > 24*time.Hour || d%time.Second != 0 {
		q.fail(name, "must be from 1m to 1d, such as 5m, 1h or 1d")
	}
	return d
}

// zone reads the IANA name of a time zone.
func (q *query) zone(name string) string {
	v := q.text(name)
	if _, err := store.Zone(v); err != nil && q.err == nil {
		q.err = err
	}
	return v
}

// scores reads score=NAME OP NUMBER, each a condition that must hold.
func (q *query) scores(name string) []store.ScoreCondition {
	var out []store.ScoreCondition
	if len(q.values[name]) > maxScores {
		q.fail(name, "given more than %d times", maxScores)
		return nil
	}
	for _, v := range q.values[name] {
		if v == "" {
			continue
		}
		c, ok := scoreCondition(v)
		if !ok || !cleanText(v) {
			q.fail(name, "must be a name, one of = != < <= > >=, and a number, such as quality>=0.8")
		}
		out = append(out, c)
	}
	return out
}

func scoreCondition(v string) (store.ScoreCondition, bool) {
	at := strings.LastIndexAny(v, "<>=")
	if at < 1 {
		return store.ScoreCondition{}, false
	}
	start := at
	if v[at] == '=' && strings.ContainsRune("<>!=", rune(v[at-1])) {
		start--
	}
	op := v[start : at+1]
	if op == "==" {
		op = "="
	}
	name, named := scoreName(v[:start])
	n, err := strconv.ParseFloat(strings.TrimSpace(v[at+1:]), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || !named {
		return store.ScoreCondition{}, false
	}
	return store.ScoreCondition{Name: name, Op: op, Value: n}, true
}

// filterNames are the parameters that filter reads.
func filterNames() []string {
	return []string{"from", "to", "name", "user_id", "session_id", "environment", "tag", "model", "type", "level",
		"trace_id", "min_latency_ms", "max_latency_ms", "min_cost", "has_error", "score", "q"}
}

func (q *query) filter() store.Filter {
	f := store.Filter{
		From: q.time("from"), To: q.time("to"),
		Name: q.text("name"), UserID: q.text("user_id"), SessionID: q.text("session_id"),
		Environment: q.text("environment"), Tag: q.text("tag"), Model: q.text("model"),
		Type: q.text("type"), Level: strings.ToUpper(q.text("level")), TraceID: q.text("trace_id"),
		MinLatencyMS: q.number("min_latency_ms"), MaxLatencyMS: q.number("max_latency_ms"),
		MinCost: q.number("min_cost"), HasError: q.boolean("has_error"), Scores: q.scores("score"), Text: q.text("q"),
	}
	if !f.From.IsZero() && !f.To.IsZero() && f.To.Before(f.From) {
		q.fail("to", "must not be before from")
	}
	return f
}
