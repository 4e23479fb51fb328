package brokle

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The statuses that options say; without them the status follows from the level.
const (
	outcomeError   = "error"
	outcomeAborted = "aborted"
)

// Error says that what it is said of failed with err: the level of an observation becomes ERROR, the status of either error, the
// status message err's text, and the error type the type of the first error in its chain that has one of its own, such as "net.OpError";
// Canceled and DeadlineExceeded for those of a context. A nil err says nothing.
func Error(err error) Option {
	return func(d *details) {
		if err != nil {
			d.level, d.levelWord, d.outcome = LevelError, "", outcomeError
			d.status, d.errorType = err.Error(), errorType(err)
		}
	}
}

// ErrorType names the class of an error, for what has no error of Go.
func ErrorType(name string) Option { return func(d *details) { d.errorType = name } }

// errorType is the type of the first error in err's tree that is more than a text around another; "" when all are texts.
func errorType(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "Canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "DeadlineExceeded"
	}
	if err == nil {
		return ""
	}
	name := fmt.Sprintf("%T", err)
	if !strings.HasPrefix(name, "*errors.") && !strings.HasPrefix(name, "*fmt.wrapError") {
		return strings.TrimLeft(name, "*")
	}
	switch wraps := err.(type) {
	case interface{ Unwrap() error }:
		return errorType(wraps.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range wraps.Unwrap() {
			if name := errorType(inner); name != "" {
				return name
			}
		}
	}
	return ""
}
