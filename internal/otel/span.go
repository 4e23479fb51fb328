package otel

import (
	"math"
	"strconv"
	"strings"
)

// Span is a span of OpenTelemetry as a dialect sees it. Ids are hex in lower case.
type Span struct {
	TraceID, SpanID, ParentID string
	Name                      string
	Kind                      Kind
	Start, End                int64 // Unix nanoseconds; 0 when not sent
	Failed                    bool  // the status is ERROR; OK and UNSET are the same
	StatusMessage             string
	Scope, ScopeVersion       string
	Attributes                []Attribute
	Dropped                   int // attributes that the SDK left out, at its limit
	Resource                  []Attribute
	Events                    []Event
	// Logs are the log records that name this span, in the order of their times: some
	// libraries send content there.
	Logs []Event
}

// Kind is a span's kind, numbered as in OTLP.
type Kind int32

// The kinds that matter here.
const (
	Internal Kind = 1
	Client   Kind = 3
)

// Event is a named moment of a span, or a log record.
type Event struct {
	Name       string
	Time       int64 // Unix nanoseconds
	Attributes []Attribute
	Body       Value // of a log record
}

// Attribute is a key with its value.
type Attribute struct {
	Key   string
	Value Value
}

// Value is the value of an attribute.
type Value struct {
	Type Type
	// Text is a string's text; of a list, a map or bytes their JSON (bytes in base64).
	Text string
	Int  int64   // of an integer; 1 is true
	Num  float64 // of a double
}

// Type says how a Value is held.
type Type uint8

// The types of a Value.
const (
	Null Type = iota
	String
	Bool
	Int
	Double
	List
	Map
	Bytes
)

// find is the value of key, the last one when it was sent twice.
func find(attrs []Attribute, key string) (Value, bool) {
	for i := len(attrs) - 1; i >= 0; i-- {
		if attrs[i].Key == key {
			return attrs[i].Value, true
		}
	}
	return Value{}, false
}

// get is the value of the first of keys that is there and neither null nor an empty string.
func (r *reader) get(keys ...string) (v Value, key string) {
	for _, key := range keys {
		if !r.keys.may(key) {
			continue
		}
		if v, ok := find(r.Attributes, key); ok && v.Type != Null && (v.Type != String || v.Text != "") {
			return v, key
		}
	}
	return Value{}, ""
}

// has says whether the span has an attribute of that key, whatever its value.
func (r *reader) has(key string) bool {
	if !r.keys.may(key) {
		return false
	}
	_, ok := find(r.Attributes, key)
	return ok
}

// prefixed says whether a key begins with prefix.
func (s *Span) prefixed(prefix string) bool {
	for i := range s.Attributes {
		if strings.HasPrefix(s.Attributes[i].Key, prefix) {
			return true
		}
	}
	return false
}

// text is the first of keys that holds text; a number or a boolean is its text.
func (r *reader) text(keys ...string) string {
	v, _ := r.get(keys...)
	return v.String()
}

// resource is the text of an attribute of the resource.
func (s *Span) resource(key string) string {
	v, _ := find(s.Resource, key)
	return v.String()
}

// String is the value as text, as JSON where it is no scalar.
func (v Value) String() string {
	switch v.Type {
	case Bool:
		return strconv.FormatBool(v.Int != 0)
	case Int:
		return strconv.FormatInt(v.Int, 10)
	case Double:
		return strconv.FormatFloat(v.Num, 'g', -1, 64)
	}
	return v.Text
}

// Count is a number of tokens. Not sent is not 0.
type Count struct {
	N    int64
	Sent bool
}

// Number is a figure that may not have been sent.
type Number struct {
	V    float64
	Sent bool
}

// plus is the sum of what was sent of the two.
func (n Number) plus(o Number) Number { return Number{n.V + o.V, n.Sent || o.Sent} }

// count reads a whole number from 0, also from text.
func (v Value) count() Count {
	switch v.Type {
	case Int:
		return Count{v.Int, v.Int >= 0}
	case Double:
		if v.Num >= 0 && v.Num < 1<<53 && v.Num == math.Trunc(v.Num) {
			return Count{int64(v.Num), true}
		}
	case String:
		n, err := strconv.ParseInt(strings.TrimSpace(v.Text), 10, 64)
		return Count{n, err == nil && n >= 0}
	}
	return Count{}
}

// number reads a finite number, also from text.
func (v Value) number() Number {
	switch v.Type {
	case Int:
		return Number{float64(v.Int), true}
	case Double:
		return Number{v.Num, !math.IsNaN(v.Num) && !math.IsInf(v.Num, 0)}
	case String:
		f, err := strconv.ParseFloat(strings.TrimSpace(v.Text), 64)
		return Number{f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)}
	}
	return Number{}
}
