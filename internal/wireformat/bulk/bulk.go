// Package bulk is the format of the legacy POST /api/v1/telemetry/bulk: a list of objects
// without ids, answered as a batch.
package bulk

import (
	"encoding/binary"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// Format implements wireformat.Format.
type Format struct{ batch.Format }

// Name implements wireformat.Format.
func (Format) Name() string { return "bulk" }

// Paths implements wireformat.Format.
func (Format) Paths() []string { return []string{"/api/v1/telemetry/bulk"} }

// Decode implements wireformat.Format: each object of "telemetry" becomes an event_create whose
// id is derived from the project, the envelope's timestamp, the object's position and its
// bytes, so that a repeated request is a duplicate.
func (Format) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	var r *ingest.Request
	err := jsonbody.Object(in.Body, in.Limits.MaxDepth, func(w *jsonbody.Walk) (err error) {
		r, err = read(in, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Environment, err = wireformat.Environment("", in.Header.Get("X-Environment"))
	return r, err
}

// read reads the envelope. The timestamp may stand behind the list, and is part of the ids.
func read(in *wireformat.Incoming, w *jsonbody.Walk) (*ingest.Request, error) {
	var kind byte // of the value of telemetry; 0 when there is none
	var objects []jsonbody.Value
	var timestamp jsonbody.Value
	for key := range w.Members() {
		switch string(key) {
		case "telemetry":
			objects = objects[:0]
			if kind = w.Kind(); kind != '[' {
				continue
			}
			for i := range w.Elements() {
				if v := w.Value(); i <= in.Limits.MaxEvents { // one more shows that there are too many
					objects = append(objects, v)
				}
			}
		case "timestamp":
			timestamp = w.Value()
		}
	}
	switch {
	case kind == 0 || kind == 'n':
		return nil, &ingest.RequestError{Code: wireformat.CodeEmptyBatch, Message: "telemetry is missing; a batch holds at least one object"}
	case kind != '[':
		return nil, &ingest.RequestError{Code: wireformat.CodeInvalidField, Message: "telemetry must be a list"}
	case len(objects) > in.Limits.MaxEvents:
		return nil, in.Limits.TooMany()
	case len(objects) == 0:
		return nil, wireformat.Empty("telemetry")
	}
	at, note := jsonbody.Time(timestamp.Raw)
	r := &ingest.Request{Dedup: store.Dedup{Enabled: true, TTL: wire.DefaultDedupTTL * time.Second}}
	events := jsonbody.NewEvents(in, r)
	ids := wireformat.NewIDs("bulk_", in.Project)
	for i := range objects {
		v := &objects[i]
		events.Take(wire.Event{ID: ids.Of(number(uint64(at.UnixMicro())), number(uint64(i)), v.Raw), Type: wire.EventCreate, Timestamp: at}, note, v)
	}
	return r, nil
}

func number(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// deprecation says since when the endpoint is deprecated: 2025-08-01 (RFC 9745).
const deprecation = "@1754006400"

// Answer implements wireformat.Format.
func (f Format) Answer(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	return deprecated(f.Format.Answer(in, res))
}

// Refuse implements wireformat.Format.
func (f Format) Refuse(in *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	return deprecated(f.Format.Refuse(in, why))
}

// deprecated says in the answer, on errors too, what to use instead.
func deprecated(a *wireformat.Answer, err error) (*wireformat.Answer, error) {
	a.Header = http.Header{"Deprecation": {deprecation}, "Link": {`</v1/telemetry/batch>; rel="successor-version"`}}
	return a, err
}
