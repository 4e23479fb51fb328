package duckstore

import (
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// cell is where a column's value stands in a row in memory, and as what.
type cell struct {
	at uintptr
	as cellType
}

// cellType is how a member of a row is put into a column.
type cellType uint8

const (
	textCell cellType = iota
	boolCell
	intCell
	intPointerCell
	floatCell
	floatPointerCell
	timeCell
	timePointerCell
	listCell
)

func cellOf[R any](m *entity.Member[R]) cell {
	c := cell{at: m.Offset()}
	switch p := m.In(new(R)).(type) {
	case *string:
		c.as = textCell
	case *bool:
		c.as = boolCell
	case *int64:
		c.as = intCell
	case **int64:
		c.as = intPointerCell
	case *float64:
		c.as = floatCell
	case **float64:
		c.as = floatPointerCell
	case *time.Time:
		c.as = timeCell
	case **time.Time:
		c.as = timePointerCell
	case *[]string:
		c.as = listCell
	default:
		panic(fmt.Sprintf("duckstore: no column can hold a %T", p))
	}
	return c
}

// putMembers writes a row of R into the columns behind the placed ones. What is nil, "" or no number that
// JSON can say stays NULL.
func (t *entityTable[R]) putMembers(c *chunk, row unsafe.Pointer) {
	word, bit, cols := c.rows/64, uint64(1)<<(c.rows%64), c.cols[numPlaced:]
	for i, cell := range t.cells {
		v, p := &cols[i], unsafe.Add(row, cell.at)
		switch cell.as {
		case textCell:
			s := *(*string)(p)
			if s == "" {
				continue
			}
			c.place((*text)(unsafe.Add(v.data, c.rows*int(unsafe.Sizeof(text{})))), s)
		case boolCell:
			*(*bool)(unsafe.Add(v.data, c.rows)) = *(*bool)(p)
		case intCell:
			*(*int64)(unsafe.Add(v.data, c.rows*8)) = *(*int64)(p)
		case intPointerCell:
			n := *(**int64)(p)
			if n == nil {
				continue
			}
			*(*int64)(unsafe.Add(v.data, c.rows*8)) = *n
		case floatCell, floatPointerCell:
			f := (*float64)(p)
			if cell.as == floatPointerCell {
				f = *(**float64)(p)
			}
			if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
				continue
			}
			*(*float64)(unsafe.Add(v.data, c.rows*8)) = *f
		case timeCell:
			*(*int64)(unsafe.Add(v.data, c.rows*8)) = (*time.Time)(p).UnixMicro()
		case timePointerCell:
			at := *(**time.Time)(p)
			if at == nil {
				continue
			}
			*(*int64)(unsafe.Add(v.data, c.rows*8)) = at.UnixMicro()
		case listCell:
			list := *(*[]string)(p)
			if len(list) > 0 {
				c.setList(numPlaced+i, list)
				continue
			}
			*(*listEntry)(unsafe.Add(v.data, c.rows*int(unsafe.Sizeof(listEntry{})))) = listEntry{}
		}
		v.valid[word] |= bit
	}
}
