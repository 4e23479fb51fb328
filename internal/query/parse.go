package query

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Reader reads typed parameters and keeps the first error, a *store.QueryError. An empty
// value is as none at all, as forms send it.
type Reader struct {
	Values url.Values
	Err    error
}

// Fail keeps an error about a parameter.
func (r *Reader) Fail(name, format string, args ...any) {
	r.keep(&store.QueryError{Param: name, Message: fmt.Sprintf(format, args...)})
}

func (r *Reader) keep(err error) {
	if r.Err == nil {
		r.Err = err
	}
}

// Text is a text that is not given more than once.
func (r *Reader) Text(name string) string {
	vs := r.Values[name]
	if len(vs) > 1 {
		r.Fail(name, "given more than once")
	}
	if len(vs) == 0 {
		return ""
	}
	if !Clean(vs[0]) {
		r.Fail(name, "must be UTF-8 without NUL")
	}
	return vs[0]
}

// Clean says whether a Warehouse can be asked for s at all.
func Clean(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// List reads "a,b" and repetitions of the parameter, at most as many parts, those that are said twice too.
func (r *Reader) List(name string, most int) []string {
	var out []string
	parts := 0
	for _, v := range r.Values[name] {
		if !Clean(v) {
			r.Fail(name, "must be UTF-8 without NUL")
		}
		for part := range strings.SplitSeq(v, ",") {
			if parts++; parts > most {
				r.Fail(name, "names more than %d", most)
				return nil
			}
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

func (r *Reader) number(name string) *float64 {
	v := r.Text(name)
	if v == "" {
		return nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		r.Fail(name, "must be a number")
		return nil
	}
	return &n
}

// Is says whether a parameter is true.
func (r *Reader) Is(name string) bool {
	yes := r.boolean(name)
	return yes != nil && *yes
}

// boolean is nil when nothing is said.
func (r *Reader) boolean(name string) *bool {
	v := strings.ToLower(r.Text(name))
	yes := v == "true" || v == "1"
	if v == "" {
		return nil
	}
	if !yes && v != "false" && v != "0" {
		r.Fail(name, "must be true or false")
	}
	return &yes
}

// Time is a time, or a day: its first moment in UTC; the zero one when it is not given.
func (r *Reader) Time(name string) time.Time { return r.time(name) }

// time reads what brokle.Timestamp does: RFC 3339, Unix seconds, and more; or a day, which is its first moment in UTC. So a to of a
// day leaves that day out.
func (r *Reader) time(name string) time.Time {
	v := r.Text(name)
	if v == "" {
		return time.Time{}
	}
	if at, err := time.Parse(time.DateOnly, v); err == nil && at.Year() >= 1970 {
		return at
	}
	if len(v) > 10 && v[10] == 'T' {
		v = strings.ReplaceAll(v, " ", "+") // a zone's plus that was not escaped
	}
	var t wire.Timestamp
	if strings.ContainsAny(v, `"\`) || t.UnmarshalJSON([]byte(`"`+v+`"`)) != nil {
		r.Fail(name, "must be a date such as 2026-01-31, RFC 3339 or Unix seconds, from 1970 to 9999")
	}
	return t.Time
}

func (r *Reader) limit(absent int) int { return r.Whole("limit", absent, MaxLimit) }

// Whole is a whole number from 1 to most; absent when it is not given.
func (r *Reader) Whole(name string, absent, most int) int {
	v := r.Text(name)
	if v == "" {
		return absent
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		r.Fail(name, "must be an integer from 1 to %d", most)
	}
	return n
}

func (r *Reader) order() store.Order {
	o := store.Order{Limit: r.limit(DefaultLimit), Cursor: r.Text("cursor")}
	if by := r.Text("sort"); by != "" {
		o.By = strings.TrimPrefix(by, "-")
		o.Asc = o.By == by
		if o.By == "" {
			r.Fail("sort", "must name a column, with - before it for descending")
		}
	}
	return o
}

// interval reads a Go duration of whole seconds, or days as "1d".
func (r *Reader) interval(name string) time.Duration {
	v := r.Text(name)
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
		r.Fail(name, "must be from 1m to 1d, such as 5m, 1h or 1d")
	}
	return d
}

// zone reads the IANA name of a time zone.
func (r *Reader) zone(name string) string {
	v := r.Text(name)
	if _, err := store.Zone(v); err != nil {
		r.keep(err)
	}
	return v
}

// scores reads score=NAME OP NUMBER, each a condition that must hold.
func (r *Reader) scores(name string) []store.ScoreCondition {
	var out []store.ScoreCondition
	if len(r.Values[name]) > MaxScores {
		r.Fail(name, "given more than %d times", MaxScores)
		return nil
	}
	for _, v := range r.Values[name] {
		if v == "" {
			continue
		}
		c, ok := scoreCondition(v)
		if !ok || !Clean(v) {
			r.Fail(name, "must be a name, one of = != < <= > >=, and a number, such as quality>=0.8")
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

// Filter reads what the list can be restricted by.
func (r *Reader) Filter(l List) store.Filter {
	var f store.Filter
	for _, p := range Params() {
		if p.field == nil || p.Lists&l == 0 {
			continue
		}
		switch field := p.field(&f).(type) {
		case *string:
			if *field = r.Text(p.Name); p.Form == AnyCase {
				*field = strings.ToUpper(*field)
			}
		case *time.Time:
			*field = r.time(p.Name)
		case **float64:
			*field = r.number(p.Name)
		case **bool:
			*field = r.boolean(p.Name)
		case *[]store.ScoreCondition:
			*field = r.scores(p.Name)
		case *[]textsearch.Attribute: // of both prefixes together, so that all are in one order
			*field = r.attributes()
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && f.To.Before(f.From) {
		r.Fail("to", "must not be before from")
	}
	return f
}

// attributes reads attributes.KEY=VALUE and resource.KEY=VALUE, in the order of their names.
func (r *Reader) attributes() (all []textsearch.Attribute) {
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		a, ok := textsearch.AttributeOf(name)
		if !ok {
			continue
		}
		if a.Value = r.Text(name); a.Value == "" {
			continue
		}
		switch {
		case a.Key == "":
			r.Fail(name, "must end in the key of an attribute")
		case !Clean(a.Key):
			r.Fail(name, "must be UTF-8 without NUL")
		case len(a.Key) > textsearch.MaxBytes || len(a.Value) > textsearch.MaxBytes:
			r.Fail(name, "must not be longer than %d bytes, neither its key nor its value", textsearch.MaxBytes)
		case len(all) == textsearch.MaxAttributes:
			r.Fail(name, "is one more than the %d attributes that can be asked for at once", textsearch.MaxAttributes)
		}
		if r.Err != nil {
			return nil
		}
		all = append(all, a)
	}
	return all
}

// words reads q, the text of a search, and takes the attributes along; none when there is neither.
func (r *Reader) words(f *store.Filter) []Search {
	var q *textsearch.Query
	if text := r.Text("q"); text != "" {
		var err error
		if q, err = textsearch.Parse(text); err != nil {
			r.keep(&store.QueryError{Param: "q", Message: err.Error()})
		}
	}
	if q = q.With(f.Attributes); q == nil {
		return nil
	}
	return []Search{{Query: q, Words: f.Text != "", Param: searched(f)}}
}

// said reads the filter in our grammar of what is listed or counted.
func (r *Reader) said(subject string, f *store.Filter) []Search {
	if f.Said = r.Text(FilterParam); f.Said == "" || r.Err != nil {
		return nil
	}
	terms, searches, err := ReadFilter(subject, f.Said)
	if err != nil {
		r.keep(err)
	}
	f.Terms = terms
	return searches
}

// Parse reads the query of a list, and what is looked for in the events.
func Parse(l List, values url.Values) (store.Query, []Search, error) {
	r := Reader{Values: values}
	q := store.Query{Filter: r.Filter(l), Order: r.order()}
	searches := r.words(&q.Filter)
	if slices.Contains(NamesOf(l), FilterParam) {
		searches = append(searches, r.said(vocabularyOf(l).name, &q.Filter)...)
	}
	return q, searches, r.Err
}

// ParseStats reads the query of statistics, and what is looked for in the events.
func ParseStats(values url.Values) (store.StatsQuery, []Search, error) {
	r := Reader{Values: values}
	q := store.StatsQuery{
		Filter: r.Filter(Stats), Of: r.Text("of"), Metrics: r.metrics("metrics", MaxMetrics), GroupBy: r.List("group_by", MaxGroups),
		Interval: r.interval("interval"), Zone: r.zone("tz"), Limit: r.limit(MaxLimit), Cursor: r.Text("cursor"),
	}
	if of, err := subjectOf(q.Of); err != nil {
		r.keep(err)
	} else {
		q.Of = of.name
	}
	if len(q.Metrics) == 0 {
		q.Metrics = []string{"count"}
	}
	searches := r.words(&q.Filter)
	if searches != nil && q.Of == "scores" {
		r.Fail(searches[0].Param, "is no filter of scores")
	}
	return q, append(searches, r.said(q.Of, &q.Filter)...), r.Err
}

// CheckStats says what is wrong with the query of statistics, as an address has it behind "?".
func CheckStats(question string) error {
	values, err := url.ParseQuery(question)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !Known(NamesOf(Stats), name) {
			return &store.QueryError{Param: name, Message: "is no parameter of statistics"}
		}
	}
	q, _, err := ParseStats(values)
	if err == nil {
		_, _, err = statsPlan("", &q)
	}
	return err
}

// searched is the parameter by which a search was asked for.
func searched(f *store.Filter) string {
	if f.Text == "" && len(f.Attributes) > 0 {
		return f.Attributes[0].Name()
	}
	return "q"
}
