package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// list calls each for the elements of a member that is a list, absent or null.
func list(object []byte, name string, each func([]byte) error) error {
	raw := member(object, name)
	if raw == nil {
		return notObject(object)
	}
	return within(name, elements(raw, each))
}

func notObject(raw []byte) error {
	if len(raw) == 0 || raw[0] != '{' {
		return errors.New("must be a JSON object")
	}
	return nil
}

// member is a member of an object, also by its name in snake case; nil when absent or null.
func member(object []byte, name string) (value []byte) {
	if len(object) == 0 || object[0] != '{' {
		return nil
	}
	members := rawjson.MembersOf(object)
	for {
		key, v, ok := members.Next()
		if !ok {
			return value
		}
		if camel(rawjson.Alias(key)) == name && string(v) != "null" {
			value = v
		}
	}
}

// camel is a key in the lower camel case of the JSON mapping of protobuf, which takes both.
func camel(key string) string {
	if strings.IndexByte(key, '_') < 0 {
		return key
	}
	var b strings.Builder
	up := false
	for i := range len(key) {
		c := key[i]
		switch {
		case c == '_':
			up = true
			continue
		case up && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		up = false
		b.WriteByte(c)
	}
	return b.String()
}

func textOf(raw []byte) string {
	text, _ := rawjson.Unquote(raw)
	return text
}

// SpanOfJSON reads one span of OTLP in JSON into s.
func SpanOfJSON(raw []byte, s *otel.Span) error {
	members := membersOf(raw)
	var err error
	for members.next() && err == nil {
		switch v := members.value; members.key {
		case "traceId":
			s.TraceID, err = jsonID(v, 16, "trace id")
		case "spanId":
			s.SpanID, err = jsonID(v, 8, "span id")
		case "parentSpanId":
			if s.ParentID, err = jsonID(v, 8, "parent span id"); errors.Is(err, errNoID) {
				err = nil
			}
		case "name":
			s.Name = textOf(v)
		case "kind":
			s.Kind = otel.Kind(enum(v, "SPAN_KIND_", "UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
		case "startTimeUnixNano":
			s.Start = nanos(v)
		case "endTimeUnixNano":
			s.End = nanos(v)
		case "attributes":
			err = attributesOf(v, &s.Attributes)
		case "droppedAttributesCount":
			s.Dropped = int(int32(number(v)))
		case "events":
			err = within("event", eventsOf(v, &s.Events))
		case "status":
			s.StatusMessage = textOf(member(v, "message"))
			s.Failed = enum(member(v, "code"), "STATUS_CODE_", "UNSET", "OK", "ERROR") == 2
		}
	}
	if err == nil {
		err = members.err
	}
	if err == nil && (s.TraceID == "" || s.SpanID == "") {
		err = errNoID
	}
	return err
}

// LogOfJSON reads one log record of OTLP in JSON into l.
func LogOfJSON(raw []byte, l *Log) error {
	var observed int64
	err := each(raw, func(key string, v []byte) (err error) {
		switch key {
		case "timeUnixNano":
			l.Time = nanos(v)
		case "observedTimeUnixNano":
			observed = nanos(v)
		case "severityNumber":
			l.SeverityNumber = int(number(v))
		case "severityText":
			l.Severity = textOf(v)
		case "body":
			l.Body, err = valueOf(v)
		case "attributes":
			err = attributesOf(v, &l.Attributes)
		case "eventName":
			l.Name = textOf(v)
		case "traceId":
			if l.TraceID, err = jsonID(v, 16, "trace id"); errors.Is(err, errNoID) {
				err = nil
			}
		case "spanId":
			if l.SpanID, err = jsonID(v, 8, "span id"); errors.Is(err, errNoID) {
				err = nil
			}
		}
		return err
	})
	l.settle(observed)
	return err
}

// members walks the members of an object that are not null.
type members struct {
	walk rawjson.Members
	// What next has read.
	key   string // in lower camel case
	value []byte
	err   error // that of what is no object
}

func membersOf(raw []byte) members {
	if err := notObject(raw); err != nil {
		return members{err: err}
	}
	return members{walk: rawjson.MembersOf(raw)}
}

func (m *members) next() bool {
	for m.err == nil {
		key, v, ok := m.walk.Next()
		if !ok {
			return false
		}
		if string(v) != "null" {
			m.key, m.value = camel(rawjson.Alias(key)), v
			return true
		}
	}
	return false
}

// each calls read for the members of an object that are not null.
func each(raw []byte, read func(key string, v []byte) error) error {
	m := membersOf(raw)
	for m.next() {
		if err := read(m.key, m.value); err != nil {
			return err
		}
	}
	return m.err
}

func eventsOf(raw []byte, events *[]otel.Event) error {
	return elements(raw, func(raw []byte) error {
		var e otel.Event
		err := each(raw, func(key string, v []byte) (err error) {
			switch key {
			case "timeUnixNano":
				e.Time = nanos(v)
			case "name":
				e.Name = textOf(v)
			case "attributes":
				err = attributesOf(v, &e.Attributes)
			}
			return err
		})
		*events = append(*events, e)
		return err
	})
}

func elements(raw []byte, read func([]byte) error) error {
	walk := rawjson.ElementsOf(raw)
	for {
		e, ok := walk.Next()
		if !ok {
			break
		}
		if err := read(e); err != nil {
			return err
		}
	}
	if walk.Broken() {
		return errNotList
	}
	return nil
}

var errNotList = errors.New("must be a list")

func attributesOf(raw []byte, attrs *[]otel.Attribute) error {
	if raw == nil {
		return nil
	}
	walk := rawjson.ElementsOf(raw)
	for {
		e, ok := walk.Next()
		if !ok {
			break
		}
		a, err := attributeOf(e)
		*attrs = append(*attrs, a)
		if err != nil {
			return within("attributes", within(strconv.Quote(a.Key), err))
		}
	}
	if walk.Broken() {
		return within("attributes", errNotList)
	}
	return nil
}

func attributeOf(raw []byte) (a otel.Attribute, err error) {
	m := membersOf(raw)
	for m.next() && err == nil {
		switch m.key {
		case "key":
			a.Key = textOf(m.value)
		case "value":
			a.Value, err = valueOf(m.value)
		}
	}
	if err == nil {
		err = m.err
	}
	return a, err
}

// valueOf reads an AnyValue; lists and maps become plain JSON.
func valueOf(raw []byte) (v otel.Value, err error) {
	m := membersOf(raw)
	for m.next() && err == nil {
		switch raw := m.value; m.key {
		case "stringValue":
			v = otel.Value{Type: otel.String, Text: textOf(raw)}
		case "boolValue":
			v = otel.Value{Type: otel.Bool}
			if text := string(raw); text == "true" || text == `"true"` {
				v.Int = 1
			}
		case "intValue":
			v, err = integer(raw)
		case "doubleValue":
			if f, ok := float(raw); ok {
				v = otel.Value{Type: otel.Double, Num: f}
			}
		case "arrayValue", "kvlistValue":
			v.Type = otel.List
			if m.key == "kvlistValue" {
				v.Type = otel.Map
			}
			var text []byte
			text, err = appendJSONContainer(nil, raw, v.Type, 0)
			v.Text = rawjson.Alias(text)
		case "bytesValue":
			v = otel.Value{Type: otel.Bytes, Text: textOf(raw)}
		}
	}
	if err == nil {
		err = m.err
	}
	return v, err
}

// integer reads a number of 64 bits as text or as a number. JavaScript writes large ones with an
// exponent; what 64 bits do not hold is a double.
func integer(raw []byte) (otel.Value, error) {
	text := strings.Trim(rawjson.Alias(raw), `"`)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return otel.Value{Type: otel.Int, Int: n}, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return otel.Value{}, errors.New("intValue must be a whole number, or a string that holds one")
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return otel.Value{Type: otel.Int, Int: int64(f)}, nil
	}
	return otel.Value{Type: otel.Double, Num: f}, nil
}

// float reads a double as a number, or as text, which NaN and the infinities are.
func float(raw []byte) (float64, bool) {
	f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	return f, err == nil
}

// appendJSONContainer appends an arrayValue or a kvlistValue as plain JSON.
func appendJSONContainer(to, raw []byte, typ otel.Type, depth int) ([]byte, error) {
	if depth > maxDepth {
		return to, errDepth
	}
	open, end := brackets(typ)
	to = append(to, open)
	empty := len(to)
	var err error
	if values := member(raw, "values"); values != nil {
		err = elements(values, func(e []byte) (err error) {
			if len(to) > empty {
				to = append(to, ',')
			}
			if typ == otel.Map {
				to = append(appendText(to, textOf(member(e, "key"))), ':')
				e = member(e, "value")
			}
			to, err = appendJSONAny(to, e, depth)
			return err
		})
	}
	return append(to, end), err
}

func appendJSONAny(to, raw []byte, depth int) ([]byte, error) {
	for _, c := range []struct {
		key string
		typ otel.Type
	}{{"arrayValue", otel.List}, {"kvlistValue", otel.Map}} {
		if inner := member(raw, c.key); inner != nil {
			return appendJSONContainer(to, inner, c.typ, depth+1)
		}
	}
	if raw == nil {
		return append(to, "null"...), nil
	}
	v, err := valueOf(raw)
	switch v.Type {
	case otel.Null:
		to = append(to, "null"...)
	case otel.String, otel.Bytes:
		to = appendText(to, v.Text)
	case otel.Double:
		to = appendDouble(to, v.Num)
	default:
		to = append(to, v.String()...)
	}
	return to, err
}

// enum reads an enum's number, or its name with or without its prefix; 0 when it is neither.
func enum(raw []byte, prefix string, names ...string) int {
	text, isText := rawjson.Unquote(raw)
	if !isText {
		return int(number(raw))
	}
	for i, name := range names {
		if strings.EqualFold(strings.TrimPrefix(strings.ToUpper(text), prefix), name) {
			return i
		}
	}
	n, _ := strconv.Atoi(text)
	return n
}

func number(raw []byte) int64 {
	v, _ := integer(raw)
	return v.Int
}

// nanos reads a time in nanoseconds.
func nanos(raw []byte) int64 { return number(raw) }

// jsonID reads an id: hex, as the specification says, or base64, as protobuf's own mapping to JSON writes
// bytes; their lengths differ.
func jsonID(raw []byte, size int, what string) (string, error) {
	text, ok := rawjson.Unquote(raw)
	if !ok {
		return "", within(what, errors.New("must be a string"))
	}
	if text == "" {
		return "", within(what, errNoID)
	}
	if len(text) == 2*size && isHex(text) {
		if strings.Trim(text, "0") == "" {
			return "", within(what, errNoID)
		}
		return text, nil
	}
	var b []byte
	var err error
	switch len(text) {
	case 2 * size:
		b, err = hex.DecodeString(text)
	case base64.StdEncoding.EncodedLen(size):
		b, err = base64.StdEncoding.DecodeString(text)
	case base64.RawStdEncoding.EncodedLen(size):
		b, err = base64.RawStdEncoding.DecodeString(text)
	default:
		return "", within(what, fmt.Errorf("must be %d bytes in hex", size))
	}
	if err != nil {
		return "", within(what, fmt.Errorf("must be %d bytes in hex", size))
	}
	return new(texts).id(b, size, what)
}

// isHex says whether text is hex in lower case, as most write it.
func isHex(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
