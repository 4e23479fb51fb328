package batch

import (
	"net/http"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// Format implements wireformat.Format.
type Format struct{}

// Name implements wireformat.Format.
func (Format) Name() string { return "" }

// Paths implements wireformat.Format.
func (Format) Paths() []string { return []string{"/v1/telemetry/batch", "/v1/ingest/batch"} }

// Accepts implements wireformat.Format.
func (Format) Accepts(h http.Header) string { return jsonbody.Accepts(h) }

// Decode implements wireformat.Format.
func (Format) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	var r *ingest.Request
	err := jsonbody.Object(in.Body, in.Limits.MaxDepth, func(w *jsonbody.Walk) (err error) {
		r, err = read(in, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// read reads the envelope. The last of two members with one name counts.
func read(in *wireformat.Incoming, w *jsonbody.Walk) (*ingest.Request, error) {
	r := &ingest.Request{Dedup: dedupOf(wire.DefaultDeduplication())}
	events := jsonbody.NewEvents(in, r)
	var kind byte // of the value of events; 0 when there is none
	var environment, async []byte
	for key := range w.Members() {
		var err error
		switch string(key) {
		case "events":
			if kind = w.Kind(); kind == '[' {
				err = readEvents(events, in, w)
			}
		case "environment":
			environment = w.Value().Raw
			_, err = environmentOf(environment, nil)
		case "deduplication":
			v := w.Value()
			r.Dedup, err = readDedup(&v)
		case "async_mode":
			async = w.Value().Raw
		case "async": // what some clients call it; async_mode beats it
			if v := w.Value(); async == nil {
				async = v.Raw
			}
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	if r.Async, err = flag("async_mode", async, false, wireformat.CodeInvalidField); err != nil {
		return nil, err
	}
	if err := someEvents(kind, len(r.Events)); err != nil {
		return nil, err
	}
	r.Environment, err = environmentOf(environment, in.Header)
	return r, err
}

// environmentOf is the environment that the body names, or else the header.
func environmentOf(raw []byte, h http.Header) (string, error) {
	text, ok := "", true
	if len(raw) > 0 && raw[0] != 'n' {
		text, ok = rawjson.Unquote(raw)
	}
	if !ok {
		return "", wireformat.BadEnvironment()
	}
	name, err := wireformat.Environment(text, h.Get("X-Environment"))
	return strings.Clone(name), err // it is kept longer than the body
}

// someEvents refuses a batch whose events are not a list of at least one.
func someEvents(kind byte, n int) error {
	switch {
	case kind == 0 || kind == 'n':
		return &ingest.RequestError{Code: wireformat.CodeEmptyBatch, Message: "events is missing; a batch holds at least one event"}
	case kind != '[':
		return &ingest.RequestError{Code: wireformat.CodeInvalidField, Message: "events must be a list"}
	case n == 0:
		return wireformat.Empty("events")
	}
	return nil
}

// readEvents reads the list that comes next in the envelope.
func readEvents(events *jsonbody.Events, in *wireformat.Incoming, w *jsonbody.Walk) error {
	events.Clear() // the last of two lists counts
	for i := range w.Elements() {
		if i == in.Limits.MaxEvents {
			return in.Limits.TooMany()
		}
		readEvent(events, w)
	}
	return nil
}

// readEvent adds the element of the events list that comes next.
func readEvent(events *jsonbody.Events, w *jsonbody.Walk) {
	if w.Kind() != '{' {
		w.Value()
		events.Refuse(wire.Event{}, extract.CodeInvalidField, "Invalid event format", "each element of events must be a JSON object")
		return
	}
	var id, typ, timestamp, payload jsonbody.Value // the last of each counts
	for key := range w.Members() {
		switch string(key) {
		case "event_id":
			id = w.Value()
		case "event_type":
			typ = w.Value()
		case "payload":
			payload = events.Payload(w)
		case "timestamp":
			timestamp = w.Value()
		}
	}
	var ev wire.Event
	var note string
	ev.Timestamp, note = jsonbody.Time(timestamp.Raw)
	isText := true
	if id.Given() {
		ev.ID, isText = rawjson.Unquote(id.Raw)
	}
	if !isText {
		f := ingest.InvalidID()
		events.Refuse(ev, f.Code, f.Message, f.Details)
		return
	}
	if ev.ID == "" {
		missing(events, ev, "event_id", "a string of 1 to 128 printable ASCII characters without space")
		return
	}
	if typ.Given() {
		var text string
		text, isText = rawjson.Unquote(typ.Raw)
		ev.Type = wire.EventType(text)
	}
	switch {
	case !isText:
		events.Refuse(ev, extract.CodeInvalidField, "Invalid event_type", "event_type must be a string")
	case ev.Type == "":
		missing(events, ev, "event_type", "a string such as trace_create")
	case !payload.Given():
		missing(events, ev, "payload", "a JSON object")
	default:
		events.Take(ev, note, &payload)
	}
}

func missing(events *jsonbody.Events, ev wire.Event, field, must string) {
	events.Refuse(ev, extract.CodeMissingField, "Missing required field '"+field+"'", "an event needs "+field+", "+must)
}
