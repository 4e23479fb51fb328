package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// maxDepth is how deep lists and maps of attributes may nest.
const maxDepth = 64

func spanOf(b []byte, s *otel.Span) error {
	if n := count(b, 9); n > 0 {
		s.Attributes = make([]otel.Attribute, 0, n)
	}
	err := walk(b, func(m *message) (err error) {
		switch m.num {
		case 1:
			s.TraceID, err = id(m.bytes, 16, "trace id")
		case 2:
			s.SpanID, err = id(m.bytes, 8, "span id")
		case 4:
			if s.ParentID, err = id(m.bytes, 8, "parent span id"); errors.Is(err, errNoID) {
				err = nil // a root
			}
		case 5:
			s.Name, err = str(m.bytes)
		case 6:
			s.Kind = otel.Kind(m.n)
		case 7:
			s.Start = int64(m.n)
		case 8:
			s.End = int64(m.n)
		case 9:
			err = attribute(m.bytes, &s.Attributes)
		case 11:
			err = within("event", event(m.bytes, &s.Events))
		case 15:
			err = within("status", status(m.bytes, s))
		}
		return err
	})
	if err == nil && (s.TraceID == "" || s.SpanID == "") {
		err = errNoID
	}
	return err
}

func status(b []byte, s *otel.Span) error {
	return walk(b, func(m *message) (err error) {
		switch m.num {
		case 2:
			s.StatusMessage, err = str(m.bytes)
		case 3:
			s.Failed = m.n == 2
		}
		return err
	})
}

func event(b []byte, events *[]otel.Event) error {
	var e otel.Event
	err := walk(b, func(m *message) (err error) {
		switch m.num {
		case 1:
			e.Time = int64(m.n)
		case 2:
			e.Name, err = str(m.bytes)
		case 3:
			err = attribute(m.bytes, &e.Attributes)
		}
		return err
	})
	*events = append(*events, e)
	return err
}

func attribute(b []byte, attrs *[]otel.Attribute) error {
	var a otel.Attribute
	var err error
	m := message{rest: b}
	for m.next() && err == nil {
		switch m.num {
		case 1:
			a.Key, err = str(m.bytes)
		case 2:
			a.Value, err = value(m.bytes)
		}
	}
	if err == nil {
		err = m.err
	}
	*attrs = append(*attrs, a)
	if err != nil {
		return within("attribute "+strconv.Quote(a.Key), err)
	}
	return nil
}

// value reads an AnyValue; lists and maps become JSON.
func value(b []byte) (v otel.Value, err error) {
	m := message{rest: b}
	for m.next() && err == nil {
		switch m.num {
		case 1:
			v.Type = otel.String
			v.Text, err = str(m.bytes)
		case 2:
			v = otel.Value{Type: otel.Bool, Int: int64(min(m.n, 1))}
		case 3:
			v = otel.Value{Type: otel.Int, Int: int64(m.n)}
		case 4:
			v = otel.Value{Type: otel.Double, Num: math.Float64frombits(m.n)}
		case 5, 6:
			v.Type = otel.List
			if m.num == 6 {
				v.Type = otel.Map
			}
			var text []byte
			text, err = appendContainer(nil, m.bytes, v.Type, 0)
			v.Text = rawjson.Alias(text)
		case 7:
			v = otel.Value{Type: otel.Bytes, Text: base64.StdEncoding.EncodeToString(m.bytes)}
		}
	}
	if err == nil {
		err = m.err
	}
	return v, err
}

var errDepth = errors.New("nested deeper than 64 levels")

// brackets are those of a list or a map in JSON.
func brackets(typ otel.Type) (open, end byte) {
	if typ == otel.Map {
		return '{', '}'
	}
	return '[', ']'
}

// appendContainer appends an ArrayValue or a KeyValueList as JSON.
func appendContainer(to, b []byte, typ otel.Type, depth int) ([]byte, error) {
	if depth > maxDepth {
		return to, errDepth
	}
	open, end := brackets(typ)
	to = append(to, open)
	empty := len(to)
	err := walk(b, func(m *message) (err error) {
		if m.num != 1 {
			return nil
		}
		if len(to) > empty {
			to = append(to, ',')
		}
		if typ == otel.Map {
			to, err = appendMember(to, m.bytes, depth)
		} else {
			to, err = appendAny(to, m.bytes, depth)
		}
		return err
	})
	return append(to, end), err
}

func appendMember(to, b []byte, depth int) ([]byte, error) {
	var key string
	var val []byte
	err := walk(b, func(m *message) (err error) {
		switch m.num {
		case 1:
			key, err = str(m.bytes)
		case 2:
			val = m.bytes
		}
		return err
	})
	if err != nil {
		return to, err
	}
	return appendAny(append(appendText(to, key), ':'), val, depth)
}

func appendAny(to, b []byte, depth int) ([]byte, error) {
	start := len(to)
	err := walk(b, func(m *message) (err error) {
		to = to[:start]
		switch m.num {
		case 1:
			var s string
			s, err = str(m.bytes)
			to = appendText(to, s)
		case 2:
			to = strconv.AppendBool(to, m.n != 0)
		case 3:
			to = strconv.AppendInt(to, int64(m.n), 10)
		case 4:
			to = appendDouble(to, math.Float64frombits(m.n))
		case 5:
			to, err = appendContainer(to, m.bytes, otel.List, depth+1)
		case 6:
			to, err = appendContainer(to, m.bytes, otel.Map, depth+1)
		case 7:
			to = appendText(to, base64.StdEncoding.EncodeToString(m.bytes))
		}
		return err
	})
	if len(to) == start {
		to = append(to, "null"...)
	}
	return to, err
}

func appendDouble(to []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(to, "null"...)
	}
	return strconv.AppendFloat(to, f, 'g', -1, 64)
}

// appendText appends a JSON string.
func appendText(to []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(to, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string always marshals
	return append(to, quoted...)
}

var errUTF8 = errors.New("a text is not UTF-8")

// str is a text that shares the message's memory.
func str(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", errUTF8
	}
	return rawjson.Alias(b), nil
}

var errNoID = errors.New("an id is missing or all zero")

// id is the hex of an id of size bytes.
func id(b []byte, size int, what string) (string, error) {
	if len(b) == 0 || allZero(b) {
		return "", within(what, errNoID)
	}
	if len(b) != size {
		return "", within(what, errors.New("must be "+strconv.Itoa(size)+" bytes, not "+strconv.Itoa(len(b))))
	}
	return hex.EncodeToString(b), nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// count is how many fields of b have the number.
func count(b []byte, num protowire.Number) (n int) {
	m := message{rest: b}
	for m.next() {
		if m.num == num {
			n++
		}
	}
	return n
}
