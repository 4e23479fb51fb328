package brokle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// environ reads settings from the environment and collects what is malformed.
type environ struct {
	lookup func(string) (string, bool)
	errs   []error
}

func (e *environ) get(name string) (string, bool) {
	v, ok := e.lookup(name)
	v = strings.TrimSpace(v)
	return v, ok && v != ""
}

func (e *environ) bad(field, name, value, problem string) {
	e.errs = append(e.errs, &ConfigError{Field: field, Env: name, Value: value, Problem: problem})
}

func (e *environ) text(dst *string, name string) {
	if *dst == "" {
		if v, ok := e.get(name); ok {
			*dst = v
		}
	}
}

// fromEnv fills *dst from the environment when it is zero.
func fromEnv[T comparable](e *environ, dst *T, field, name, what string, parse func(string) (T, error)) {
	var zero T
	if *dst != zero {
		return
	}
	v, ok := e.get(name)
	if !ok {
		return
	}
	x, err := parse(v)
	if err != nil {
		e.bad(field, name, v, "must be "+what)
		return
	}
	if x == zero { // written out, so not "unset": keep it apart from the default
		e.bad(field, name, v, "must be "+what+" above 0")
		return
	}
	*dst = x
}

func (e *environ) int(dst *int, field, name string) {
	fromEnv(e, dst, field, name, "a whole number", strconv.Atoi)
}

func (e *environ) int64(dst *int64, field, name string) {
	fromEnv(e, dst, field, name, "a whole number", func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
}

func (e *environ) float(dst *float64, field, name string) {
	fromEnv(e, dst, field, name, "a number", func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
}

func (e *environ) duration(dst *time.Duration, field, name string) {
	fromEnv(e, dst, field, name, "seconds or a Go duration", parseSeconds)
}

// retries reads BROKLE_MAX_RETRIES, where 0 is a value of its own: never.
func (e *environ) retries(dst *int) {
	const name = "BROKLE_MAX_RETRIES"
	v, ok := e.get(name)
	if *dst != 0 || !ok {
		return
	}
	n, err := strconv.Atoi(v)
	switch {
	case err != nil:
		e.bad("MaxRetries", name, v, "must be a whole number")
	case n == 0:
		*dst = -1
	default:
		*dst = n
	}
}

// flag sets *dst when the variable's value equals `when`; a field that is
// already true stays so.
func (e *environ) flag(dst *bool, field, name string, when bool) {
	v, ok := e.get(name)
	if *dst || !ok {
		return
	}
	b, err := parseBool(v)
	if err != nil {
		e.bad(field, name, v, err.Error())
		return
	}
	*dst = b == when
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
