package columnar

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
)

// rowGroup is how many rows are in memory at most before they are written.
const rowGroup = 100_000

// Writer writes a file piece by piece. After an error it is of no use.
type Writer struct {
	columns []Column
	out     *parquet.GenericWriter[any]
	rows    []parquet.Row
}

// NewWriter begins a file; Close ends it. The names of columns must differ.
func NewWriter(w io.Writer, columns []Column) *Writer {
	schema := parquet.NewSchema("rows", schemaOf(columns))
	return &Writer{columns: columns, out: parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowGroup))}
}

// Write is NewWriter, its rows and Close.
func Write(w io.Writer, columns []Column, rows [][]any) error {
	x := NewWriter(w, columns)
	if err := x.Write(rows); err != nil {
		return err
	}
	return x.Close()
}

// Write adds rows, each with a value for each column.
func (w *Writer) Write(rows [][]any) error {
	w.rows = w.rows[:0]
	for _, row := range rows {
		cells, err := w.cells(row)
		if err != nil {
			return err
		}
		w.rows = append(w.rows, cells)
	}
	_, err := w.out.WriteRows(w.rows)
	return err
}

// Close writes the end of the file.
func (w *Writer) Close() error { return w.out.Close() }

// ordered is a group whose columns stay in their order: a parquet.Group sorts them by name.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}

func schemaOf(columns []Column) parquet.Node {
	o := ordered{Group: parquet.Group{}}
	for _, c := range columns {
		o.names = append(o.names, c.Name)
		o.Group[c.Name] = parquet.Optional(nodeOf(c.Kind))
	}
	return o
}

func nodeOf(k Kind) parquet.Node {
	switch k {
	case Integer:
		return parquet.Int(64)
	case Number:
		return parquet.Leaf(parquet.DoubleType)
	case Flag:
		return parquet.Leaf(parquet.BooleanType)
	case Time:
		return parquet.Timestamp(parquet.Microsecond)
	case Texts:
		return parquet.List(parquet.Optional(parquet.String()))
	}
	return parquet.String()
}

// cells is a row in the form of the file: its values with their levels (how deep they are there, and what they repeat).
func (w *Writer) cells(row []any) (parquet.Row, error) {
	var cells parquet.Row
	for i, c := range w.columns {
		if c.Kind == Texts {
			cells = appendTexts(cells, row[i], i)
			continue
		}
		v, err := c.value(row[i])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		depth := 1
		if v.IsNull() {
			depth = 0
		}
		cells = append(cells, v.Level(0, depth, i))
	}
	return cells, nil
}

// appendTexts adds a list: 0 deep is no list, 1 an empty one, 2 an element that is NULL and 3 an element.
func appendTexts(cells parquet.Row, v any, column int) parquet.Row {
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case []string:
		for _, s := range v {
			list = append(list, s)
		}
	default:
		return append(cells, parquet.NullValue().Level(0, 0, column))
	}
	if len(list) == 0 {
		return append(cells, parquet.NullValue().Level(0, 1, column))
	}
	for i, element := range list {
		repeats := min(i, 1)
		if text, ok := element.(string); ok {
			cells = append(cells, parquet.ByteArrayValue([]byte(text)).Level(repeats, 3, column))
		} else {
			cells = append(cells, parquet.NullValue().Level(repeats, 2, column))
		}
	}
	return cells
}

// value is a value in the form of its column.
func (c Column) value(v any) (parquet.Value, error) {
	if v == nil {
		return parquet.NullValue(), nil
	}
	switch c.Kind {
	case Integer:
		if n, ok := whole(v); ok {
			return parquet.Int64Value(n), nil
		}
	case Number:
		if f, ok := float(v); ok {
			return parquet.DoubleValue(f), nil
		}
	case Flag:
		if b, ok := v.(bool); ok {
			return parquet.BooleanValue(b), nil
		}
	case Time:
		if at, ok := moment(v); ok {
			return parquet.Int64Value(at.UnixMicro()), nil
		}
	case Text:
		if s, ok := v.(string); ok {
			return parquet.ByteArrayValue([]byte(s)), nil
		}
		return parquet.ByteArrayValue([]byte(JSON(v))), nil
	}
	return parquet.Value{}, fmt.Errorf("a %T is of another kind", v)
}

func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	}
	return 0, false
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

func moment(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		return t, err == nil
	}
	return time.Time{}, false
}
