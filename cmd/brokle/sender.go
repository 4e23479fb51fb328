package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/clock"
)

const (
	batchBytes   = 4 << 20 // of payloads in one request; a larger event goes alone
	shownErrors  = 10      // failures that the report lists
	maxSendBatch = 1000    // the contract's most events in a request
)

// sender turns lines into requests, and counts what became of them.
type sender struct {
	size, concurrency, retries int
	wrap                       brokle.EventType // of bare payloads; "": they fail
	environment                string           // of all events, whatever their lines say; "": what they say
	file                       string           // that the lines are from, where there are several
	ttl                        time.Duration
	backoff                    brokle.RetryPolicy
	post                       func(context.Context, *brokle.BatchRequest) (*brokle.BatchResponse, error)
	postOTLP                   poster // nil: a line of OTLP is one like any other

	mu sync.Mutex // guards tally while run is under way
	tally
}

// tally is the outcome of a send, and its JSON.
type tally struct {
	Processed int       `json:"processed"`
	Duplicate int       `json:"duplicate"`
	Failed    int       `json:"failed"`
	Requests  int       `json:"requests"`
	Seconds   float64   `json:"seconds"`
	Errors    []failure `json:"errors"` // the first few
}

// failure is one event that did not go in.
type failure struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line"`
	EventID string `json:"event_id"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Details string `json:"details"`
}

func (f failure) text() string {
	s := f.Message
	if f.Details != "" {
		s += " (" + f.Details + ")"
	}
	if f.EventID != "" {
		s = "event " + f.EventID + ": " + s
	}
	s = fmt.Sprintf("line %d: %s", f.Line, s)
	if f.File != "" {
		s = f.File + ", " + s
	}
	return oneLine(s)
}

func (s *sender) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(s.size >= 1 && s.size <= maxSendBatch, "--batch-size is %d: must be 1 to %d", s.size, maxSendBatch)
	check(s.concurrency >= 1 && s.concurrency <= 64, "--concurrency is %d: must be 1 to 64", s.concurrency)
	check(s.retries >= 0 && s.retries <= 1000, "--max-retries is %d: must be 0 to 1000", s.retries)
	check(s.ttl >= brokle.MinDedupTTL*time.Second && s.ttl <= brokle.MaxDedupTTL*time.Second, "--dedup-ttl is %s: must be 1m to 24h", s.ttl)
	_, known := s.wrap.Canonical()
	check(known || s.wrap == "", "--type is %q: must be an event type, such as %s", s.wrap, brokle.EventCreate)
	return errors.Join(errs...)
}

// run sends all of in. Its error is what stopped it early: the input, a server
// out of reach, a key that is refused.
func (s *sender) run(ctx context.Context, in io.Reader) error {
	if s.Errors == nil {
		s.Errors = []failure{}
	}
	g, ctx := errgroup.WithContext(ctx)
	batches := make(chan []lineEvent)
	g.Go(func() error {
		defer close(batches)
		return s.split(ctx, in, batches)
	})
	for range s.concurrency {
		g.Go(func() error {
			for b := range batches {
				if err := s.send(ctx, b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// split reads lines into batches, each of one environment.
func (s *sender) split(ctx context.Context, in io.Reader, out chan<- []lineEvent) error {
	pending := batches{}
	put := func(b []lineEvent) error {
		if len(b) == 0 {
			return nil
		}
		select {
		case out <- b:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := readLines(in, s.wrap, func(e lineEvent) error {
		if s.environment != "" {
			e.environment = s.environment
		}
		if pending.bytes[e.environment]+len(e.event.Payload) > batchBytes {
			if err := put(pending.take(e.environment)); err != nil {
				return err
			}
		}
		if pending.add(e) >= s.size {
			return put(pending.take(e.environment))
		}
		if pending.total <= pendingBytes && len(pending.events) <= pendingBatches {
			return nil
		}
		return pending.all(put)
	}, func(line int, err error) {
		s.fail(failure{Line: line, Code: "invalid_line", Message: err.Error()})
	}, s.otlpOf(ctx))
	if err != nil {
		return err
	}
	return pending.all(put)
}

// send posts one batch, again and again with the same ids while that may help.
func (s *sender) send(ctx context.Context, batch []lineEvent) error {
	req := &brokle.BatchRequest{Environment: batch[0].environment, Events: make([]brokle.Event, len(batch))}
	req.Deduplication = &brokle.Deduplication{Enabled: true, TTL: int(s.ttl / time.Second), UseRedisCache: true}
	for i, e := range batch {
		req.Events[i] = e.event
	}
	for attempt := 1; ; attempt++ {
		resp, err := s.post(ctx, req)
		s.countRequest()
		if err == nil {
			s.count(batch, resp)
			return nil
		}
		var re *brokle.RequestError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &re) && re.Retryable() && attempt <= s.retries:
			wait, again := s.backoff.Next(attempt, re)
			if again {
				if err := clock.Sleep(ctx, wait); err != nil {
					return err
				}
				continue
			}
			return err
		case re == nil || re.Retryable() || re.StatusCode == http.StatusUnauthorized || re.StatusCode == http.StatusForbidden:
			return err // the next batch would fare no better
		}
		for _, e := range batch {
			s.fail(failure{Line: e.line, EventID: e.event.ID, Code: re.Code, Message: re.Message})
		}
		return nil
	}
}

func (s *sender) countRequest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Requests++
}

// count adds an answer. The server lists failures by event id; the line is
// that of the first event with this id that has no failure yet.
func (s *sender) count(batch []lineEvent, resp *brokle.BatchResponse) {
	lines := make(map[string][]int, len(resp.Errors))
	for _, e := range resp.Errors {
		lines[e.EventID] = nil
	}
	for _, e := range batch {
		if l, failed := lines[e.event.ID]; failed {
			lines[e.event.ID] = append(l, e.line)
		}
	}
	s.mu.Lock()
	s.Processed += resp.ProcessedEvents
	s.Duplicate += resp.DuplicateEvents
	s.mu.Unlock()
	for _, e := range resp.Errors {
		line := 0
		if l := lines[e.EventID]; len(l) > 0 {
			line, lines[e.EventID] = l[0], l[1:]
		}
		s.fail(failure{Line: line, EventID: e.EventID, Code: e.Code, Message: e.Message, Details: e.Details})
	}
}

func (s *sender) fail(f failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Failed++
	f.File = s.file
	if len(s.Errors) < shownErrors {
		s.Errors = append(s.Errors, f)
	}
}
