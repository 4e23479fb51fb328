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
// an entity with a string that is not empty, as written between its quotes. It is a scanner, not a parser: it passes over
// what it does not look for, and stops where the text makes no sense.
func EachID(object []byte, found func(Name, []byte)) {
	depth := 0
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := rawjson.SkipString(object, i)
			if end < 0 {
				return
			}
			if depth == 1 {
				if name := nameOf(object[i+1 : end-1]); name != none {
					if value, next := stringMember(object, end); next > 0 {
						found(name, value)
						end = next
					}
				}
			}
			i = end - 1
		}
	}
}

// stringMember reads `: "value"` at i, and returns where it ends; 0 when it is something else.
func stringMember(b []byte, i int) (value []byte, next int) {
	i = rawjson.SkipSpace(b, i)
	if i >= len(b) || b[i] != ':' {
		return nil, 0
	}
	i = rawjson.SkipSpace(b, i+1)
	end := rawjson.SkipString(b, i)
	if end <= i+len(`""`) {
		return nil, 0
	}
	return b[i+1 : end-1], end
}
