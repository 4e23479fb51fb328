package segmentlog

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/varint"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// eventTypes are the types that have a code of one byte, by code; 0 is any other.
var eventTypes = [...]wire.EventType{
	1: wire.TraceCreate, 2: wire.TraceUpdate, 3: wire.ObservationCreate, 4: wire.ObservationUpdate,
	5: wire.ObservationComplete, 6: wire.QualityScoreCreate, 7: wire.QualityScoreUpdate, 8: wire.EventCreate,
}

func typeCode(t wire.EventType) byte { return byte(max(slices.Index(eventTypes[1:], t)+1, 0)) }

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
			dst = varint.AppendString(dst, string(events[i].Type))
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
	r := &varint.Reader{B: raw}
	codes := r.Take(uint64(n))
	if r.Bad {
		return nil, damaged("body section")
	}
	events := make([]wire.Event, n)
	for i, code := range codes {
		if int(code) >= len(eventTypes) {
			return nil, damaged("event type %d", code)
		}
		events[i].ID, events[i].Type = ids[i], eventTypes[code]
		if code == 0 {
			events[i].Type = wire.EventType(r.Bytes())
		}
	}
	var at int64
	for i := range events {
		at += r.Varint()
		events[i].Timestamp = wire.Timestamp{Time: time.UnixMicro(at).UTC()}
	}
	payloads := *r
	for range n {
		payloads.Uvarint()
	}
	for i := range events {
		events[i].Payload = payloads.Take(r.Uvarint())
	}
	if r.Bad || payloads.Bad || len(payloads.B) != 0 {
		return nil, damaged("body section")
	}
	return events, nil
}
