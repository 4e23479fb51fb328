package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/clock"
)

// poster sends a body of OTLP in JSON to a path and returns the body of the 200.
type poster func(ctx context.Context, path string, body []byte) ([]byte, error)

func otlpPoster(c *cli.Command) poster {
	return func(ctx context.Context, path string, body []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		answer, err := request(ctx, c, http.MethodPost, path, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		defer func() { _ = answer.Close() }()
		read, err := io.ReadAll(io.LimitReader(answer, callAnswer))
		if err != nil {
			return nil, &brokle.RequestError{Method: http.MethodPost, Path: path, Err: err}
		}
		return read, nil
	}
}

// otlpLine is a line that holds a request of OTLP.
type otlpLine struct {
	line    int
	body    []byte
	request members
}

// isOTLP reads a line that may be a request of OTLP.
func isOTLP(line []byte) (request members, is bool) {
	if !bytes.Contains(line, []byte(`"resourceSpans"`)) && !bytes.Contains(line, []byte(`"resourceLogs"`)) ||
		json.Unmarshal(line, &request) != nil {
		return nil, false
	}
	return request, request["event_type"] == nil && (request["resourceSpans"] != nil || request["resourceLogs"] != nil)
}

// sendOTLP sends what a line holds, again and again while that may help. What was there already is not told from what is
// new: it counts as processed, and is stored once.
func (s *sender) sendOTLP(ctx context.Context, l *otlpLine) error {
	for _, of := range signals {
		n, err := of.count(l.request)
		if err != nil {
			s.fail(failure{Line: l.line, Code: "invalid_line", Message: err.Error()})
			return nil
		}
		if n == 0 {
			continue
		}
		answer, err := s.retried(ctx, of.path, l.body)
		var re *brokle.RequestError
		switch {
		case err == nil:
			s.countOTLP(l, n, answer)
		case errors.As(err, &re) && re.StatusCode != 0 && !re.Retryable() && re.StatusCode != http.StatusUnauthorized && re.StatusCode != http.StatusForbidden:
			s.fail(failure{Line: l.line, Code: re.Code, Message: re.Message})
		default:
			return err
		}
	}
	return nil
}

func (s *sender) retried(ctx context.Context, path string, body []byte) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		answer, err := s.postOTLP(ctx, path, body)
		s.countRequest()
		var re *brokle.RequestError
		if err == nil || !errors.As(err, &re) || !re.Retryable() || attempt > s.retries {
			return answer, err
		}
		wait, again := s.backoff.Next(attempt, re)
		if !again {
			return nil, err
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// countOTLP adds an answer: all of a line, but for what it says was rejected.
func (s *sender) countOTLP(l *otlpLine, n int, answer []byte) {
	var partial struct {
		PartialSuccess struct {
			RejectedSpans, RejectedLogRecords json.Number
			ErrorMessage                      string
		}
	}
	rejected := 0
	if json.Unmarshal(answer, &partial) == nil {
		for _, text := range []json.Number{partial.PartialSuccess.RejectedSpans, partial.PartialSuccess.RejectedLogRecords} {
			if k, err := text.Int64(); err == nil {
				rejected += int(k)
			}
		}
	}
	rejected = min(rejected, n)
	s.mu.Lock()
	s.Processed += n - rejected
	s.mu.Unlock()
	for range rejected {
		s.fail(failure{Line: l.line, Code: "rejected", Message: fmt.Sprintf("%d of %d were rejected: %s", rejected, n, partial.PartialSuccess.ErrorMessage)})
	}
}

// otlpOf is what to do with lines of OTLP; nil when they are lines like any other.
func (s *sender) otlpOf(ctx context.Context) func(*otlpLine) error {
	if s.postOTLP == nil {
		return nil
	}
	return func(l *otlpLine) error { return s.sendOTLP(ctx, l) }
}
