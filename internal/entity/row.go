package entity

import (
	"encoding/binary"
	"errors"
	"math"
)

// Row is the Fields of one event in bytes, without those that are held as JSON, which only the payload
// has, and without notes. It travels from acceptance to the warehouse: it holds no pointers, and most rows take less than 200 bytes.
// It is not a form of any file.
//
// It is the kind and the rank (a byte each), the content (8 bytes, little-endian), the entity's id and then the
// values: a byte that is the Field, and a text (its length as a uvarint, and its bytes), a varint, 8 bytes of a
// float, or a list (its length as a uvarint, and its texts), as Field.Type says.
type Row []byte

// rowHead is how many bytes stand before the entity's id.
const rowHead = 10

// AppendRow appends the row of f to dst.
func (f *Fields) AppendRow(dst []byte) []byte {
	dst = append(dst, byte(f.Kind), byte(f.Rank))
	dst = binary.LittleEndian.AppendUint64(dst, f.Content)
	dst = appendText(dst, f.EntityID)
	for i := range f.Values {
		dst = f.Values[i].appendTo(dst)
	}
	return dst
}

func (v *FieldValue) appendTo(dst []byte) []byte {
	t := v.Field.Type()
	if t == JSON {
		return dst
	}
	dst = append(dst, byte(v.Field))
	switch t {
	case Text:
		return appendText(dst, v.Text)
	case Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Num))
	case List:
		dst = binary.AppendUvarint(dst, uint64(len(v.List)))
		for _, s := range v.List {
			dst = appendText(dst, s)
		}
		return dst
	}
	return binary.AppendVarint(dst, v.Int)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// errRow is the error of bytes that are no row.
var errRow = errors.New("not a row of fields")

// Kind is the kind of the entity that the event is about; 0 of no row.
func (r Row) Kind() Kind {
	if len(r) < rowHead {
		return 0
	}
	return Kind(r[0])
}

// Rank is the event's rank.
func (r Row) Rank() Rank {
	if len(r) < rowHead {
		return 0
	}
	return Rank(r[1])
}

// Content is Fields.Content.
func (r Row) Content() uint64 {
	if len(r) < rowHead {
		return 0
	}
	return binary.LittleEndian.Uint64(r[2:])
}

// EntityID is the entity's id; it shares the row's memory.
func (r Row) EntityID() []byte {
	c := rowCursor{rest: r}
	if !c.head() {
		return nil
	}
	return c.text()
}

// Get returns the bytes of the first value of a field that is a text, which share the row's memory; nil when the row has none.
func (r Row) Get(f Field) []byte {
	c := rowCursor{rest: r}
	if !c.head() {
		return nil
	}
	c.text()
	for c.next() {
		if c.field == f && f.Type() == Text {
			return c.text()
		}
		c.skip()
	}
	return nil
}

// Unpack sets f, whose Values are used again, to what was packed. Its texts share one string with the row's bytes copied.
func (r Row) Unpack(f *Fields) error {
	c := rowCursor{rest: r, whole: string(r)}
	values := f.Values[:0]
	*f = Fields{}
	if !c.head() {
		return errRow
	}
	f.Kind, f.Rank, f.Content, f.EntityID = r.Kind(), r.Rank(), r.Content(), c.copied()
	f.Values, _ = c.values(values, nil)
	if c.bad {
		return errRow
	}
	return nil
}

// Fields is what was packed, in memory of its own; nil for bytes that are no row.
func (r Row) Fields() *Fields {
	f := &Fields{}
	if r.Unpack(f) != nil {
		return nil
	}
	return f
}

// rowCursor reads a row from its begin to its end. What it reads behind bytes that are wrong is zero.
type rowCursor struct {
	rest  []byte
	whole string // the row as a string
	field Field
	bad   bool
}

// head passes over what has a fixed place.
func (c *rowCursor) head() bool {
	if len(c.rest) < rowHead {
		return false
	}
	c.rest = c.rest[rowHead:]
	return true
}

// next reads the field of the value that follows; false behind the last.
func (c *rowCursor) next() bool {
	if c.bad || len(c.rest) == 0 {
		return false
	}
	c.field, c.rest = Field(c.rest[0]), c.rest[1:]
	if c.field >= NumFields || c.field.Type() == JSON || c.field.Type() == Flag {
		c.bad = true
	}
	return !c.bad
}

// values appends what follows to dst, and the elements of lists to lists.
func (c *rowCursor) values(dst []FieldValue, lists []string) ([]FieldValue, []string) {
	if lists == nil {
		lists = []string{} // an empty list is one
	}
	for c.next() {
		dst = append(dst, FieldValue{Field: c.field})
		v := &dst[len(dst)-1]
		switch c.field.Type() {
		case Text:
			v.Text = c.copied()
		case Float:
			v.Num = math.Float64frombits(c.fixed())
		case List:
			from := len(lists)
			for n := c.uvarint(); n > 0 && !c.bad; n-- {
				lists = append(lists, c.copied())
			}
			v.List = lists[from:len(lists):len(lists)]
		default:
			v.Int = c.varint()
		}
	}
	return dst, lists
}

// skip passes over the value of field.
func (c *rowCursor) skip() {
	switch c.field.Type() {
	case Text:
		c.text()
	case Float:
		c.fixed()
	case List:
		for n := c.uvarint(); n > 0 && !c.bad; n-- {
			c.text()
		}
	default:
		c.varint()
	}
}

// copied is the text that follows, out of whole.
func (c *rowCursor) copied() string {
	b := c.text()
	end := len(c.whole) - len(c.rest)
	return c.whole[end-len(b) : end]
}

func (c *rowCursor) text() []byte {
	n := c.uvarint()
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *rowCursor) fixed() uint64 {
	if len(c.rest) < 8 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(c.rest)
	c.rest = c.rest[8:]
	return v
}

func (c *rowCursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *rowCursor) varint() int64 {
	v, n := binary.Varint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *rowCursor) fail() { c.bad, c.rest = true, nil }
