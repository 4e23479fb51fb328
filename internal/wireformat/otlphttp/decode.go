package otlphttp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
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
	ids    ids
}

// json reads a body in JSON, once it is known to be some.
func (d *decoder) json(signal string) error {
	var body []byte
	err := jsonbody.Object(d.in.Body, mostDepth, func(w *jsonbody.Walk) error {
		v := w.Value()
		body = v.Raw
		return nil
	})
	if err != nil || signal == metrics {
		return err
	}
	return d.read(signal, body, true)
}

// mostDepth is how deep a body in JSON may nest: deeper than any that a span's depth allows.
const mostDepth = 1000

func (d *decoder) read(signal string, body []byte, inJSON bool) error {
	items := otlp.Spans
	if signal == logs {
		items = otlp.Logs
	}
	if err := items(body, inJSON, d.take); err != nil {
		return &ingest.RequestError{Code: CodeInvalidOTLP, Message: "the body is no request of OpenTelemetry's protocol: " + err.Error()}
	}
	return nil
}

// CodeInvalidOTLP refuses a body that cannot be read as a whole.
const CodeInvalidOTLP = "invalid_otlp"

// take adds an item to the request, with why it cannot be stored when it cannot.
func (d *decoder) take(i *otlp.Item) {
	n := len(d.r.Events)
	payload := otlp.AppendStored(make([]byte, 0, len(i.Resource)+len(i.Scope)+len(i.Raw)+128), d.origin, i)
	ev := wire.Event{ID: d.ids.of(payload), Type: typeOf(i), Timestamp: timeOf(i), Payload: payload}
	fault := d.fault(i, payload)
	var fields *entity.Fields
	if fault == nil {
		fields = extract.Item(&ev, d.origin, i)
	} else {
		d.r.Faults = append(d.r.Faults, ingest.Fault{Index: n, Err: *fault, OfPayload: true})
	}
	d.r.Events = append(d.r.Events, ev)
	d.r.Fields = append(d.r.Fields, fields)
}

func (d *decoder) fault(i *otlp.Item, payload []byte) *wire.BatchEventError {
	what := "span"
	if i.Log != nil {
		what = "log record"
	}
	switch most := d.in.Limits.MaxPayloadBytes; {
	case len(payload) > most:
		return &wire.BatchEventError{Code: extract.CodePayloadTooLarge, Message: "Payload too large",
			Details: "the " + what + " has " + strconv.Itoa(len(payload)) + " bytes with its resource, the most is " + strconv.Itoa(most)}
	case i.Err != nil:
		return &wire.BatchEventError{Code: extract.CodeInvalidPayload, Message: "Invalid " + what, Details: i.Err.Error()}
	case !utf8.Valid(payload):
		return &wire.BatchEventError{Code: extract.CodeInvalidPayload, Message: "Invalid " + what, Details: "a text is not UTF-8"}
	}
	return nil
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

// ids makes the ids of the events of a project: "otlp_" and the first 128 bits of a SHA-256 of the project
// and the payload, in hex.
type ids struct {
	h       hash.Hash
	project []byte // its length stands before it so that no two inputs run together alike
	sum     [sha256.Size]byte
}

func newIDs(project string) ids {
	return ids{h: sha256.New(), project: append(binary.BigEndian.AppendUint64(nil, uint64(len(project))), project...)}
}

func (i *ids) of(payload []byte) string {
	i.h.Reset()
	i.h.Write(i.project)
	i.h.Write(payload)
	var text [5 + 32]byte
	return string(hex.AppendEncode(append(text[:0], "otlp_"...), i.h.Sum(i.sum[:0])[:16]))
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
