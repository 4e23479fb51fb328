package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// DecodeBulk reads the body of the legacy POST /api/v1/telemetry/bulk: each
// object of "telemetry" becomes an event_create whose id is derived from the
// project, the envelope's timestamp, the object's position and its bytes, so that
// a repeated request is a duplicate. The error is a *RequestError.
func (l Limits) DecodeBulk(project string, body []byte) (*Request, error) {
	l = l.withDefaults()
	body, mend, err := l.readable(body)
	if err != nil {
		return nil, err
	}
	var list, timestamp []byte
	members := rawjson.MembersOf(body)
	for {
		key, value, ok := members.Next()
		if !ok {
			break
		}
		switch string(key) {
		case "telemetry":
			list = value
		case "timestamp":
			timestamp = value
		}
	}
	if !given(list) {
		return nil, &RequestError{Code: CodeEmptyBatch, Message: "telemetry is missing; a batch holds at least one object"}
	}
	if list[0] != '[' {
		return nil, &RequestError{Code: CodeInvalidField, Message: "telemetry must be a list"}
	}
	var at wire.Timestamp
	noTime := given(timestamp) && at.UnmarshalJSON(timestamp) != nil
	r := &Request{Dedup: resolve(wire.DefaultDeduplication())}
	elements := rawjson.ElementsOf(list)
	for {
		value, ok := elements.Next()
		if !ok {
			break
		}
		i := len(r.Events)
		if i == l.MaxEvents {
			return nil, l.tooMany()
		}
		r.Events = append(r.Events, wire.Event{ID: bulkID(project, at, i, value), Type: wire.EventCreate, Payload: value, Timestamp: at})
		if noTime {
			r.Notes = append(r.Notes, Note{i, noteTime})
		}
		if mend {
			r.mend(i)
		}
	}
	if len(r.Events) == 0 {
		return nil, emptyList("telemetry")
	}
	return r, nil
}

// bulkID is "bulk_" and the first 128 bits of a SHA-256 in hex. The project's
// length stands before it so that no two inputs run together alike.
func bulkID(project string, at wire.Timestamp, position int, content []byte) string {
	h := sha256.New()
	var n [8]byte
	number := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	number(uint64(len(project)))
	h.Write([]byte(project))
	number(uint64(at.UnixMicro()))
	number(uint64(position))
	h.Write(content)
	return "bulk_" + hex.EncodeToString(h.Sum(nil)[:16])
}
