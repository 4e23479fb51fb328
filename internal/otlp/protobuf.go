package otlp

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// maxDepth is how deep lists and maps of attributes may nest.
const maxDepth = 64

func status(b []byte, s *otel.Span) error {
	m := message{rest: b}
	for m.next() {
		switch m.num {
		case 2:
			var err error
			if s.StatusMessage, err = str(m.bytes); err != nil {
				return err
			}
		case 3:
			s.Failed = m.n == 2
		}
	}
	return m.err
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
	m := message{rest: b}
	for m.next() {
		if m.num != 1 {
			continue
		}
		if len(to) > empty {
			to = append(to, ',')
		}
		var err error
		if typ == otel.Map {
			to, err = appendMember(to, m.bytes, depth)
		} else {
			to, err = appendAny(to, m.bytes, depth)
		}
		if err != nil {
			return to, err
		}
	}
	return append(to, end), m.err
}

func appendMember(to, b []byte, depth int) ([]byte, error) {
	var key string
	var val []byte
	m := message{rest: b}
	for m.next() {
		switch m.num {
		case 1:
			var err error
			if key, err = str(m.bytes); err != nil {
				return to, err
			}
		case 2:
			val = m.bytes
		}
	}
	if m.err != nil {
		return to, m.err
	}
	return appendAny(append(appendText(to, key), ':'), val, depth)
}

func appendAny(to, b []byte, depth int) ([]byte, error) {
	start := len(to)
	m := message{rest: b}
	var err error
	for m.next() && err == nil {
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
	}
	if err == nil {
		err = m.err
	}
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
func appendText(to []byte, s string) []byte { return rawjson.AppendString(to, s) }

var errUTF8 = errors.New("a text is not UTF-8")

// str is a text that shares the message's memory.
func str(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", errUTF8
	}
	return rawjson.Alias(b), nil
}

var errNoID = errors.New("an id is missing or all zero")

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
