package jsonbody

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Accepts is wireformat.NotJSON.
func Accepts(h http.Header) (must string) { return wireformat.NotJSON(h) }

// Object has read walk over the members of body, which must be one object; a byte-order mark
// may stand before it. payloadDepth is how deep a payload in it may nest.
//
// The error is that of read, or the one of a body that is no JSON anywhere, which comes
// first: read may have been given half of such a body, so what it made of it must be thrown
// away. read is called a second time when only what nests too deep for any payload makes the
// body no JSON: as only the events that nest so may fail, that is cut out then.
func Object(body []byte, payloadDepth int, read func(*Walk) error) error {
	return Any(body, payloadDepth, func(w *Walk) error {
		if w.Kind() != '{' {
			return &ingest.RequestError{Code: wireformat.CodeInvalidJSON, Message: "the body must be a JSON object"}
		}
		return read(w)
	})
}

// Any is Object for a body that may be any value, which read must read.
func Any(body []byte, payloadDepth int, read func(*Walk) error) error {
	const envelope = 8 // more levels than stand above a payload
	most := payloadDepth + envelope
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	w, err := walk(body, read)
	if w.deepest > most && (w.bad || w.words > 0) {
		if pruned, ok := prune(body, most); ok {
			w, err = walk(pruned, read)
		}
	}
	if w.bad {
		return syntaxError(body)
	}
	return err
}

func walk(body []byte, read func(*Walk) error) (w *Walk, err error) {
	w = &Walk{data: body}
	w.open = w.room[:0]
	if err = read(w); err != nil { // what was not read because of it must be JSON, too
		w = &Walk{data: body}
		w.value()
	}
	w.bad = w.bad || rawjson.SkipSpace(body, w.pos) != len(body)
	return w, err
}

// prune returns data with every container below level most emptied; ok is false when one is
// not closed, so that it is no JSON anyway.
func prune(data []byte, most int) (pruned []byte, ok bool) {
	depth, kept := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth == most+1 {
				pruned = append(pruned, data[kept:i+1]...)
			}
		case '}', ']':
			if depth--; depth == most {
				kept = i
			}
		}
	}
	return append(pruned, data[kept:]...), depth <= most
}

// syntaxError says where the body stops being JSON, without repeating any of it.
func syntaxError(body []byte) error {
	e := &ingest.RequestError{Code: wireformat.CodeInvalidJSON, Message: "the body is not valid JSON"}
	if len(bytes.TrimSpace(body)) == 0 {
		e.Message = "the body is empty; it must be a JSON object"
		return e
	}
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, err := dec.ReadValue()
	at := dec.InputOffset() // behind the value, where something else stands
	if s := (*jsontext.SyntacticError)(nil); errors.As(err, &s) {
		at = s.ByteOffset
	} else if err != nil {
		at = int64(len(body))
	}
	e.Message += fmt.Sprintf(" at byte %d", at)
	return e
}

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

// storedDepth is how deep the payload of a span may nest that comes back, as from an export: as deep
// as OpenTelemetry's own door lets it in. Its attributes take three levels for each of their own.
const storedDepth = 1000

// payloadOf is what is stored of a value: the bytes as they were sent but for numbers that are
// none, of which a note tells, and for media, which are taken out. fault says why it cannot be stored.
func (e *Events) payloadOf(v *Value) (payload []byte, media []medium.Medium, note string, fault *wire.BatchEventError) {
	l := e.limits
	payload = v.Raw
	if v.words {
		payload, note = finite(v.Raw), noteFinite
	}
	bad := func(code, details string) *wire.BatchEventError {
		return &wire.BatchEventError{Code: code, Message: "Invalid payload format", Details: details}
	}
	switch {
	case len(payload) > l.MaxPayloadBytes && !l.LargeByMedia(payload):
		fault = tooLarge(payload, l)
	case v.Kind() != '{':
		fault = bad(extract.CodeInvalidPayload, "payload must be a JSON object")
	case !v.UTF8:
		fault = bad(extract.CodeInvalidPayload, "payload must be UTF-8")
	case v.Depth > l.MaxDepth && !(otlp.Stored(payload) && v.Depth <= storedDepth):
		fault = bad(extract.CodePayloadTooDeep, "payload must nest no deeper than "+strconv.Itoa(l.MaxDepth)+" levels of objects and lists")
	}
	if fault == nil && l.MaxMediumBytes > 0 && len(payload) >= medium.Least {
		payload, media, fault = e.takeMedia(payload)
	}
	return payload, media, note, fault
}

// takeMedia takes the media out of a payload, which is weighed without them.
func (e *Events) takeMedia(payload []byte) (rest []byte, media []medium.Medium, fault *wire.BatchEventError) {
	t := medium.Taker{Most: int64(e.limits.MaxMediumBytes), Room: e.room}
	rest, media, err := t.Take(payload)
	switch {
	case err != nil: // that of Room refuses the whole request, whatever becomes of the event
		return payload, nil, &wire.BatchEventError{Code: extract.CodeMediumTooLarge, Message: "Payload too large", Details: "payload: " + err.Error()}
	case len(rest) > e.limits.MaxPayloadBytes:
		return payload, nil, tooLarge(rest, e.limits)
	}
	return rest, media, nil
}

func tooLarge(payload []byte, l *wireformat.Limits) *wire.BatchEventError {
	return &wire.BatchEventError{Code: extract.CodePayloadTooLarge, Message: "Payload too large",
		Details: "payload has " + strconv.Itoa(len(payload)) + " bytes, the most is " + strconv.Itoa(l.MaxPayloadBytes)}
}
