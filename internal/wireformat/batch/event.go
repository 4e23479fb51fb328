package batch

import (
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// readEvent adds the element of the events list that comes next to r.
func readEvent(r *ingest.Request, w *jsonbody.Walk, l *wireformat.Limits) {
	if w.Kind() != '{' {
		w.Value()
		unreadable(r, wire.Event{}, extract.CodeInvalidField, "Invalid event format", "each element of events must be a JSON object")
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
			payload = w.Value()
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
		unreadable(r, ev, f.Code, f.Message, f.Details)
		return
	}
	if ev.ID == "" {
		missing(r, ev, "event_id", "a string of 1 to 128 printable ASCII characters without space")
		return
	}
	if typ.Given() {
		var text string
		text, isText = rawjson.Unquote(typ.Raw)
		ev.Type = wire.EventType(text)
	}
	switch {
	case !isText:
		unreadable(r, ev, extract.CodeInvalidField, "Invalid event_type", "event_type must be a string")
	case ev.Type == "":
		missing(r, ev, "event_type", "a string such as trace_create")
	case !payload.Given():
		missing(r, ev, "payload", "a JSON object")
	default:
		jsonbody.Take(r, ev, note, &payload, l)
	}
}

func missing(r *ingest.Request, ev wire.Event, field, must string) {
	unreadable(r, ev, extract.CodeMissingField, "Missing required field '"+field+"'", "an event needs "+field+", "+must)
}

// unreadable adds an event that is not there as a whole.
func unreadable(r *ingest.Request, ev wire.Event, code, message, details string) {
	r.Faults = append(r.Faults, ingest.Fault{Index: len(r.Events), Err: wire.BatchEventError{Code: code, Message: message, Details: details}})
	r.Events = append(r.Events, ev)
}
