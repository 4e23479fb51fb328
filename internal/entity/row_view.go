package entity

import (
	"math"
	"unsafe"
)

// View is Unpack without a copy of the texts: they are the row's memory, which must not change while f is in use.
func (r Row) View(f *Fields) error {
	c := rowCursor{rest: r, whole: unsafe.String(unsafe.SliceData(r), len(r))}
	values := f.Values[:0]
	*f = Fields{}
	if !c.head() {
		return errRow
	}
	f.Kind, f.Rank, f.Content, f.EntityID = r.Kind(), r.Rank(), r.Content(), c.copied()
	for c.next() {
		values = append(values, c.value())
	}
	f.Values = values
	if c.bad {
		return errRow
	}
	return nil
}

// value is the value of field that follows.
func (c *rowCursor) value() FieldValue {
	v := FieldValue{Field: c.field}
	switch c.field.Type() {
	case Text:
		v.Text = c.copied()
	case Float:
		v.Num = math.Float64frombits(c.fixed())
	case List:
		n := c.uvarint()
		v.List = make([]string, 0, min(n, uint64(len(c.rest))))
		for ; n > 0 && !c.bad; n-- {
			v.List = append(v.List, c.copied())
		}
	default:
		v.Int = c.varint()
	}
	return v
}
