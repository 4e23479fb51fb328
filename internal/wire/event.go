package wire

import (
	"encoding/json"
)

// EventType names what an event records. The set is closed: the server fails an
// event of any other type alone, with code "unknown_event_type".
type EventType string

// The event types of the wire contract.
const (
	TraceCreate         EventType = "trace_create"
	TraceUpdate         EventType = "trace_update"
	ObservationCreate   EventType = "observation_create"
	ObservationUpdate   EventType = "observation_update"
	ObservationComplete EventType = "observation_complete"
	QualityScoreCreate  EventType = "quality_score_create"
	QualityScoreUpdate  EventType = "quality_score_update"
	EventCreate         EventType = "event_create"
)

// Canonical returns the type that t stands for: short forms that later clients
// send ("trace", "observation", "quality_score", "event") mean the create of that kind.
// ok is false when t is none of the known types; t is then returned as it is.
func (t EventType) Canonical() (canonical EventType, ok bool) {
	switch t { // what is returned shares no memory with t
	case TraceCreate, "trace":
		return TraceCreate, true
	case TraceUpdate:
		return TraceUpdate, true
	case ObservationCreate, "observation":
		return ObservationCreate, true
	case ObservationUpdate:
		return ObservationUpdate, true
	case ObservationComplete:
		return ObservationComplete, true
	case QualityScoreCreate, "quality_score":
		return QualityScoreCreate, true
	case QualityScoreUpdate:
		return QualityScoreUpdate, true
	case EventCreate, "event":
		return EventCreate, true
	}
	return t, false
}

// Event is one fact about an application: in the SDK's queue, on the wire, in
// the server and in its log it is this type.
type Event struct {
	// ID is 1 to 128 printable ASCII characters without space, compared byte
	// for byte. It is opaque: usually a ULID from NewID, but any unique text is right.
	ID string `json:"event_id"`
	// Type says what the payload describes.
	Type EventType `json:"event_type"`
	// Payload is a JSON object, kept byte for byte as it was sent.
	Payload json.RawMessage `json:"payload"`
	// Timestamp is when the event happened. The zero value means "when the
	// server received it".
	Timestamp Timestamp `json:"timestamp,omitzero"`
}
