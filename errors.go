package brokle

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Errors of submitting. Use errors.Is.
var (
	// ErrQueueFull: the queue has reached QueueMaxEvents or QueueMaxBytes; the event was not taken.
	ErrQueueFull = errors.New("brokle: queue full")
	// ErrClosed: Close has been called; the event was not taken.
	ErrClosed = errors.New("brokle: client closed")
	// ErrTooLarge: the payload is larger than EventMaxBytes, or than the whole queue; the event was not taken.
	ErrTooLarge = errors.New("brokle: payload too large")
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

// EventError says why one event was not taken or not kept.
type EventError struct {
	EventID string // "" when it was refused before it had one
	Type    EventType
	// Code is the server's, or one of the SDK's: "unknown_event_type", "invalid_payload", "invalid_event_id".
	Code    string
	Message string
	// Retryable is true when the same event may be accepted later.
	Retryable bool
	Err       error // the cause, where there is one
}

func (e *EventError) Error() string {
	var b strings.Builder
	b.WriteString("brokle: event")
	if e.EventID != "" {
		b.WriteString(" " + e.EventID)
	}
	fmt.Fprintf(&b, ": %s", e.Code)
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *EventError) Unwrap() error { return e.Err }

// RequestError is a request that got no answer, or one that is not 2xx.
type RequestError struct {
	Method string
	Path   string // without host and query
	// StatusCode is 0 when no answer came; Err then says why.
	StatusCode int
	// Code and Message are the server's; Code is "http_<status>" when it sent none.
	Code    string
	Message string
	Details json.RawMessage
	// RetryAfter is what the server asked for (RFC 9110 §10.2.3), or 0.
	RetryAfter time.Duration
	Err        error
}

func (e *RequestError) Error() string {
	if e.StatusCode == 0 {
		return fmt.Sprintf("brokle: %s %s: %v", e.Method, e.Path, e.Err)
	}
	return fmt.Sprintf("brokle: %s %s: %d %s: %s", e.Method, e.Path, e.StatusCode, e.Code, e.Message)
}

func (e *RequestError) Unwrap() error { return e.Err }

// Retryable says whether the same request may succeed later: no answer came, or
// one of 408, 429, 500, 502, 503 and 504.
func (e *RequestError) Retryable() bool {
	switch e.StatusCode {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// away says that the server as a whole cannot take requests now, whatever they hold.
func (e *RequestError) away() bool {
	return e.Retryable() && e.StatusCode != http.StatusInternalServerError
}

// PendingError is what Flush and Close return when the context ended first, or
// when events went to the spool.
type PendingError struct {
	// Pending is how many events accepted before the call have no outcome yet.
	// After Close they have been dropped (DropShutdown), but for those spooled.
	Pending int
	// Spooled is how many of them are on disk and will be sent on the next start.
	Spooled int
	Err     error // the context's error, or nil
}

func (e *PendingError) Error() string {
	s := fmt.Sprintf("brokle: %d events without an outcome", e.Pending)
	if e.Spooled > 0 {
		s += fmt.Sprintf(", %d of them in the spool", e.Spooled)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *PendingError) Unwrap() error { return e.Err }
