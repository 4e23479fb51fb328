package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// saidInput is the columns of the field table.
type saidInput struct {
	in    proto.Input
	cells []func(v *entity.FieldValue) // nil v: it is not said
	of    [entity.NumFields]int        // the cell of a field, +1
}

func newSaidInput() *saidInput {
	columns, fields := saidColumns()
	s := &saidInput{}
	for i, f := range fields {
		s.of[f] = i + 1
		data, cell := saidCell(f.Type(), columns[i].typ)
		s.in, s.cells = append(s.in, proto.InputColumn{Name: columns[i].name, Data: data}), append(s.cells, cell)
	}
	return s
}

func (s *saidInput) add(fs *entity.Fields) {
	var said [entity.NumFields]*entity.FieldValue
	for i := range fs.Values {
		if at := s.of[fs.Values[i].Field]; at > 0 {
			said[at-1] = &fs.Values[i]
		}
	}
	for i, cell := range s.cells {
		cell(said[i])
	}
}

// saidCell is a column of values of a field.
func saidCell(held entity.FieldType, typ string) (proto.ColInput, func(v *entity.FieldValue)) {
	switch held {
	case entity.Integer:
		c := new(proto.ColInt64).Nullable()
		return c, func(v *entity.FieldValue) {
			if v == nil {
				c.Append(proto.Null[int64]())
				return
			}
			c.Append(proto.NewNullable(v.Int))
		}
	case entity.Time:
		c := proto.NewColNullable[proto.DateTime64](micros())
		return c, func(v *entity.FieldValue) {
			if v == nil {
				c.Append(proto.Null[proto.DateTime64]())
				return
			}
			c.Append(proto.NewNullable(proto.DateTime64(v.Int)))
		}
	case entity.Float:
		c := new(proto.ColFloat64).Nullable()
		return c, func(v *entity.FieldValue) {
			if v == nil {
				c.Append(proto.Null[float64]())
				return
			}
			c.Append(proto.NewNullable(v.Num))
		}
	case entity.List:
		c := proto.NewArray[string](new(proto.ColStr).LowCardinality())
		return c, func(v *entity.FieldValue) {
			if v == nil {
				c.Append(nil)
				return
			}
			c.Append(v.List)
		}
	}
	add := func(text func(string)) func(*entity.FieldValue) {
		return func(v *entity.FieldValue) {
			if v == nil {
				text("")
				return
			}
			text(v.Text)
		}
	}
	if typ == "LowCardinality(String)" {
		c := new(proto.ColStr).LowCardinality()
		return c, add(c.Append)
	}
	c := new(proto.ColStr)
	return c, add(c.Append)
}
