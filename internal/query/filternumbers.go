package query

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// numbers reads values that are numbers or times.
func (r *filterReader) numbers(f FilterField, t *term, c *store.Condition) error {
	if t.any() {
		c.Op = store.Known
		return nil
	}
	if len(t.values) == 1 {
		span, err := r.span(f, t)
		c.Op, c.Value = store.Between, span
		return err
	}
	if f.Form == Moment {
		return r.fail(t.valueAt, t.end, "one time, or a range", "a list of times")
	}
	var list []float64
	for i := range t.values {
		v := &t.values[i]
		n, err := r.number(f, v.text(), v)
		if err != nil {
			return err
		}
		list = append(list, n)
	}
	c.Op, c.Value = store.OneOf, list
	return nil
}

// ends are the first and the last that a value means: of a date the first and the last microsecond of its day. Both are int64, or both float64.
type ends struct{ first, last any }

// before and after are what comes next to it.
func (e ends) before() any {
	if n, ok := e.first.(int64); ok {
		return n - 1
	}
	return math.Nextafter(e.first.(float64), math.Inf(-1))
}

func (e ends) after() any {
	if n, ok := e.last.(int64); ok {
		return n + 1
	}
	return math.Nextafter(e.last.(float64), math.Inf(1))
}

func (r *filterReader) ends(f FilterField, text string, v *value) (ends, error) {
	if f.Form == Moment {
		e, ok := moments(text)
		if !ok {
			return e, r.fail(v.at, v.end, "a date such as 2026-01-31, RFC 3339 or Unix seconds", "%q is no time", text)
		}
		return e, nil
	}
	n, err := r.number(f, text, v)
	return ends{n, n}, err
}

// span is what a comparison or a range leaves.
func (r *filterReader) span(f FilterField, t *term) (s store.Span, err error) {
	v := &t.values[0]
	if v.ranged {
		return r.between(f, t)
	}
	e, err := r.ends(f, v.text(), v)
	if err != nil {
		return s, err
	}
	switch t.op {
	case ">":
		s.Least = e.after()
	case ">=":
		s.Least = e.first
	case "<":
		s.Most = e.before()
	case "<=":
		s.Most = e.last
	default:
		s.Least, s.Most = e.first, e.last
	}
	return s, nil
}

// between reads a range, of which one end may be missing.
func (r *filterReader) between(f FilterField, t *term) (s store.Span, err error) {
	v := &t.values[0]
	if t.op != "" || v.parts[0] == "" && v.to == "" {
		return s, r.fail(t.valueAt, t.end, "a range such as 1..2, 1.. or ..2", "a range with a comparison, or without ends")
	}
	if v.parts[0] != "" {
		e, err := r.ends(f, v.parts[0], v)
		if err != nil {
			return s, err
		}
		s.Least = e.first
	}
	if v.to != "" {
		e, err := r.ends(f, v.to, v)
		if err != nil {
			return s, err
		}
		s.Most = e.last
	}
	return s, nil
}

// moments are those of a date or a time.
func moments(text string) (ends, bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil && day.Year() >= 1970 {
		return ends{day.UnixMicro(), day.AddDate(0, 0, 1).UnixMicro() - 1}, true
	}
	var at wire.Timestamp
	if text == "" || strings.ContainsAny(text, `"\`) || at.UnmarshalJSON([]byte(`"`+text+`"`)) != nil {
		return ends{}, false
	}
	return ends{at.UnixMicro(), at.UnixMicro()}, true
}

// number reads a number with the units of its field.
func (r *filterReader) number(f FilterField, text string, v *value) (float64, error) {
	expected := "a number"
	switch f.Form {
	case Milliseconds:
		expected = "milliseconds, or a duration such as 2s or 1m30s"
		if d, err := time.ParseDuration(text); err == nil && strings.Trim(text, "0123456789.+-") != "" {
			return float64(d) / float64(time.Millisecond), nil
		}
	case Money:
		expected = "an amount such as 0.01 or $2"
		text = strings.TrimPrefix(text, "$")
	case ScoreNumber:
		expected = "a number, true or false"
		switch strings.ToLower(text) {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, r.fail(v.at, v.end, expected, "%q is no number", text)
	}
	return n, nil
}

// score reads a condition on the mean of scores.
func (r *filterReader) score(f FilterField, t *term, c *store.Condition) error {
	if t.any() {
		c.Value = t.key
		return nil
	}
	if len(t.values) > 1 {
		return r.fail(t.valueAt, t.end, "one number, a comparison or a range", "a list of means")
	}
	s, err := r.span(f, t)
	if err != nil {
		return err
	}
	of := store.ScoreRange{Name: t.key, Least: math.Inf(-1), Most: math.Inf(1)}
	if s.Least != nil {
		of.Least = s.Least.(float64)
	}
	if s.Most != nil {
		of.Most = s.Most.(float64)
	}
	c.Value = of
	return nil
}
