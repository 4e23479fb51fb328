package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// fakeServer answers batches as the test says and remembers them.
type fakeServer struct {
	mu      sync.Mutex // guards batches
	batches []*brokle.BatchRequest
	answer  func(call int, req *brokle.BatchRequest) (*brokle.BatchResponse, error)
}

func (f *fakeServer) post(_ context.Context, req *brokle.BatchRequest) (*brokle.BatchResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, req)
	if f.answer == nil {
		return &brokle.BatchResponse{ProcessedEvents: len(req.Events)}, nil
	}
	return f.answer(len(f.batches), req)
}

// atOnce is a retry policy without waiting that remembers what it was asked.
type atOnce struct {
	mu    sync.Mutex // guards asked
	asked []time.Duration
}

func (a *atOnce) Next(_ int, err *brokle.RequestError) (time.Duration, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, err.RetryAfter)
	return 0, true
}

func newTestSender(f *fakeServer) *sender {
	return &sender{size: 10, concurrency: 1, retries: 3, wrap: brokle.EventCreate, ttl: time.Hour, backoff: &atOnce{}, post: f.post}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":%d}\n", i)
	}
	return b.String()
}

func TestSenderSplitsIntoBatches(t *testing.T) {
	t.Parallel()
	f := &fakeServer{}
	s := newTestSender(f)
	s.concurrency, s.environment = 3, "staging"
	if err := s.run(t.Context(), strings.NewReader(lines(25))); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, b := range f.batches {
		if len(b.Events) > 10 || b.Environment != "staging" || b.Deduplication.TTL != 3600 {
			t.Errorf("%d events, environment %q, %+v", len(b.Events), b.Environment, b.Deduplication)
		}
		for _, e := range b.Events {
			ids[e.ID] = true
		}
	}
	if len(ids) != 25 || s.Processed != 25 || s.Requests != 3 || s.Failed != 0 {
		t.Errorf("%d ids, %+v", len(ids), s.tally)
	}
}

func TestSenderBoundsBytes(t *testing.T) {
	t.Parallel()
	f := &fakeServer{}
	s := newTestSender(f)
	big := fmt.Sprintf("{\"text\":%q}\n", strings.Repeat("x", 3<<20))
	if err := s.run(t.Context(), strings.NewReader("{}\n"+big+big+"{}\n")); err != nil {
		t.Fatal(err)
	}
	if len(f.batches) != 2 {
		t.Errorf("%d batches for twice 3 MiB, want 2 of at most 4 MiB", len(f.batches))
	}
}

func TestSenderRetriesWithTheSameIDs(t *testing.T) {
	t.Parallel()
	f := &fakeServer{answer: func(call int, req *brokle.BatchRequest) (*brokle.BatchResponse, error) {
		switch call {
		case 1:
			return nil, &brokle.RequestError{Err: errors.New("connection refused")}
		case 2:
			return nil, &brokle.RequestError{StatusCode: http.StatusServiceUnavailable, RetryAfter: 5 * time.Second}
		}
		return &brokle.BatchResponse{DuplicateEvents: len(req.Events)}, nil
	}}
	s := newTestSender(f)
	policy := &atOnce{}
	s.backoff = policy
	if err := s.run(t.Context(), strings.NewReader(lines(4))); err != nil {
		t.Fatal(err)
	}
	if s.Duplicate != 4 || s.Requests != 3 {
		t.Errorf("%+v", s.tally)
	}
	for _, b := range f.batches[1:] {
		for i, e := range b.Events {
			if e.ID != f.batches[0].Events[i].ID {
				t.Error("a retry has other ids")
			}
		}
	}
	if len(policy.asked) != 2 || policy.asked[1] != 5*time.Second {
		t.Errorf("the policy heard of %v, want the server's Retry-After last", policy.asked)
	}
}

func TestSenderGivesUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status   int
		requests int
	}{{0, 4}, {503, 4}, {401, 1}, {403, 1}} {
		f := &fakeServer{answer: func(int, *brokle.BatchRequest) (*brokle.BatchResponse, error) {
			return nil, &brokle.RequestError{StatusCode: tc.status, Err: errors.New("no")}
		}}
		s := newTestSender(f)
		err := s.run(t.Context(), strings.NewReader(lines(30)))
		var re *brokle.RequestError
		if !errors.As(err, &re) || s.Requests != tc.requests {
			t.Errorf("status %d: %v after %d requests, want its error after %d", tc.status, err, s.Requests, tc.requests)
		}
	}
}

func TestSenderCountsFailures(t *testing.T) {
	t.Parallel()
	f := &fakeServer{answer: func(call int, req *brokle.BatchRequest) (*brokle.BatchResponse, error) {
		if call == 2 {
			return nil, &brokle.RequestError{StatusCode: http.StatusRequestEntityTooLarge, Code: "body_too_large", Message: "too large"}
		}
		return &brokle.BatchResponse{ProcessedEvents: len(req.Events) - 1, FailedEvents: 1, Errors: []brokle.BatchEventError{
			{EventID: req.Events[3].ID, Code: "missing_field", Message: "Missing required field 'name'", Details: "a string"},
		}}, nil
	}}
	s := newTestSender(f)
	if err := s.run(t.Context(), strings.NewReader("\n"+lines(12)+"no json\n")); err != nil {
		t.Fatal(err)
	}
	if s.Processed != 9 || s.Failed != 1+2+1 || len(s.Errors) != 4 {
		t.Fatalf("%+v", s.tally)
	}
	byLine := map[int]string{}
	for _, e := range s.Errors {
		byLine[e.Line] = e.Code
	}
	for line, code := range map[int]string{5: "missing_field", 12: "body_too_large", 13: "body_too_large", 14: "invalid_line"} {
		if byLine[line] != code {
			t.Errorf("line %d: %q, want %q; all: %v", line, byLine[line], code, byLine)
		}
	}
}

func TestSenderValidates(t *testing.T) {
	t.Parallel()
	s := &sender{size: 1001, concurrency: 0, retries: -1, ttl: time.Second, wrap: "nonsense"}
	err := s.validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, flag := range []string{"--batch-size", "--concurrency", "--max-retries", "--dedup-ttl", "--type"} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is missing in: %v", flag, err)
		}
	}
}
