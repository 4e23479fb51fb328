package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/brokle-ai/brokle-go"
)

// lineEvent is an event and where it stood in the input.
type lineEvent struct {
	line        int
	event       brokle.Event
	environment string // that the line names, or ""
}

// readLines reads JSON Lines: events, or bare payloads that become events of
// type wrap; with no wrap they are bad. It calls take for each event and bad for each line that is none,
// and ends with take's error or that of the input. A line that holds a request of OTLP goes to whole, unless that is nil.
func readLines(in io.Reader, wrap brokle.EventType, take func(lineEvent) error, bad func(line int, err error), whole func(*otlpLine) error) error {
	r := bufio.NewReaderSize(in, 1<<20)
	for n := 1; ; n++ {
		line, readErr := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if request, is := isOTLP(line); is && whole != nil {
				if err := whole(&otlpLine{n, line, request}); err != nil {
					return err
				}
			} else if e, env, err := parseLine(line, wrap); err != nil {
				bad(n, err)
			} else if err := take(lineEvent{n, e, env}); err != nil {
				return err
			}
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			return fmt.Errorf("read line %d: %w", n, readErr)
		}
	}
}

// parseLine reads one line. An object with both event_type and payload is an
// event, and may name its environment; any other object is a payload. An event
// without an id gets one that follows from its content, so that sending the file again adds nothing.
func parseLine(line []byte, wrap brokle.EventType) (e brokle.Event, environment string, err error) {
	if line[0] != '{' || !json.Valid(line) {
		return e, "", errors.New("not a JSON object")
	}
	var keys struct {
		Type        json.RawMessage `json:"event_type"`
		Payload     json.RawMessage `json:"payload"`
		Environment json.RawMessage `json:"environment"`
	}
	if err := json.Unmarshal(line, &keys); err != nil {
		return e, "", err
	}
	switch {
	case keys.Type != nil && keys.Payload != nil:
		if err := json.Unmarshal(line, &e); err != nil {
			return e, "", fmt.Errorf("not an event: %w", err)
		}
		if keys.Environment != nil {
			if err := json.Unmarshal(keys.Environment, &environment); err != nil {
				return e, "", errors.New("not an event: environment must be text")
			}
		}
	case wrap == "":
		return e, "", errors.New("not an event: event_type or payload is missing")
	default:
		e = brokle.Event{Type: wrap, Payload: bytes.Clone(line)}
	}
	if e.ID == "" {
		e.ID = contentID(e)
	}
	return e, environment, nil
}

// contentID is "sha256-" and 40 hex digits over type, time and payload,
// insignificant space aside.
func contentID(e brokle.Event) string {
	var payload bytes.Buffer
	if err := json.Compact(&payload, e.Payload); err != nil {
		payload.Write(e.Payload)
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\x00", e.Type)
	if !e.Timestamp.IsZero() {
		h.Write(e.Timestamp.AppendJSON(nil))
	}
	h.Write([]byte{0})
	h.Write(payload.Bytes())
	return "sha256-" + hex.EncodeToString(h.Sum(nil)[:20])
}

// decompress undoes gzip and zstd, which it knows by their first bytes
// (RFC 1952 §2.3.1, RFC 8878 §3.1.1), whatever the file is called.
func decompress(in io.Reader) (io.Reader, error) {
	r := bufio.NewReader(in)
	magic, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(r)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	}
	return r, nil
}
