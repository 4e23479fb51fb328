package main

import (
	"errors"
	"slices"
	"strconv"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// The floor's decoders do not change with the server's, so that its figures can be held against
// those of earlier tables. BenchmarkDecoder holds them against the server's.

// pinned says which decoder the floor has.
const pinned = "Its decoder is pinned: the server's of commit e2d5f73, as far as a batch needs it."

// pinnedSpans says the same for OpenTelemetry's protocol.
const pinnedSpans = "Its decoder is pinned: OpenTelemetry's own Go messages, at half of what the server's decoder cost at commit e2d5f73, which floors had until then."

var errNoBatch = errors.New("no batch of events")

// floorEvent is an event as it lies in the body.
type floorEvent struct {
	id, typ, payload []byte
	at               float64
}

// decodeBatch reads a request of brokle's API: all of it must be JSON in UTF-8, and every event must
// have an id, a type and a payload that is an object.
func decodeBatch(body []byte) (events []floorEvent, err error) {
	w := &floorWalk{data: body, open: make([]byte, 0, 32)}
	for more := w.enter('{', '}'); more; more = w.next() {
		if string(w.name()) != "events" {
			w.value()
			continue
		}
		const typical = 600 // bytes of an event
		events = make([]floorEvent, 0, len(body)/typical+4)
		for more := w.enter('[', ']'); more; more = w.next() {
			e, ok := decodeEvent(w)
			if !ok {
				return nil, errNoBatch
			}
			events = append(events, e)
		}
	}
	if w.kind(); w.bad || w.pos != len(body) {
		return nil, errNoBatch
	}
	return events, nil
}

// decodeEvent reads the event that comes next.
func decodeEvent(w *floorWalk) (e floorEvent, ok bool) {
	for more := w.enter('{', '}'); more; more = w.next() {
		name := w.name()
		value := w.value()
		switch string(name) {
		case "event_id":
			e.id = value
		case "event_type":
			e.typ = value
		case "payload":
			e.payload = value
		case "timestamp":
			at, err := strconv.ParseFloat(string(value), 64)
			if err != nil {
				return e, false
			}
			e.at = at
		}
	}
	empty := len(`""`)
	return e, !w.bad && len(e.id) > empty && e.id[0] == '"' && len(e.typ) > empty && e.typ[0] == '"' && len(e.payload) > 0 && e.payload[0] == '{'
}

// decodeSpans reads a request of spans in protobuf.
func decodeSpans(body []byte) (events []floorEvent, err error) {
	var data trace.TracesData // on the wire the same as the request
	if err := proto.Unmarshal(body, &data); err != nil {
		return nil, err
	}
	for _, rs := range data.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				events = append(events, floorEvent{id: slices.Concat(s.TraceId, s.SpanId)})
			}
		}
	}
	return events, nil
}
