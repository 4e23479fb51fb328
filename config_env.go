package brokle

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// settings reads zero fields from the environment, fills the rest from defaults, and collects what is wrong.
type settings struct {
	lookup     func(string) (string, bool)
	malformed  []error // in the environment
	outOfRange []error
}

func (s *settings) get(env string) (string, bool) {
	v, ok := s.lookup(env)
	v = strings.TrimSpace(v)
	return v, ok && v != ""
}

func (s *settings) misread(field, env, value, problem string) {
	s.malformed = append(s.malformed, &ConfigError{Field: field, Env: env, Value: value, Problem: problem})
}

func (s *settings) unfit(field, env, value, problem string) {
	s.outOfRange = append(s.outOfRange, &ConfigError{Field: field, Env: env, Value: value, Problem: problem})
}

func (s *settings) text(dst *string, env, def string) {
	v, _ := s.get(env)
	*dst = cmp.Or(*dst, v, def)
}

// flag sets *dst when the variable's value equals `when`; a field that is
// already true stays so.
func (s *settings) flag(dst *bool, field, env string, when bool) {
	v, ok := s.get(env)
	if *dst || !ok {
		return
	}
	b, err := parseBool(v)
	if err != nil {
		s.misread(field, env, v, err.Error())
		return
	}
	*dst = b == when
}

// bounded settles a field from lo to hi; a lo of 0 is left out of the range, because 0 means the default.
func bounded[T int | int64 | float64 | time.Duration](s *settings, dst *T, field, env string, def, lo, hi T) {
	if v, ok := s.get(env); ok && *dst == 0 {
		var n T
		switch what, err := parseNumber(v, &n); {
		case err != nil:
			s.misread(field, env, v, "must be "+what)
		case n == 0: // written out, so not "unset": keep it apart from the default
			s.misread(field, env, v, "must be "+what+" above 0")
		default:
			*dst = n
		}
	}
	*dst = cmp.Or(*dst, def)
	if *dst >= lo && *dst <= hi {
		return
	}
	problem := fmt.Sprintf("must be %v to %v", lo, hi)
	if lo == 0 {
		problem = fmt.Sprintf("must be above 0 and at most %v", hi)
	}
	s.unfit(field, env, fmt.Sprint(*dst), problem)
}

// parseNumber reads v into n, and says what it should be.
func parseNumber(v string, n any) (what string, err error) {
	switch n := n.(type) {
	case *int:
		*n, err = strconv.Atoi(v)
	case *int64:
		*n, err = strconv.ParseInt(v, 10, 64)
	case *float64:
		*n, err = strconv.ParseFloat(v, 64)
		return "a number", err
	case *time.Duration:
		*n, err = parseSeconds(v)
		return "seconds or a Go duration", err
	}
	return "a whole number", err
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, errors.New("must be 1/0, true/false, yes/no or on/off")
}

// parseSeconds reads "5", "0.5" (seconds) or "500ms".
func parseSeconds(s string) (time.Duration, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.ParseDuration(s)
	}
	if !(f >= 0 && f <= 1e9) {
		return 0, fmt.Errorf("%v seconds is out of range", f)
	}
	return time.Duration(f * float64(time.Second)), nil
}
