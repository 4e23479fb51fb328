package otlp

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// message walks the fields of a protobuf message.
type message struct {
	rest []byte
	// What next has read: the field's number, and its value.
	num   protowire.Number
	bytes []byte // of a length-delimited field
	n     uint64 // of any other
	err   error
}

var errTruncated = errors.New("the protobuf message is cut off or is none")

// next moves to the next field. Groups and unknown fields are read like any other; the caller passes
// over what it does not know.
func (m *message) next() bool {
	b := m.rest
	if len(b) == 0 || m.err != nil {
		return false
	}
	if len(b) > 1 && b[0] < 0x80 && b[0] >= 1<<3 && b[1] < 0x80 { // nearly every field, in a byte each
		switch n := 2 + int(b[1]); {
		case b[0]&7 == byte(protowire.BytesType) && n <= len(b):
			m.num, m.bytes, m.n, m.rest = protowire.Number(b[0]>>3), b[2:n], 0, b[n:]
			return true
		case b[0]&7 == byte(protowire.VarintType):
			m.num, m.bytes, m.n, m.rest = protowire.Number(b[0]>>3), nil, uint64(b[1]), b[2:]
			return true
		}
	}
	return m.slow()
}

// slow is next for any field.
func (m *message) slow() bool {
	num, typ, size := protowire.ConsumeTag(m.rest)
	if size < 0 {
		m.err = errTruncated
		return false
	}
	b := m.rest[size:]
	m.num, m.bytes, m.n = num, nil, 0
	switch typ {
	case protowire.BytesType:
		m.bytes, size = protowire.ConsumeBytes(b)
	case protowire.VarintType:
		m.n, size = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		m.n, size = protowire.ConsumeFixed64(b)
	case protowire.Fixed32Type:
		var n uint32
		n, size = protowire.ConsumeFixed32(b)
		m.n = uint64(n)
	default:
		size = protowire.ConsumeFieldValue(num, typ, b)
	}
	if size < 0 {
		m.err = errTruncated
		return false
	}
	m.rest = b[size:]
	return true
}

// walk calls read for each field of b.
func walk(b []byte, read func(m *message) error) error {
	m := message{rest: b}
	for m.next() {
		if err := read(&m); err != nil {
			return err
		}
	}
	return m.err
}

// within names the part of a message in which an error is.
func within(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
