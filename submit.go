package brokle

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// SubmitBatchEvent takes an event for the background and returns its id, a new
// ULID; its timestamp is now. It never blocks and never does input or output.
//
// payload becomes a JSON object: a struct, a map, a json.RawMessage (sent as it is), or a
// Trace, Observation or Score (its zero fields are left out). It is marshalled before
// the call returns, so the caller may change it afterwards.
//
// The errors are ErrQueueFull, ErrClosed, ErrTooLarge, and an *EventError for
// an unknown type or a payload that is no JSON object; the event was then not
// taken and is counted in Metrics.Refused. After nil, OnOutcome and the metrics tell its fate.
// A client that is nil or disabled returns "" and nil.
func (c *Client) SubmitBatchEvent(t EventType, payload any) (string, error) {
	if !c.enabled() {
		return "", nil
	}
	return c.proc.submit("", t, time.Time{}, payload)
}

// SubmitEvent is SubmitBatchEvent for an event that brings its own id and
// time, for ids derived from content or times in the past. An empty ID gets a new ULID, a zero Timestamp
// is now.
func (c *Client) SubmitEvent(ev Event) (string, error) {
	if !c.enabled() {
		return "", nil
	}
	if ev.ID != "" && !ValidID(ev.ID) {
		c.proc.gate.refused[refusedInvalid].Add(1)
		return "", &EventError{Type: ev.Type, Code: "invalid_event_id", Message: "an id is 1 to 128 printable ASCII characters without space"}
	}
	return c.proc.submit(ev.ID, ev.Type, ev.Timestamp.Time, ev.Payload)
}

// SubmitTelemetry takes data as an event_create. See SubmitBatchEvent.
func (c *Client) SubmitTelemetry(data any) error {
	return c.SubmitTelemetryAs(EventCreate, data)
}

// SubmitTelemetryAs is SubmitBatchEvent for callers who do not need the id.
func (c *Client) SubmitTelemetryAs(t EventType, data any) error {
	_, err := c.SubmitBatchEvent(t, data)
	return err
}

// scratch is the memory in which a payload is marshalled; it is used again.
type scratch struct {
	buf bytes.Buffer
	enc *json.Encoder
}

// scratchKeep is the largest buffer kept for the next event.
const scratchKeep = 1 << 20

func newScratchPool() *sync.Pool {
	return &sync.Pool{New: func() any {
		s := &scratch{}
		s.enc = json.NewEncoder(&s.buf)
		s.enc.SetEscapeHTML(false)
		return s
	}}
}

// marshal returns the payload as JSON, valid until the scratch is used again. raw
// says that bytes of the caller are in it that were not looked into.
func (s *scratch) marshal(payload any) (b []byte, raw bool, err error) {
	switch v := payload.(type) {
	case json.RawMessage:
		return bytes.TrimSpace(v), true, nil
	case []byte:
		return bytes.TrimSpace(v), true, nil
	case string: // a JSON text, as command lines and files have it
		s.buf.Reset()
		s.buf.WriteString(strings.TrimSpace(v))
		return s.buf.Bytes(), true, nil
	}
	s.buf.Reset()
	dst, ok, unread, err := appendPayload(s.buf.AvailableBuffer(), payload)
	if ok {
		s.buf.Write(dst) // copies only when it grew out of the buffer, which then grows too
		return dst, unread, nil
	}
	if err != nil {
		return nil, false, err
	}
	if err := s.enc.Encode(payload); err != nil {
		return nil, false, err
	}
	return bytes.TrimSuffix(s.buf.Bytes(), []byte("\n")), false, nil
}

// submit is the caller's path.
func (p *processor) submit(id string, t EventType, at time.Time, payload any) (string, error) {
	if err := p.gate.check(); err != nil {
		return "", err
	}
	typ, ok := t.Canonical()
	if !ok {
		p.gate.refused[refusedInvalid].Add(1)
		return "", &EventError{EventID: id, Type: t, Code: "unknown_event_type", Message: "the types are those of EventType"}
	}
	s := p.scratch.Get().(*scratch)
	defer func() {
		if s.buf.Cap() <= scratchKeep {
			p.scratch.Put(s)
		}
	}()
	body, raw, err := s.marshal(payload)
	if err != nil || len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		p.gate.refused[refusedInvalid].Add(1)
		return "", &EventError{EventID: id, Type: t, Code: "invalid_payload", Message: "a payload must be a JSON object", Err: err}
	}
	if len(body) > p.cfg.EventMaxBytes {
		p.gate.refused[refusedLarge].Add(1)
		return "", ErrTooLarge
	}
	now := time.Now()
	if at.IsZero() {
		at = now
	}
	var auto ulid.ULID
	if id == "" {
		auto = wire.NextID(uint64(now.UnixMilli()))
	}
	if p.sampler != nil && !p.sampler.keep(typ, id, auto, body) {
		return p.acceptSampled(id, auto, typ)
	}
	return p.enqueue(id, auto, typ, at, now, body, raw)
}

// enqueue copies the event into the queue, or refuses it.
func (p *processor) enqueue(id string, auto ulid.ULID, t EventType, at, now time.Time, body []byte, raw bool) (string, error) {
	wireID := id
	if id != "" && strings.ContainsAny(id, `"\`) {
		wireID = quoteID(id)
	}
	room := eventOverhead + max(len(wireID), ulid.EncodedSize) + len(t) + len(body)
	p.mu.Lock()
	if err := p.admit(room); err != nil {
		p.mu.Unlock()
		return "", err
	}
	e := p.tailFor(room).put(wireID, auto, t, At(at), body)
	e.raw, e.at, e.epoch = raw, now.Sub(p.began), p.epoch
	if id == "" {
		id = string(e.data[idStart:e.idEnd])
	}
	wake := p.accept(e)
	p.mu.Unlock()
	if wake {
		p.signal()
	}
	return id, nil
}
