package duckstore

import (
	"runtime"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// chunkRows is how many rows a DuckDB data chunk holds.
const chunkRows = 2048

// chunk collects rows for the appender. Values are written straight into
// DuckDB's vectors: a call through cgo for each value and each NULL of more
// than forty columns would cost several times the rest of the insert.
type chunk struct {
	native mapping.DataChunk
	types  []mapping.LogicalType
	cols   []vector
	rows   int

	// Texts longer than 12 bytes wait here until the appender has copied the
	// chunk. The memory is Go's, pinned, because the vectors point into it.
	slabs [][]byte
	used  int // bytes of the last slab
	pins  runtime.Pinner
}

// vector is one column of the chunk.
type vector struct {
	native mapping.Vector
	data   unsafe.Pointer
	valid  *[chunkRows / 64]uint64
	list   *listChild // of a column of lists, else nil
}

// listChild holds the elements of all lists of a column of them.
type listChild struct {
	size, capacity int
	data           unsafe.Pointer
}

type listEntry struct{ offset, length uint64 }

const slabSize = 1 << 20

func newChunk(columns []column) *chunk {
	c := &chunk{cols: make([]vector, len(columns))}
	for i, col := range columns {
		c.types = append(c.types, logicalType(col.typ))
		if strings.HasSuffix(col.typ, "[]") {
			c.cols[i].list = &listChild{}
		}
	}
	c.native = mapping.CreateDataChunk(c.types)
	c.attach()
	return c
}

func logicalType(name string) mapping.LogicalType {
	if element, list := strings.CutSuffix(name, "[]"); list {
		element := logicalType(element)
		defer mapping.DestroyLogicalType(&element)
		return mapping.CreateListType(element)
	}
	switch name {
	case "VARCHAR":
		return mapping.CreateLogicalType(mapping.TypeVarchar)
	case "BIGINT":
		return mapping.CreateLogicalType(mapping.TypeBigInt)
	case "DOUBLE":
		return mapping.CreateLogicalType(mapping.TypeDouble)
	case "UTINYINT":
		return mapping.CreateLogicalType(mapping.TypeUTinyInt)
	case "UBIGINT":
		return mapping.CreateLogicalType(mapping.TypeUBigInt)
	case "BLOB":
		return mapping.CreateLogicalType(mapping.TypeBlob)
	case "BOOLEAN":
		return mapping.CreateLogicalType(mapping.TypeBoolean)
	}
	panic("duckstore: no such column type: " + name)
}

// attach finds the vectors' memory and makes every value NULL.
func (c *chunk) attach() {
	c.rows, c.used = 0, 0
	if len(c.slabs) > 1 {
		c.pins.Unpin()
		c.slabs = c.slabs[:0]
	}
	for i := range c.cols {
		v := &c.cols[i]
		v.native = mapping.DataChunkGetVector(c.native, mapping.IdxT(i))
		mapping.VectorEnsureValidityWritable(v.native)
		v.data = mapping.VectorGetData(v.native)
		v.valid = (*[chunkRows / 64]uint64)(mapping.VectorGetValidity(v.native))
		*v.valid = [chunkRows / 64]uint64{}
		if v.list != nil {
			*v.list = listChild{}
			// A NULL list is read as an entry too; it must be an empty one.
			clear(unsafe.Slice((*listEntry)(v.data), chunkRows))
		}
	}
}

// reset empties the chunk for the next rows.
func (c *chunk) reset() {
	mapping.DataChunkReset(c.native)
	c.attach()
}

func (c *chunk) close() {
	mapping.DestroyDataChunk(&c.native)
	for i := range c.types {
		mapping.DestroyLogicalType(&c.types[i])
	}
	c.pins.Unpin()
}

// The setters write into the row that next will finish. A column that none of
// them was called for is NULL.

func (c *chunk) setInt(col int, n int64) {
	v := &c.cols[col]
	*(*int64)(unsafe.Add(v.data, c.rows*8)) = n
	v.valid[c.rows/64] |= 1 << (c.rows % 64)
}

func (c *chunk) setUint(col int, n uint64) { c.setInt(col, int64(n)) } // the same bits

func (c *chunk) setFloat(col int, f float64) {
	v := &c.cols[col]
	*(*float64)(unsafe.Add(v.data, c.rows*8)) = f
	v.valid[c.rows/64] |= 1 << (c.rows % 64)
}

func (c *chunk) setByte(col int, b uint8) {
	v := &c.cols[col]
	*(*uint8)(unsafe.Add(v.data, c.rows)) = b
	v.valid[c.rows/64] |= 1 << (c.rows % 64)
}

func (c *chunk) setText(col int, s string) {
	v := &c.cols[col]
	c.place((*text)(unsafe.Add(v.data, c.rows*int(unsafe.Sizeof(text{})))), s)
	v.valid[c.rows/64] |= 1 << (c.rows % 64)
}

func (c *chunk) setList(col int, list []string) {
	at := c.list(col, len(list), unsafe.Sizeof(text{}))
	for i, s := range list {
		c.place((*text)(unsafe.Add(at, i*int(unsafe.Sizeof(text{})))), s)
	}
}

func (c *chunk) setInts(col int, list []int64) {
	copy(unsafe.Slice((*int64)(c.list(col, len(list), 8)), len(list)), list)
}

// list makes room for a list of n elements of size bytes, and returns where they go.
func (c *chunk) list(col, n int, size uintptr) unsafe.Pointer {
	v := &c.cols[col]
	l := v.list
	if l.size+n > l.capacity {
		l.capacity = max(2*l.capacity, l.size+n, 64)
		mapping.ListVectorReserve(v.native, mapping.IdxT(l.capacity))
		l.data = mapping.VectorGetData(mapping.ListVectorGetChild(v.native))
	}
	*(*listEntry)(unsafe.Add(v.data, c.rows*int(unsafe.Sizeof(listEntry{})))) = listEntry{offset: uint64(l.size), length: uint64(n)}
	at := unsafe.Add(l.data, l.size*int(size))
	l.size += n
	v.valid[c.rows/64] |= 1 << (c.rows % 64)
	return at
}

// place makes t hold s.
func (c *chunk) place(t *text, s string) {
	if len(s) <= inlineText {
		t.setShort(s)
		return
	}
	last := len(c.slabs) - 1
	if last < 0 || len(c.slabs[last])-c.used < len(s) {
		slab := make([]byte, max(slabSize, len(s)))
		c.pins.Pin(&slab[0])
		c.slabs = append(c.slabs, slab)
		c.used = 0
		last++
	}
	p := &c.slabs[last][c.used]
	c.used += copy(c.slabs[last][c.used:], s)
	t.set(p, len(s))
}

// next finishes the row and says whether the chunk is full.
func (c *chunk) next() bool {
	c.rows++
	return c.rows == chunkRows
}

// appendTo hands the rows to the appender, which copies them.
func (c *chunk) appendTo(a mapping.Appender) error {
	if c.rows == 0 {
		return nil
	}
	for i := range c.cols {
		if l := c.cols[i].list; l != nil {
			mapping.ListVectorSetSize(c.cols[i].native, mapping.IdxT(l.size))
		}
	}
	mapping.DataChunkSetSize(c.native, mapping.IdxT(c.rows))
	state := mapping.AppendDataChunk(a, c.native)
	c.reset()
	if state == mapping.StateError {
		return appenderError(a)
	}
	return nil
}
