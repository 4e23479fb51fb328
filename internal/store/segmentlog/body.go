package segmentlog

import (
	"encoding/binary"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Event types as one byte each; 0 is a type that the table does not know.
func typeCode(t wire.EventType) byte {
	switch t {
	case wire.TraceCreate:
		return 1
	case wire.TraceUpdate:
		return 2
	case wire.ObservationCreate:
		return 3
	case wire.ObservationUpdate:
		return 4
	case wire.ObservationComplete:
		return 5
	case wire.QualityScoreCreate:
		return 6
	case wire.QualityScoreUpdate:
		return 7
	case wire.EventCreate:
		return 8
	}
	return 0
}

func typeOf(code byte) (wire.EventType, bool) {
	switch code {
	case 1:
		return wire.TraceCreate, true
	case 2:
		return wire.TraceUpdate, true
	case 3:
		return wire.ObservationCreate, true
	case 4:
		return wire.ObservationUpdate, true
	case 5:
		return wire.ObservationComplete, true
	case 6:
		return wire.QualityScoreCreate, true
	case 7:
		return wire.QualityScoreUpdate, true
	case 8:
		return wire.EventCreate, true
	}
	return "", false
}

// bodySize bounds what appendBody appends.
func bodySize(events []wire.Event) int {
	n := 0
	for i := range events {
		n += len(events[i].Payload) + len(events[i].Type) + 2 + 2*binary.MaxVarintLen64
	}
	return n
}

// appendBody writes the body section of events, column by column: types,
// timestamps, payload lengths, payloads. It also returns where the payloads begin.
func appendBody(dst []byte, events []wire.Event) (body []byte, payloads int) {
	for i := range events {
		dst = append(dst, typeCode(events[i].Type))
	}
	for i := range events {
		if typeCode(events[i].Type) == 0 {
			dst = appendString(dst, string(events[i].Type))
		}
	}
	var before int64
	for i := range events {
		at := events[i].Timestamp.UnixMicro()
		dst = binary.AppendVarint(dst, at-before)
		before = at
	}
	for i := range events {
		dst = binary.AppendUvarint(dst, uint64(len(events[i].Payload)))
	}
	payloads = len(dst)
	for i := range events {
		dst = append(dst, events[i].Payload...)
	}
	return dst, payloads
}

// decodeBody reads a body section, decompressed, into events that share its
// memory. The ids are the caller's.
func decodeBody(raw []byte, ids []string) ([]wire.Event, error) {
	n := len(ids)
	r := &reader{b: raw}
	codes := r.bytes(uint64(n))
	if r.bad {
		return nil, damaged("body section")
	}
	events := make([]wire.Event, n)
	for i, code := range codes {
		t, known := typeOf(code)
		if !known {
			if code != 0 {
				return nil, damaged("event type %d", code)
			}
			t = wire.EventType(r.string())
		}
		events[i].ID, events[i].Type = ids[i], t
	}
	var at int64
	for i := range events {
		at += r.varint()
		events[i].Timestamp = wire.Timestamp{Time: time.UnixMicro(at).UTC()}
	}
	payloads := *r
	for range n {
		payloads.uvarint()
	}
	for i := range events {
		events[i].Payload = payloads.bytes(r.uvarint())
	}
	if r.bad || payloads.bad || len(payloads.b) != 0 {
		return nil, damaged("body section")
	}
	return events, nil
}
