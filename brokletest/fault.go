package brokletest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Fault is what happens to one batch. The zero Fault is none. Delay comes first; then
// HangUp, Status or FailEvents.
type Fault struct {
	// Delay waits before anything is read of the batch.
	Delay time.Duration
	// Status, when not 0, is answered instead, and nothing is stored.
	Status int
	// Code and Message are the error's; they have defaults.
	Code, Message string
	// RetryAfter is sent in whole seconds, rounded up; 0 sends none.
	RetryAfter time.Duration
	// HangUp cuts the connection.
	HangUp HangUp
	// FailEvents refuses single events: an error means that this one fails with it. A
	// nil result lets it pass.
	FailEvents func(brokle.Event) *brokle.BatchEventError
}

// HangUp says when the connection is cut.
type HangUp uint8

// The moments. AfterStore is the nasty one: the events are kept, the client cannot know.
const (
	NoHangUp HangUp = iota
	BeforeStore
	AfterStore
)

// Status is a Fault that answers with a status, and nothing stored.
func Status(status int) Fault { return Fault{Status: status} }

// Unavailable is a 503 with Retry-After.
func Unavailable(retryAfter time.Duration) Fault {
	return Fault{Status: http.StatusServiceUnavailable, RetryAfter: retryAfter}
}

// OK is no fault: a place in a script where the batch goes through.
func OK() Fault { return Fault{} }

// Every makes a rule of a fault for every n-th batch.
func Every(n int, f Fault) func(int, *brokle.BatchRequest) Fault {
	return func(i int, _ *brokle.BatchRequest) Fault {
		if i%n == 0 {
			return f
		}
		return Fault{}
	}
}

// transport carries requests to the server without a network.
type transport struct{ s *Server }

var errHungUp = errors.New("brokletest: connection cut")

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	var body []byte
	if req.Body != nil {
		body, err = io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
	}
	defer func() {
		if r := recover(); r == http.ErrAbortHandler {
			resp, err = nil, errHungUp
			if gone := req.Context().Err(); gone != nil {
				err = gone
			}
		} else if r != nil {
			panic(r)
		}
	}()
	in := req.Clone(req.Context())
	in.Body, in.RequestURI = io.NopCloser(bytes.NewReader(body)), req.URL.RequestURI()
	rec := httptest.NewRecorder()
	t.s.ServeHTTP(rec, in)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	resp = rec.Result()
	resp.Request = req
	return resp, nil
}
