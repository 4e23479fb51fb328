package server

import (
	stdjson "encoding/json"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// timeLayout is RFC 3339 in UTC with all six digits of the microseconds, so
// that times compare as text too.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// encoding is how answers are written: times in timeLayout, empty lists as []
// and maps in a fixed order. Payload parts go out as they came in (duplicate
// names, escapes), except for insignificant space.
func encoding() json.Options {
	return json.JoinOptions(
		json.WithMarshalers(json.JoinMarshalers(times(), numbers())),
		json.Deterministic(true),
		jsonv1.OmitEmptyWithLegacySemantics(true), // a metadata of {} was sent, so it is shown
		jsontext.AllowDuplicateNames(true),
		jsontext.AllowInvalidUTF8(true),
		jsontext.PreserveRawStrings(true),
	)
}

// times writes times in timeLayout.
func times() *json.Marshalers {
	return json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
		b := append(enc.AvailableBuffer(), '"')
		b = t.UTC().AppendFormat(b, timeLayout)
		return enc.WriteValue(append(b, '"'))
	})
}

// numbers writes numbers that no type of Go holds as they are.
func numbers() *json.Marshalers {
	return json.MarshalToFunc(func(enc *jsontext.Encoder, n stdjson.Number) error { return enc.WriteValue(jsontext.Value(n)) })
}

// encode returns v as the JSON of an answer.
func (s *Server) encode(v any) ([]byte, error) {
	return json.Marshal(v, s.encoding)
}
