package duckstore

import (
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// rowReader reads some columns of observations from blocks straight into rows. It is the reverse of putMembers.
type rowReader struct {
	columns []column
	cells   []cell
	data    []unsafe.Pointer // of the block at hand, all columns
	valids  []validity
	from    int
	absent  []cell // of what is NULL in all rows, and is not read
}

// newRowReader reads the columns of those names.
func newRowReader(names []string) *rowReader {
	r := &rowReader{}
	for _, name := range names {
		i := slices.IndexFunc(observationTable.columns, func(c column) bool { return c.name == name })
		if i < 0 {
			panic(fmt.Sprintf("duckstore: observations have no column %q", name))
		}
		r.columns, r.cells = append(r.columns, observationTable.columns[i]), append(r.cells, observationTable.cells[i])
	}
	return r
}

// leaveOut has those columns not read that no row has a value of, which count says of each.
func (r *rowReader) leaveOut(count func(columns []column) ([]int64, error)) error {
	values, err := count(r.columns)
	if err != nil {
		return err
	}
	columns, cells := r.columns[:0], r.cells[:0]
	for i, n := range values {
		if n == 0 {
			r.absent = append(r.absent, r.cells[i])
			continue
		}
		columns, cells = append(columns, r.columns[i]), append(cells, r.cells[i])
	}
	r.columns, r.cells = columns, cells
	return nil
}

func (r *rowReader) list() string { return names(r.columns) }

// begin takes a block, in which the columns begin at from.
func (r *rowReader) begin(b block, from int) {
	r.data, r.valids, r.from = r.data[:0], r.valids[:0], from
	for i := range b.columns {
		r.data, r.valids = append(r.data, mapping.VectorGetData(b.vector(i))), append(r.valids, b.valid(i))
	}
}

// clear is what read makes of NULL.
func (c *cell) clear(to unsafe.Pointer) {
	switch c.as {
	case textCell:
		*(*string)(to) = ""
	case boolCell:
		*(*bool)(to) = false
	case intCell, floatCell:
		*(*int64)(to) = 0
	case intPointerCell, floatPointerCell:
		*(*unsafe.Pointer)(to) = nil
	case timeCell:
		*(*time.Time)(to) = time.Time{}
	}
}

// numbers is a column of the block, valid where the column is not NULL.
func (r *rowReader) numbers(column int) []int64 {
	return unsafe.Slice((*int64)(r.data[column]), chunkRows)
}

// text is a value of a column of texts, in the block's memory; "" of NULL.
func (r *rowReader) text(column, i int) string {
	if !r.valids[column].has(i) {
		return ""
	}
	return (*text)(unsafe.Add(r.data[column], i*int(unsafe.Sizeof(text{})))).view()
}

func (r *rowReader) valid(column int) validity { return r.valids[column] }

// read makes o the i-th row, as far as it is read: of other members it leaves what is there. It is in the block's memory.
func (r *rowReader) read(i int, o *observationRow) {
	for _, cell := range r.absent {
		cell.clear(unsafe.Add(unsafe.Pointer(o), cell.at))
	}
	for k, cell := range r.cells {
		known := r.valids[r.from+k].has(i)
		from, to := r.data[r.from+k], unsafe.Add(unsafe.Pointer(o), cell.at)
		number := unsafe.Add(from, i*8)
		switch cell.as {
		case textCell:
			s := ""
			if known {
				s = (*text)(unsafe.Add(from, i*int(unsafe.Sizeof(text{})))).view()
			}
			*(*string)(to) = s
		case boolCell:
			*(*bool)(to) = known && *(*bool)(unsafe.Add(from, i))
		case intCell:
			*(*int64)(to) = 0
			if known {
				*(*int64)(to) = *(*int64)(number)
			}
		case intPointerCell:
			if !known {
				number = nil
			}
			*(**int64)(to) = (*int64)(number)
		case floatCell:
			*(*float64)(to) = 0
			if known {
				*(*float64)(to) = *(*float64)(number)
			}
		case floatPointerCell:
			if !known {
				number = nil
			}
			*(**float64)(to) = (*float64)(number)
		case timeCell:
			*(*time.Time)(to) = time.Time{}
			if known {
				*(*time.Time)(to) = microTime(*(*int64)(number))
			}
		default:
			panic("duckstore: a list or a time that may be absent is not read")
		}
	}
}
