package ingest

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// eventKeys are the keys of one event as written; the last of each counts.
type eventKeys struct{ id, typ, payload, timestamp []byte }

// noteTime is the note of an event whose timestamp says no time, or one that cannot be kept.
const noteTime = "timestamp could not be read, the time of receipt was taken: it must be Unix seconds, milliseconds, microseconds or " +
	"nanoseconds, or a text such as RFC 3339, from 1970 to 9999"

// readEvent reads the element of the events list that comes next. It checks the
// shape only; check does the rest. noTime says that it has a timestamp that could not be read.
func readEvent(ev *wire.Event, elements *rawjson.Elements) (fault *wire.BatchEventError, noTime bool) {
	if elements.Kind() != '{' {
		elements.Value()
		return &wire.BatchEventError{Code: extract.CodeInvalidField, Message: "Invalid event format",
			Details: "each element of events must be a JSON object"}, false
	}
	var k eventKeys
	members := elements.Object()
	for {
		key, value, ok := members.Next()
		if !ok {
			break
		}
		switch string(key) {
		case "event_id":
			k.id = value
		case "event_type":
			k.typ = value
		case "payload":
			k.payload = value
		case "timestamp":
			k.timestamp = value
		}
	}
	elements.Leave(&members)
	if given(k.timestamp) {
		noTime = ev.Timestamp.UnmarshalJSON(k.timestamp) != nil
	}
	return k.into(ev), noTime
}

func (k *eventKeys) into(ev *wire.Event) *wire.BatchEventError {
	var ok bool
	if given(k.payload) {
		ev.Payload = k.payload
	}
	if given(k.id) {
		if ev.ID, ok = rawjson.Unquote(k.id); !ok {
			return badID(ev)
		}
	}
	if ev.ID == "" {
		return missing(ev, "event_id", "a string of 1 to 128 printable ASCII characters without space")
	}
	if given(k.typ) {
		typ, ok := rawjson.Unquote(k.typ)
		if !ok {
			return &wire.BatchEventError{EventID: echoID(ev.ID), Code: extract.CodeInvalidField,
				Message: "Invalid event_type", Details: "event_type must be a string"}
		}
		ev.Type = wire.EventType(typ)
	}
	if ev.Type == "" {
		return missing(ev, "event_type", "a string such as trace_create")
	}
	if ev.Payload == nil {
		return missing(ev, "payload", "a JSON object")
	}
	return nil
}

func given(raw []byte) bool { return len(raw) > 0 && raw[0] != 'n' }

func missing(ev *wire.Event, field, must string) *wire.BatchEventError {
	return &wire.BatchEventError{EventID: echoID(ev.ID), Code: extract.CodeMissingField,
		Message: "Missing required field '" + field + "'", Details: "an event needs " + field + ", " + must}
}

func badID(ev *wire.Event) *wire.BatchEventError {
	return &wire.BatchEventError{EventID: echoID(ev.ID), Code: extract.CodeInvalidEventID,
		Message: "Invalid event_id", Details: "event_id must be a string of 1 to 128 printable ASCII characters without space"}
}

// echoID is the id as an error repeats it: as sent, but no longer than twice
// what is allowed, so that a wrong id does not fill receipts and answers.
func echoID(id string) string {
	if len(id) > 2*wire.MaxIDLength {
		id = id[:2*wire.MaxIDLength]
	}
	return string(bytes.ToValidUTF8([]byte(id), []byte("\uFFFD")))
}

// check applies the rules that hold for every event, makes its type canonical,
// and reads its fields.
func (l Limits) check(ev *wire.Event) (*entity.Fields, *wire.BatchEventError) {
	if !wire.ValidID(ev.ID) {
		return nil, badID(ev)
	}
	canonical, ok := ev.Type.Canonical()
	if !ok {
		return nil, extract.UnknownType(ev)
	}
	ev.Type = canonical
	if len(ev.Payload) > l.MaxPayloadBytes {
		return nil, &wire.BatchEventError{EventID: ev.ID, Code: extract.CodePayloadTooLarge, Message: "Payload too large",
			Details: "payload has " + strconv.Itoa(len(ev.Payload)) + " bytes, the most is " + strconv.Itoa(l.MaxPayloadBytes)}
	}
	if len(ev.Payload) == 0 || ev.Payload[0] != '{' {
		return nil, badPayload(ev, extract.CodeInvalidPayload, "payload must be a JSON object")
	}
	if !utf8.Valid(ev.Payload) {
		return nil, badPayload(ev, extract.CodeInvalidPayload, "payload must be UTF-8")
	}
	if deeper(ev.Payload, l.MaxDepth) {
		return nil, badPayload(ev, extract.CodePayloadTooDeep,
			"payload must nest no deeper than "+strconv.Itoa(l.MaxDepth)+" levels of objects and lists")
	}
	return extract.Extract(ev)
}

func badPayload(ev *wire.Event, code, details string) *wire.BatchEventError {
	return &wire.BatchEventError{EventID: ev.ID, Code: code, Message: "Invalid payload format", Details: details}
}
