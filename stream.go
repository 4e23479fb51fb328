package brokle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/transport"
)

const pathStream = "/v1/telemetry/stream"

// maxStreamLine bounds one line of the stream: a payload and its envelope.
const maxStreamLine = 80 << 20

// Stream iterates over the project's events as the server accepts them (Server-Sent
// Events, WHATWG HTML §9.2). When the connection breaks it goes on behind the last event seen. It ends when ctx
// does, silently, or with the error of a server that does not stream or refuses; a *RequestError.
// The Environment of an event is the one it names itself, else that of its batch.
func (c *Client) Stream(ctx context.Context, filter Filter) iter.Seq2[StoredEvent, error] {
	return func(yield func(StoredEvent, error) bool) {
		if !c.enabled() {
			yield(StoredEvent{}, ErrDisabled)
			return
		}
		s := &stream{t: c.transport, query: params(filter)}
		for attempt := 1; ctx.Err() == nil; attempt++ {
			seen := s.seen
			more, err := s.read(ctx, yield)
			if !more || ctx.Err() != nil {
				return
			}
			re, ok := errors.AsType[*RequestError](err)
			if err != nil && (!ok || !re.Retryable()) {
				yield(StoredEvent{}, err)
				return
			}
			if re == nil {
				re = &RequestError{Method: http.MethodGet, Path: pathStream, Err: io.ErrUnexpectedEOF}
			}
			if s.seen != seen {
				attempt = 1
			}
			wait, again := c.cfg.Retry.Next(attempt, re)
			if !again {
				yield(StoredEvent{}, re)
				return
			}
			_ = clock.Sleep(ctx, max(wait, s.retry)) // the loop asks ctx
		}
	}
}

type stream struct {
	t     *transport.Transport
	query url.Values
	last  string        // id of the last event: where to go on
	seen  int           // events
	retry time.Duration // what the server asked for
}

// read follows one connection to its end. more false: the caller wants no more.
func (s *stream) read(ctx context.Context, yield func(StoredEvent, error) bool) (more bool, err error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	if s.last != "" {
		header.Set("Last-Event-ID", s.last)
	}
	resp, err := s.t.Open(ctx, pathStream, s.query, header)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	return s.messages(resp.Body, yield)
}

// messages splits the stream into its messages.
func (s *stream) messages(r io.Reader, yield func(StoredEvent, error) bool) (more bool, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxStreamLine)
	var data []byte
	id := s.last
	for lines.Scan() {
		name, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			data = append(append(data, value...), '\n')
		case "id":
			id = string(value)
		case "retry":
			if d, err := time.ParseDuration(string(value) + "ms"); err == nil && d >= 0 {
				s.retry = d
			}
		case "": // a blank line ends a message, a line that begins with ':' is a comment
			if len(lines.Bytes()) > 0 {
				continue
			}
			if len(data) == 0 { // an id alone says how far the server has looked
				s.last = id
				continue
			}
			ev, err := storedEvent(data)
			if err != nil {
				return true, fmt.Errorf("brokle: decode streamed event: %w", err)
			}
			data, s.last = data[:0], id
			if ev.EventID == "" { // not an event: a greeting or a notice
				continue
			}
			s.seen++
			if !yield(ev, nil) {
				return false, nil
			}
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return true, fmt.Errorf("brokle: read stream: %w", lines.Err())
	}
	return true, nil // broken or ended: go on behind what was seen
}

// storedEvent reads a message's data: an event as on the wire, and where it came from.
func storedEvent(data []byte) (StoredEvent, error) {
	var ev Event
	if err := json.Unmarshal(data, &ev); err != nil {
		return StoredEvent{}, err
	}
	var from struct {
		ReceivedAt  time.Time `json:"received_at"`
		BatchID     string    `json:"batch_id"`
		Environment string    `json:"environment"`
	}
	if err := json.Unmarshal(data, &from); err != nil {
		return StoredEvent{}, err
	}
	return StoredEvent{
		EventID: ev.ID, EventType: ev.Type, Timestamp: ev.Timestamp.Time, Payload: ev.Payload,
		ReceivedAt: from.ReceivedAt, BatchID: from.BatchID, Environment: from.Environment,
	}, nil
}
