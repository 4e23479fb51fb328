package segmentlog

import (
	"encoding/binary"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// Event types as one byte each; 0 is a type that the table does not know.
func typeCode(t brokle.EventType) byte {
	switch t {
	case brokle.TraceCreate:
		return 1
	case brokle.TraceUpdate:
		return 2
	case brokle.ObservationCreate:
		return 3
	case brokle.ObservationUpdate:
		return 4
	case brokle.ObservationComplete:
		return 5
	case brokle.QualityScoreCreate:
		return 6
	case brokle.QualityScoreUpdate:
		return 7
	case brokle.EventCreate:
		return 8
	}
	return 0
}

func typeOf(code byte) (brokle.EventType, bool) {
	switch code {
	case 1:
		return brokle.TraceCreate, true
	case 2:
		return brokle.TraceUpdate, true
	case 3:
		return brokle.ObservationCreate, true
	case 4:
		return brokle.ObservationUpdate, true
	case 5:
		return brokle.ObservationComplete, true
	case 6:
		return brokle.QualityScoreCreate, true
	case 7:
		return brokle.QualityScoreUpdate, true
	case 8:
		return brokle.EventCreate, true
	}
	return "", false
}

// bodySize bounds what appendBody appends.
func bodySize(events []brokle.Event) int {
	n := 0
	for i := range events {
		n += len(events[i].Payload) + len(events[i].Type) + 2 + 2*binary.MaxVarintLen64
	}
	return n
}

// appendBody writes the body section of events, column by column: types,
// timestamps, payload lengths, payloads. It also returns where the payloads begin.
func appendBody(dst []byte, events []brokle.Event) (body []byte, payloads int) {
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
func decodeBody(raw []byte, ids []string) ([]brokle.Event, error) {
	n := len(ids)
	r := &reader{b: raw}
	codes := r.bytes(uint64(n))
	if r.bad {
		return nil, damaged("body section")
	}
	events := make([]brokle.Event, n)
	for i, code := range codes {
		t, known := typeOf(code)
		if !known {
			if code != 0 {
				return nil, damaged("event type %d", code)
			}
			t = brokle.EventType(r.string())
		}
		events[i].ID, events[i].Type = ids[i], t
	}
	var at int64
	for i := range events {
		at += r.varint()
		events[i].Timestamp = brokle.Timestamp{Time: time.UnixMicro(at).UTC()}
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
