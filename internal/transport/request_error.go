package transport

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

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

// readError makes the *RequestError of an answer that is not 2xx, whatever its body is.
func readError(r *request, resp *http.Response) *RequestError {
	e := &RequestError{
		Method: r.method, Path: r.path, StatusCode: resp.StatusCode,
		Code:       "http_" + strconv.Itoa(resp.StatusCode),
		Message:    http.StatusText(resp.StatusCode),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxError)) // what came of it is enough
	var body struct {
		Error struct {
			Code, Message string
			Details       json.RawMessage
		}
	}
	if json.Unmarshal(raw, &body) == nil && body.Error.Code != "" {
		e.Code, e.Message, e.Details = body.Error.Code, body.Error.Message, body.Error.Details
	}
	e.Err = &answerBody{raw}
	return e
}

// answerBody keeps the raw body of a refused request for those who know more about it.
type answerBody struct{ raw []byte }

func (b *answerBody) Error() string { return fmt.Sprintf("answer of %d bytes", len(b.raw)) }

// retryAfter reads seconds or an HTTP date (RFC 9110 §10.2.3).
func retryAfter(v string) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseFloat(v, 64); err == nil && n > 0 && n < 1e6 {
		return time.Duration(n * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
