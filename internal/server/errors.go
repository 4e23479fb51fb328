package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/signin"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The codes that this package answers with; ingest has its own for what is
// wrong with a batch. All are listed in docs/api.md.
const (
	codeUnauthorized      = "unauthorized"
	codeForbidden         = "forbidden"
	codeNotFound          = "not_found"
	codeMethodNotAllowed  = "method_not_allowed"
	codeUnknownParameter  = "unknown_parameter"
	codeInvalidParameter  = "invalid_parameter"
	codeInvalidFilter     = "invalid_filter"
	codeBodyTooLarge      = "body_too_large"
	codeDecodedTooLarge   = "decoded_body_too_large"
	codeUnsupportedMedia  = "unsupported_media_type"
	codeUnsupportedCoding = "unsupported_content_encoding"
	codeBadCoding         = "invalid_content_encoding"
	codeIncompleteBody    = "incomplete_body"
	codeBodyTimeout       = "request_timeout"
	codeDuplicates        = ingest.CodeDuplicateEvents
	codeLastAdminKey      = "last_admin_key"
	codeInvalidPrices     = "invalid_prices"
	codeInvalidBudgets    = "invalid_budgets"
	codeInvalidBody       = "invalid_body"
	codeInvalidSQL        = "invalid_sql"
	codeNotAcceptable     = "not_acceptable"
	codeSQLOff            = "sql_off"
	codeDatasetExists     = "dataset_exists"
	codeRepricing         = "repricing_under_way"
	codeShared            = "warehouse_shared"
	codeRateLimited       = "rate_limited"
	codeTooManyFailures   = "too_many_failures"
	codeUnavailable       = "unavailable"
	codeOverloaded        = "overloaded"
	codeQueryTimeout      = "query_timeout"
	codeQueryTooLarge     = "query_too_large"
	codeAnswerTooLarge    = "answer_too_large"
	codeInternal          = "internal"
)

// problem is an error with the answer it gets. What is in message and details is
// shown to the client; cause is for the log.
type problem struct {
	status     int
	code       string
	message    string
	details    any
	retryAfter time.Duration // > 0 sends Retry-After
	header     http.Header   // more headers, or nil
	// batch, when not nil, is sent beside the error (409 of fail_on_duplicate).
	batch *wire.BatchResponse
	cause error
}

func (p *problem) Error() string {
	if p.cause != nil {
		return p.code + ": " + p.cause.Error()
	}
	return p.code + ": " + p.message
}

func (p *problem) Unwrap() error { return p.cause }

func problemf(status int, code, format string, args ...any) *problem {
	return &problem{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// envelope is the body of every answer that is not 2xx.
type envelope struct {
	Error wire.ErrorBody `json:"error"`
}

func (p *problem) body() wire.ErrorBody {
	return wire.ErrorBody{Code: p.code, Message: p.message, Details: p.details}
}

// problemOf finds the answer for any error a handler may return: the one place
// where errors of the other packages become statuses.
func (s *Server) problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var stranger *signin.Refusal
	if errors.As(err, &stranger) {
		return notLetIn(stranger)
	}
	var request *ingest.RequestError
	if errors.As(err, &request) {
		p := problemf(http.StatusBadRequest, request.Code, "%s", request.Message)
		if request.TooLarge {
			p.status = http.StatusRequestEntityTooLarge
		}
		p.details = request.Details
		return p
	}
	var filter *query.FilterError
	if errors.As(err, &filter) {
		return &problem{status: http.StatusBadRequest, code: codeInvalidFilter, message: filter.Error(), details: map[string]any{
			"parameter": query.FilterParam, "position": filter.At, "length": filter.Long, "expected": filter.Expected}}
	}
	var asked *store.QueryError
	if errors.As(err, &asked) {
		return badParameter(asked.Param, "%s", asked.Message)
	}
	if errors.Is(err, store.ErrNotFound) {
		return &problem{status: http.StatusNotFound, code: codeNotFound, message: "there is nothing of this id in the project of this key"}
	}
	if errors.Is(err, store.ErrStarved) {
		// Not a 5xx: clients would send it again.
		return &problem{status: http.StatusUnprocessableEntity, code: codeQueryTooLarge, cause: err,
			message: "the question needs more memory than a question may have: ask for less, such as a shorter time, fewer metrics, groups or conditions"}
	}
	if errors.Is(err, keyring.ErrUnavailable) {
		p := s.unavailable(err)
		p.message = "keys can neither be made nor revoked now: the server cannot read or write them, which /readyz or its log explains; nothing was changed"
		return p
	}
	if errors.Is(err, document.ErrUnavailable) || errors.Is(err, signin.ErrUnavailable) {
		p := s.unavailable(err)
		p.message = "this cannot be changed now: the server cannot read or write what is kept of it, which /readyz or its log explains"
		return p
	}
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return s.unavailable(err)
	}
	return &problem{status: http.StatusInternalServerError, code: codeInternal, message: "the server failed to answer; its log says why", cause: err}
}

// unavailable is the 503 for what may work later. The cause may name paths, so it is only logged.
func (s *Server) unavailable(cause error) *problem {
	return &problem{
		status: http.StatusServiceUnavailable, code: codeUnavailable, retryAfter: s.o.RetryAfter, cause: cause,
		message: "the request cannot be served now; nothing of it was kept, send it again after the seconds of Retry-After",
	}
}

func badParameter(name, format string, args ...any) *problem {
	p := problemf(http.StatusBadRequest, codeInvalidParameter, "parameter %s: %s", name, fmt.Sprintf(format, args...))
	p.details = map[string]string{"parameter": name}
	return p
}

// longestIngestRetry is what Retry-After says at most where telemetry comes in: exporters
// give up at once when it is not below their own deadline, and some have 5 s.
const longestIngestRetry = 4 * time.Second

// retryAfter is the one place where Retry-After is written. Where telemetry comes in, a
// longer wait is not told: the client comes early, and is sent away once more.
func retryAfter(rt route, wait time.Duration) string {
	if rt.format != nil {
		wait = min(wait, longestIngestRetry)
	}
	return strconv.FormatInt(seconds(wait), 10)
}

// seconds rounds up to the whole seconds that Retry-After takes (RFC 9110, section 10.2.3), at least one.
func seconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}
