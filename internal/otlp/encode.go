package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// form is how a field of a message is written in JSON.
type form uint8

const (
	asText   form = iota + 1
	asHex         // an id
	asNumber      // of at most 32 bits
	asQuoted      // an unsigned number of 64 bits: a string
	asSigned      // a signed number of 64 bits: a string
	asDouble
	asBool
	asBase64
	asMessage
)

// field is a field of a message; the zero field is none that is known.
type field struct {
	name     string
	form     form
	message  kind // of asMessage
	repeated bool
}

// kind is a kind of message.
type kind uint8

const (
	spanKind kind = iota
	eventKind
	linkKind
	statusKind
	resourceKind
	scopeKind
	logKind
	keyValueKind
	valueKind
	arrayKind
	mapKind
)

// fieldsOf has the fields of each kind of message by their numbers.
var fieldsOf = [...][]field{
	spanKind: {1: {"traceId", asHex, 0, false}, 2: {"spanId", asHex, 0, false}, 3: {"traceState", asText, 0, false},
		4: {"parentSpanId", asHex, 0, false}, 5: {"name", asText, 0, false}, 6: {"kind", asNumber, 0, false},
		7: {"startTimeUnixNano", asQuoted, 0, false}, 8: {"endTimeUnixNano", asQuoted, 0, false},
		9: {"attributes", asMessage, keyValueKind, true}, 10: {"droppedAttributesCount", asNumber, 0, false},
		11: {"events", asMessage, eventKind, true}, 12: {"droppedEventsCount", asNumber, 0, false},
		13: {"links", asMessage, linkKind, true}, 14: {"droppedLinksCount", asNumber, 0, false},
		15: {"status", asMessage, statusKind, false}, 16: {"flags", asNumber, 0, false}},
	eventKind: {1: {"timeUnixNano", asQuoted, 0, false}, 2: {"name", asText, 0, false}, 3: {"attributes", asMessage, keyValueKind, true},
		4: {"droppedAttributesCount", asNumber, 0, false}},
	linkKind: {1: {"traceId", asHex, 0, false}, 2: {"spanId", asHex, 0, false}, 3: {"traceState", asText, 0, false},
		4: {"attributes", asMessage, keyValueKind, true}, 5: {"droppedAttributesCount", asNumber, 0, false}, 6: {"flags", asNumber, 0, false}},
	statusKind:   {2: {"message", asText, 0, false}, 3: {"code", asNumber, 0, false}},
	resourceKind: {1: {"attributes", asMessage, keyValueKind, true}, 2: {"droppedAttributesCount", asNumber, 0, false}},
	scopeKind: {1: {"name", asText, 0, false}, 2: {"version", asText, 0, false}, 3: {"attributes", asMessage, keyValueKind, true},
		4: {"droppedAttributesCount", asNumber, 0, false}},
	logKind: {1: {"timeUnixNano", asQuoted, 0, false}, 2: {"severityNumber", asNumber, 0, false}, 3: {"severityText", asText, 0, false},
		5: {"body", asMessage, valueKind, false}, 6: {"attributes", asMessage, keyValueKind, true},
		7: {"droppedAttributesCount", asNumber, 0, false}, 8: {"flags", asNumber, 0, false}, 9: {"traceId", asHex, 0, false},
		10: {"spanId", asHex, 0, false}, 11: {"observedTimeUnixNano", asQuoted, 0, false}, 12: {"eventName", asText, 0, false}},
	keyValueKind: {1: {"key", asText, 0, false}, 2: {"value", asMessage, valueKind, false}},
	valueKind: {1: {"stringValue", asText, 0, false}, 2: {"boolValue", asBool, 0, false}, 3: {"intValue", asSigned, 0, false},
		4: {"doubleValue", asDouble, 0, false}, 5: {"arrayValue", asMessage, arrayKind, false}, 6: {"kvlistValue", asMessage, mapKind, false},
		7: {"bytesValue", asBase64, 0, false}},
	arrayKind: {1: {"values", asMessage, valueKind, true}},
	mapKind:   {1: {"values", asMessage, keyValueKind, true}},
}

// AppendSpan appends a span in protobuf as OTLP in JSON, with everything that it says but for
// fields that the protocol does not know.
func AppendSpan(to, span []byte) ([]byte, error) { return appendMessage(to, span, spanKind, 0) }

// AppendLog does the same for a log record.
func AppendLog(to, record []byte) ([]byte, error) { return appendMessage(to, record, logKind, 0) }

// AppendResource does the same for a resource.
func AppendResource(to, resource []byte) ([]byte, error) {
	return appendMessage(to, resource, resourceKind, 0)
}

// AppendScope does the same for a scope.
func AppendScope(to, scope []byte) ([]byte, error) { return appendMessage(to, scope, scopeKind, 0) }

// Messages nest up to four deep around and inside a value of attributes.
const maxMessageDepth = 3*maxDepth + 8

func appendMessage(to, b []byte, k kind, depth int) ([]byte, error) {
	if depth > maxMessageDepth {
		return to, errDepth
	}
	// Before anything is written: a message within a message within … would be written twice, and four times, and …
	b, err := inOrder(b, k)
	if err != nil {
		return to, err
	}
	o := openObject(to)
	m := message{rest: b}
	for m.next() {
		f := fieldOf(k, m.num)
		if f == nil {
			continue
		}
		o.field(m.num, f)
		if o.to, err = appendField(o.to, f, &m, depth); err != nil {
			return o.to, err
		}
	}
	o.close()
	return o.to, m.err
}

// fieldOf is a field of a message; nil when none is known at that number.
func fieldOf(k kind, num protowire.Number) *field {
	if int(num) >= len(fieldsOf[k]) || fieldsOf[k][num].form == 0 {
		return nil
	}
	return &fieldsOf[k][num]
}

// object writes a message as a JSON object.
type object struct {
	to    []byte
	start int
	done  uint64           // the fields that have been written
	open  protowire.Number // the field whose list is open, or 0
}

func openObject(to []byte) object { return object{to: append(to, '{'), start: len(to)} }

// field writes what stands before a field's value; false for a field that comes back after others,
// or that should be there once.
func (o *object) field(num protowire.Number, f *field) bool {
	if o.open == num {
		o.to = append(o.to, ',')
		return true
	}
	if bit := uint64(1) << num; o.done&bit != 0 {
		return false
	} else {
		o.done |= bit
	}
	if o.open != 0 {
		o.to, o.open = append(o.to, ']'), 0
	}
	if len(o.to) > o.start+1 {
		o.to = append(o.to, ',')
	}
	o.to = append(append(append(o.to, '"'), f.name...), `":`...)
	if f.repeated {
		o.to, o.open = append(o.to, '['), num
	}
	return true
}

func (o *object) close() {
	if o.open != 0 {
		o.to = append(o.to, ']')
	}
	o.to = append(o.to, '}')
}

// inOrder is a message whose repeated fields lie together, and which has once what should be there once:
// of that the last counts. That is how nearly all are written.
func inOrder(b []byte, k kind) ([]byte, error) {
	var done uint64
	var last protowire.Number
	m := message{rest: b}
	for m.next() {
		f := fieldOf(k, m.num)
		if f == nil {
			continue
		}
		bit := uint64(1) << m.num
		if done&bit != 0 && (m.num != last || !f.repeated) {
			return sorted(b, k)
		}
		done, last = done|bit, m.num
	}
	return b, m.err
}

func sorted(b []byte, k kind) ([]byte, error) {
	byNumber := make([][]byte, len(fieldsOf[k]))
	m := message{rest: b}
	for rest := b; m.next(); rest = m.rest {
		f := fieldOf(k, m.num)
		if f == nil {
			continue
		}
		one := rest[:len(rest)-len(m.rest)]
		if f.repeated {
			byNumber[m.num] = append(byNumber[m.num], one...)
		} else {
			byNumber[m.num] = one
		}
	}
	return bytes.Join(byNumber, nil), m.err
}

func appendField(to []byte, f *field, m *message, depth int) ([]byte, error) {
	switch f.form {
	case asText:
		s, err := str(m.bytes)
		return appendText(to, s), err
	case asHex:
		return append(hex.AppendEncode(append(to, '"'), m.bytes), '"'), nil
	case asNumber:
		return strconv.AppendInt(to, int64(int32(m.n)), 10), nil
	case asQuoted:
		return append(strconv.AppendUint(append(to, '"'), m.n, 10), '"'), nil
	case asSigned:
		return append(strconv.AppendInt(append(to, '"'), int64(m.n), 10), '"'), nil
	case asBool:
		return strconv.AppendBool(to, m.n != 0), nil
	case asBase64:
		return append(base64.StdEncoding.AppendEncode(append(to, '"'), m.bytes), '"'), nil
	case asDouble:
		switch d := math.Float64frombits(m.n); {
		case math.IsNaN(d):
			return append(to, `"NaN"`...), nil
		case math.IsInf(d, 1):
			return append(to, `"Infinity"`...), nil
		case math.IsInf(d, -1):
			return append(to, `"-Infinity"`...), nil
		default:
			return appendDouble(to, d), nil
		}
	}
	return appendMessage(to, m.bytes, f.message, depth+1)
}
