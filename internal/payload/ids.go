package payload

import "github.com/brokle-ai/brokle-go/internal/rawjson"

// Name is a payload field that names an entity.
type Name uint8

// The names. OtherID orders events and does not sample them.
const (
	none Name = iota
	ID
	TraceID
	ExternalTraceID
	ObservationID
	OtherID
)

func nameOf(key []byte) Name {
	switch string(key) {
	case "id":
		return ID
	case "trace_id":
		return TraceID
	case "external_trace_id":
		return ExternalTraceID
	case "observation_id":
		return ObservationID
	case "span_id", "external_observation_id", "score_id":
		return OtherID
	}
	return none
}

// EachID calls found for every top-level member of the JSON object that names
// an entity with a string that is not empty, as written between its quotes. It stops where the text makes no sense.
func EachID(object []byte, found func(Name, []byte)) {
	members := rawjson.MembersOf(object)
	for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
		if name := nameOf(key); name != none && value[0] == '"' && len(value) > len(`""`) {
			found(name, value[1:len(value)-1])
		}
	}
}
