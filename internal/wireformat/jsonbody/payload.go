package jsonbody

import (
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// What an event's note says of what was read otherwise than it was sent.
const (
	noteFinite = "payload held NaN or Infinity, which are no JSON: each is null now"
	noteTime   = "timestamp could not be read, the time of receipt was taken: it must be Unix seconds, milliseconds, microseconds or " +
		"nanoseconds, or a text such as RFC 3339, from 1970 to 9999"
)

// Time reads a timestamp. One that says no time, or one that cannot be kept, is none, and a
// note for each event that has it.
func Time(raw []byte) (at wire.Timestamp, note string) {
	if len(raw) > 0 && raw[0] != 'n' && at.UnmarshalJSON(raw) != nil {
		return wire.Timestamp{}, noteTime
	}
	return at, ""
}

// payloadOf is what is stored of a value: the bytes as they were sent but for numbers that are
// none, of which a note tells. fault says why it cannot be stored.
func payloadOf(v *Value, l *wireformat.Limits) (payload []byte, note string, fault *wire.BatchEventError) {
	payload = v.Raw
	if v.words {
		payload, note = finite(v.Raw), noteFinite
	}
	bad := func(code, details string) *wire.BatchEventError {
		return &wire.BatchEventError{Code: code, Message: "Invalid payload format", Details: details}
	}
	switch {
	case len(payload) > l.MaxPayloadBytes:
		fault = &wire.BatchEventError{Code: extract.CodePayloadTooLarge, Message: "Payload too large",
			Details: "payload has " + strconv.Itoa(len(payload)) + " bytes, the most is " + strconv.Itoa(l.MaxPayloadBytes)}
	case v.Kind() != '{':
		fault = bad(extract.CodeInvalidPayload, "payload must be a JSON object")
	case !v.UTF8:
		fault = bad(extract.CodeInvalidPayload, "payload must be UTF-8")
	case v.Depth > l.MaxDepth:
		fault = bad(extract.CodePayloadTooDeep, "payload must nest no deeper than "+strconv.Itoa(l.MaxDepth)+" levels of objects and lists")
	}
	return payload, note, fault
}

// Take adds an event with its payload to r, with what there is to say of it. noteTime is what
// Time has noted.
func Take(r *ingest.Request, ev wire.Event, noteTime string, v *Value, l *wireformat.Limits) {
	i := len(r.Events)
	payload, note, fault := payloadOf(v, l)
	ev.Payload = payload
	r.Events = append(r.Events, ev)
	for _, text := range [...]string{noteTime, note} {
		if text != "" {
			r.Notes = append(r.Notes, ingest.Note{Index: i, Text: text})
		}
	}
	if fault != nil {
		r.Faults = append(r.Faults, ingest.Fault{Index: i, Err: *fault, OfPayload: true})
	}
}
