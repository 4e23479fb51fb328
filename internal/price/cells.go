package price

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// set reads a condition or a price.
func (e *Entry) set(key, value string) (err error) {
	switch key {
	case "tier":
		e.Tier = standard(value)
	case "above":
		e.Above, err = strconv.ParseInt(value, 10, 64)
		if err == nil && e.Above <= 0 {
			err = errors.New("want a number of tokens above 0")
		}
	case "from":
		e.From, e.from, err = day(value)
	case "until":
		e.Until, e.until, err = day(value)
	case "hours":
		e.Hours, err = parseHours(value)
	case "days":
		e.Days, err = parseDays(value)
	default:
		k, ok := kindOf(key)
		if !ok {
			return errors.New("there is no such key")
		}
		if e.Rates[k] != None {
			return errors.New("it is there twice")
		}
		e.Rates[k], err = ParseAmount(value)
	}
	return err
}

func kindOf(name string) (Kind, bool) {
	for k := range kindNames {
		if kindNames[k] == name {
			return Kind(k), true
		}
	}
	return 0, false
}

// day reads a date as the moment at which it begins in UTC, or a moment of RFC 3339.
func day(s string) (time.Time, int64, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, s); err != nil {
			return t, 0, errors.New("want a date, 2026-01-31, or a moment, 2026-01-31T12:00:00Z")
		}
	}
	return t.UTC(), t.Unix(), nil
}

func parseHours(s string) (Hours, error) {
	from, until, ok := strings.Cut(s, "-")
	a, okA := minuteOf(from)
	b, okB := minuteOf(until)
	if b == 0 {
		b = 24 * 60
	}
	if !ok || !okA || !okB || a == b {
		return Hours{}, errors.New("want two times of the day in UTC, 00:30-16:30")
	}
	return Hours{a, b}, nil
}

func minuteOf(s string) (int, bool) {
	hour, minute, ok := strings.Cut(s, ":")
	h, errH := strconv.Atoi(hour)
	m, errM := strconv.Atoi(minute)
	return h*60 + m, ok && errH == nil && errM == nil && len(s) == 5 && h >= 0 && h < 24 && m >= 0 && m < 60
}

func parseDays(s string) (days Days, err error) {
	for _, c := range []byte(s) {
		if c < '1' || c > '7' {
			return 0, errors.New("want days of the week, 1 is Monday: 12345")
		}
		days |= 1 << (c - '0')
	}
	return days, nil
}
