package entity

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/varint"
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
	dst = varint.AppendString(dst, f.EntityID)
	for i := range f.Values {
		dst = f.Values[i].appendTo(dst)
	}
	return dst
}

// AppendBrought appends to a row what Brought adds to Fields.
func AppendBrought(row []byte, keyID string) []byte {
	if keyID == "" {
		return row
	}
	v := FieldValue{Field: KeyID, Text: keyID}
	return v.appendTo(row)
}

func (v *FieldValue) appendTo(dst []byte) []byte {
	t := v.Field.Type()
	if t == JSON {
		return dst
	}
	dst = append(dst, byte(v.Field))
	switch t {
	case Text:
		return varint.AppendString(dst, v.Text)
	case Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Num))
	case List:
		dst = binary.AppendUvarint(dst, uint64(len(v.List)))
		for _, s := range v.List {
			dst = varint.AppendString(dst, s)
		}
		return dst
	}
	return binary.AppendVarint(dst, v.Int)
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
	c := r.cursor()
	return c.Bytes()
}

// Get returns the bytes of the first value of a field that is a text, which share the row's memory; nil when the row has none.
func (r Row) Get(f Field) []byte {
	c := r.cursor()
	c.Bytes()
	for c.next() {
		if c.field == f && f.Type() == Text {
			return c.Bytes()
		}
		c.skip()
	}
	return nil
}

// View sets f, whose Values are used again, to what was packed. Its texts are the row's memory, which must not change while
// f is in use.
func (r Row) View(f *Fields) error {
	values, _, err := r.appendValues(f.Values[:0], nil)
	if err != nil {
		*f = Fields{Values: values[:0]}
		return err
	}
	*f = Fields{Kind: r.Kind(), Rank: r.Rank(), Content: r.Content(), EntityID: rawjson.Alias(r.EntityID()), Values: values}
	return nil
}

// Fields is what was packed, in memory of its own; nil for bytes that are no row.
func (r Row) Fields() *Fields {
	f := &Fields{}
	if slices.Clone(r).View(f) != nil {
		return nil
	}
	return f
}

// appendValues appends the values to dst, and the elements of their lists to lists. Texts are the row's memory.
func (r Row) appendValues(dst []FieldValue, lists []string) ([]FieldValue, []string, error) {
	if lists == nil {
		lists = []string{} // an empty list is one
	}
	c := r.cursor()
	c.Bytes()
	for c.next() {
		dst = append(dst, FieldValue{Field: c.field})
		v := &dst[len(dst)-1]
		switch c.field.Type() {
		case Text:
			v.Text = c.text()
		case Float:
			v.Num = c.float()
		case List:
			from := len(lists)
			for n := c.Uvarint(); n > 0 && !c.Bad; n-- {
				lists = append(lists, c.text())
			}
			v.List = lists[from:len(lists):len(lists)]
		default:
			v.Int = c.Varint()
		}
	}
	if c.Bad {
		return dst, lists, errRow
	}
	return dst, lists, nil
}

// rowCursor reads a row from its entity's id to its end. What it reads behind bytes that are wrong is zero.
type rowCursor struct {
	varint.Reader
	field Field
}

func (r Row) cursor() rowCursor {
	if len(r) < rowHead {
		return rowCursor{Reader: varint.Reader{Bad: true}}
	}
	return rowCursor{Reader: varint.Reader{B: r[rowHead:]}}
}

// next reads the field of the value that follows; false behind the last.
func (c *rowCursor) next() bool {
	if c.Bad || len(c.B) == 0 {
		return false
	}
	c.field, c.B = Field(c.B[0]), c.B[1:]
	c.Bad = c.field >= NumFields || c.field.Type() == JSON || c.field.Type() >= Flag
	return !c.Bad
}

// skip passes over the value of field.
func (c *rowCursor) skip() {
	switch c.field.Type() {
	case Text:
		c.Bytes()
	case Float:
		c.float()
	case List:
		for n := c.Uvarint(); n > 0 && !c.Bad; n-- {
			c.Bytes()
		}
	default:
		c.Varint()
	}
}

func (c *rowCursor) text() string { return rawjson.Alias(c.Bytes()) }

func (c *rowCursor) float() float64 {
	b := c.Take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}
