package jsonbody

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Events adds events to a request, with all that there is to say of them. Of what it adds only
// payloads share the body's memory, unless the event is a fault. It is for one goroutine.
type Events struct {
	r      *ingest.Request
	limits *wireformat.Limits
	room   func(int) error // wireformat.Incoming.Room
	reader extract.Reader
	noted  []byte // the payload whose members the reader knows
	row    []byte // the one that is packed
	arena  []byte // what rows and ids are copied into
}

const (
	typicalEvent = 600     // bytes in a body
	roomBytes    = 4 << 10 // of about 25 rows and ids; what is left of it is kept with them
)

// NewEvents begins for a request that in becomes.
func NewEvents(in *wireformat.Incoming, r *ingest.Request) *Events {
	n := min(in.Limits.MaxEvents, len(in.Body)/typicalEvent+4)
	r.Events, r.Rows = make([]wire.Event, 0, n), make([]entity.Row, 0, n)
	return &Events{r: r, limits: &in.Limits, room: in.Room}
}

// Clear takes all events out of the request again.
func (e *Events) Clear() {
	e.r.Events, e.r.Rows, e.r.Faults, e.r.Notes, e.r.Media = e.r.Events[:0], e.r.Rows[:0], nil, nil, nil
}

// Len is how many events the request has.
func (e *Events) Len() int { return len(e.r.Events) }

// Payload is the value that comes next in w. It is w.Value for a value that Take may get soon.
func (e *Events) Payload(w *Walk) Value {
	e.reader.Begin()
	v := w.Noted(e.reader.Member)
	e.noted = v.Raw
	return v
}

// Take adds an event with its payload. noteTime is what Time has noted.
func (e *Events) Take(ev wire.Event, noteTime string, v *Value) {
	i := len(e.r.Events)
	e.r.Events, e.r.Rows = append(e.r.Events, ev), append(e.r.Rows, nil)
	at := &e.r.Events[i]
	payload, media, note, fault := e.payloadOf(v)
	e.r.Media = append(e.r.Media, ingest.TakenFrom(i, media)...)
	at.ID, at.Payload = rawjson.Alias(e.keep(rawjson.Bytes(ev.ID))), payload
	for _, text := range [...]string{noteTime, note} {
		if text != "" {
			e.r.Notes = append(e.r.Notes, ingest.Note{Index: i, Text: text})
		}
	}
	if canonical, known := ev.Type.Canonical(); known {
		at.Type = canonical
		if fault == nil && wire.ValidID(ev.ID) {
			e.r.Rows[i], fault = e.read(at)
		}
	}
	if fault != nil {
		e.r.Faults = append(e.r.Faults, ingest.Fault{Index: i, Err: *fault, OfPayload: true})
	}
}

// read is what the payload of the last event says.
func (e *Events) read(ev *wire.Event) (entity.Row, *wire.BatchEventError) {
	noted := len(e.noted) == len(ev.Payload) && &e.noted[0] == &ev.Payload[0]
	fields, failure := e.reader.Extract(ev, noted)
	if failure != nil {
		return nil, failure
	}
	for _, text := range fields.Notes {
		e.r.Notes = append(e.r.Notes, ingest.Note{Index: len(e.r.Events) - 1, Text: text})
	}
	e.row = fields.AppendRow(e.row[:0])
	return e.keep(e.row), nil
}

// keep is a copy of b that does not change.
func (e *Events) keep(b []byte) []byte {
	if len(b) > cap(e.arena)-len(e.arena) {
		e.arena = make([]byte, 0, max(len(b), roomBytes))
	}
	begin := len(e.arena)
	e.arena = append(e.arena, b...)
	return e.arena[begin:len(e.arena):len(e.arena)]
}

// Refuse adds an event that cannot be stored, whatever its payload is.
func (e *Events) Refuse(ev wire.Event, code, message, details string) {
	e.r.Faults = append(e.r.Faults, ingest.Fault{Index: len(e.r.Events), Err: wire.BatchEventError{Code: code, Message: message, Details: details}})
	e.r.Events, e.r.Rows = append(e.r.Events, ev), append(e.r.Rows, nil)
}
