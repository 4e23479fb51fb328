package otlphttp

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// decoder makes a request of ingest.
type decoder struct {
	in     *wireformat.Incoming
	r      *ingest.Request
	origin otlp.Origin
	deep   bool // something in the body nests deeper than a payload may
	need   int  // bytes to ask room for
	ids    *wireformat.IDs
}

// json reads a body in JSON, once it is known to be some. NaN and the infinities, which are none, are null.
func (d *decoder) json(signal string) error {
	var body []byte
	err := jsonbody.Object(d.in.Body, mostDepth, func(w *jsonbody.Walk) error {
		v := w.Value()
		body, d.deep = v.Finite(), v.Depth > mostDepth
		return nil
	})
	if err != nil || signal == metrics {
		return err
	}
	return d.read(signal, body, true)
}

// mostDepth is how deep the payload of a span may nest: each of the 64 levels that a value of attributes
// may have is three of OTLP's JSON.
const mostDepth = 256

func (d *decoder) read(signal string, body []byte, inJSON bool) error {
	items := otlp.SpansWithin
	if signal == logs {
		items = otlp.LogsWithin
	}
	var full error
	err := items(d.in.Limits.MaxPayloadBytes, body, inJSON, func(i *otlp.Item) error {
		full = d.take(i)
		return full
	})
	switch {
	case full != nil:
		return full
	case err != nil:
		return &ingest.RequestError{Code: CodeInvalidOTLP, Message: "the body is no request of OpenTelemetry's protocol: " + err.Error()}
	}
	return d.room(askAt)
}

// CodeInvalidOTLP refuses a body that cannot be read as a whole.
const CodeInvalidOTLP = "invalid_otlp"

const (
	// itemBytes is about what an event weighs beside its payload.
	itemBytes = 1 << 10
	// largeCopies is how often an item with a medium is there until that is taken out: in JSON, and as a payload.
	largeCopies = 2
	// askAt is how much is needed before room is asked for.
	askAt = 64 << 10
)

// room asks for room for n bytes more, many at once.
func (d *decoder) room(n int) error {
	if d.need += n; d.need < askAt || d.in.Room == nil {
		return nil
	}
	n, d.need = d.need, 0
	return d.in.Room(n)
}

// take adds an item to the request, with why it cannot be stored when it cannot. The error is that of Room.
func (d *decoder) take(i *otlp.Item) error {
	size := len(i.Resource) + len(i.Scope) + len(i.Raw) + len(i.ResourceSchema) + len(i.ScopeSchema)
	made := size
	if size > d.in.Limits.MaxPayloadBytes {
		made = largeCopies * size
	}
	if err := d.room(itemBytes + made); err != nil {
		return err
	}
	ev := wire.Event{Type: typeOf(i), Timestamp: timeOf(i)}
	var media []medium.Medium
	if i.Err == nil {
		ev.Payload = otlp.AppendStored(make([]byte, 0, size+192), d.origin, i)
		var err error
		if media, err = d.takeMedia(i, &ev); err != nil {
			return err
		}
	}
	var row entity.Row
	if fault := d.fault(i, ev.Payload); fault == nil {
		ev.ID = d.ids.Of(ev.Payload)
		fields := d.fields(i, &ev, len(media) > 0)
		d.r.Media = append(d.r.Media, ingest.TakenFrom(len(d.r.Events), media)...)
		for _, text := range fields.Notes {
			d.r.Notes = append(d.r.Notes, ingest.Note{Index: len(d.r.Events), Text: text})
		}
		row = fields.AppendRow(nil)
	} else {
		ev.ID, ev.Payload = d.ids.Of(i.Sent), nil
		d.r.Faults = append(d.r.Faults, ingest.Fault{Index: len(d.r.Events), Err: *fault, OfPayload: true})
	}
	d.r.Events = append(d.r.Events, ev)
	d.r.Rows = append(d.r.Rows, row)
	return nil
}

// takeMedia takes the media out of the payload that an item has become. One that is too large is the item's error.
func (d *decoder) takeMedia(i *otlp.Item, ev *wire.Event) (media []medium.Medium, err error) {
	if d.in.Limits.MaxMediumBytes == 0 || len(ev.Payload) < medium.Least {
		return nil, nil
	}
	t := medium.Taker{Most: int64(d.in.Limits.MaxMediumBytes), Room: d.in.Room}
	var large *medium.TooLarge
	ev.Payload, media, err = t.Take(ev.Payload)
	if errors.As(err, &large) {
		i.Err = err
		return nil, nil
	}
	return media, err
}

// fields are what an item says, or what its payload says when media were taken out of that.
func (d *decoder) fields(i *otlp.Item, ev *wire.Event, taken bool) *entity.Fields {
	if taken {
		if fields, failure := extract.Extract(ev); failure == nil {
			return fields
		}
	}
	return extract.Item(ev, d.origin, i)
}

// fault is why an item cannot be stored, or nil. It names the span.
func (d *decoder) fault(i *otlp.Item, payload []byte) *wire.BatchEventError {
	what, name := "span", "the span"
	if i.Log != nil {
		what, name = "log record", "the log record"
	} else if i.Span.SpanID != "" {
		name = "span " + i.Span.SpanID
	}
	bad := func(code, message, details string) *wire.BatchEventError {
		const most = 300 // bytes: an attribute's name may be long
		if len(details) > most {
			details = strings.ToValidUTF8(details[:most], "") + "…"
		}
		return &wire.BatchEventError{Code: code, Message: message, Details: details}
	}
	size := len(payload)
	if large := (*otlp.TooLarge)(nil); errors.As(i.Err, &large) {
		size = large.Bytes
	}
	if large := (*medium.TooLarge)(nil); errors.As(i.Err, &large) {
		return bad(extract.CodeMediumTooLarge, "Payload too large", name+": "+large.Error())
	}
	switch most := d.in.Limits.MaxPayloadBytes; {
	case size > most:
		return bad(extract.CodePayloadTooLarge, "Payload too large",
			name+" has "+strconv.Itoa(size)+" bytes with its resource and scope, the most is "+strconv.Itoa(most))
	case i.Err != nil:
		return bad(extract.CodeInvalidPayload, "Invalid "+what, name+": "+i.Err.Error())
	case !utf8.Valid(payload):
		return bad(extract.CodeInvalidPayload, "Invalid "+what, name+": a text is not UTF-8")
	case d.deep && depthOf(payload) > mostDepth:
		return bad(extract.CodePayloadTooDeep, "Invalid "+what, name+": it must nest no deeper than "+strconv.Itoa(mostDepth)+" levels of objects and lists")
	}
	return nil
}

func depthOf(payload []byte) (depth int) {
	_ = jsonbody.Object(payload, mostDepth, func(w *jsonbody.Walk) error { // what is too deep is not cut out of JSON that is good
		v := w.Value()
		depth = v.Depth
		return nil
	})
	return depth
}

// typeOf is the type of the event that an item becomes.
func typeOf(i *otlp.Item) wire.EventType {
	switch {
	case i.Span != nil:
		return wire.ObservationCreate
	case i.Log.TraceID != "" && i.Log.SpanID != "":
		return wire.ObservationUpdate
	}
	return wire.EventCreate
}

// timeOf is the time of an event: when a span ended, so that of two exports of one the later counts.
// Zero is the time of receipt.
func timeOf(i *otlp.Item) wire.Timestamp {
	var ns int64
	if i.Log != nil {
		ns = i.Log.Time
	} else if ns = i.Span.End; ns < i.Span.Start {
		ns = i.Span.Start
	}
	if ns <= 0 || ns == math.MaxInt64 {
		return wire.Timestamp{}
	}
	return wire.At(time.Unix(0, ns))
}

// environment is that of the request's header; a span may name another.
func environment(h http.Header) string {
	for _, name := range []string{"X-Brokle-Environment", "X-Environment"} {
		if env := extract.Environment(h.Get(name)); env != "" {
			return env
		}
	}
	return wireformat.DefaultEnvironment
}
