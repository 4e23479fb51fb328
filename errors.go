package brokle

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/delivery"
	"github.com/brokle-ai/brokle-go/internal/transport"
)

// Errors of submitting. Use errors.Is.
var (
	// ErrQueueFull: the queue has reached QueueMaxEvents or QueueMaxBytes; the event was not taken.
	ErrQueueFull = delivery.ErrQueueFull
	// ErrClosed: Close has been called; the event was not taken.
	ErrClosed = delivery.ErrClosed
	// ErrTooLarge: the payload is larger than EventMaxBytes, or than the whole queue; the event was not taken.
	ErrTooLarge = delivery.ErrTooLarge
	// ErrDisabled: the client has no key or is turned off, and the call needs an answer.
	ErrDisabled = errors.New("brokle: client disabled")
)

// ConfigError is one bad setting.
type ConfigError struct {
	Field   string // of Config
	Env     string // the variable that sets it
	Value   string // as found; "(hidden)" for a key
	Problem string // what it must be
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("brokle: config %s (%s) is %q: %s", e.Field, e.Env, e.Value, e.Problem)
}

// EventError says why one event was not taken or not kept: its EventID, Type, Code and Message, and
// whether it is Retryable.
type EventError = delivery.EventError

// RequestError is a request that got no answer, or one that is not 2xx: its StatusCode (0 without an
// answer), the server's Code, Message and Details, and RetryAfter. Its method Retryable says whether
// the same request may succeed later.
type RequestError = transport.RequestError

// PendingError is what Flush and Close return when the context ended first, or
// when events went to the spool: how many are Pending, and how many of them Spooled.
type PendingError = delivery.PendingError

// IsNotFound says whether err is the server's 404: no such job, trace, observation or event.
func IsNotFound(err error) bool {
	re, ok := errors.AsType[*RequestError](err)
	return ok && re.StatusCode == http.StatusNotFound
}
