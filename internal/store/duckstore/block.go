package duckstore

import (
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// block is some rows of a result, column by column. What its views return is valid
// only until scan's callback returns.
type block struct {
	chunk         mapping.DataChunk
	rows, columns int
}

func (b block) vector(column int) mapping.Vector {
	return mapping.DataChunkGetVector(b.chunk, mapping.IdxT(column))
}

// values is the values of a column, whose type the query says; where it is NULL they
// mean nothing.
func values[T any](b block, column int) []T {
	return unsafe.Slice((*T)(mapping.VectorGetData(b.vector(column))), b.rows)
}

func (b block) int64s(column int) []int64    { return values[int64](b, column) }
func (b block) uint64s(column int) []uint64  { return values[uint64](b, column) }
func (b block) floats(column int) []float64  { return values[float64](b, column) }
func (b block) bytes(column int) []uint8     { return values[uint8](b, column) }
func (b block) texts(column int) []text      { return values[text](b, column) }
func (b block) lists(column int) []listEntry { return values[listEntry](b, column) }
func (b block) text(column, row int) string  { return strings.Clone(b.texts(column)[row].view()) }
func (b block) number(column, row int) int64 { return b.int64s(column)[row] }

// valid says which rows of a column are not NULL.
func (b block) valid(column int) validity {
	return validity{(*[chunkRows / 64]uint64)(mapping.VectorGetValidity(b.vector(column)))}
}

// validity is DuckDB's mask of the rows that have a value; none means all have.
type validity struct{ mask *[chunkRows / 64]uint64 }

func (v validity) has(row int) bool {
	return v.mask == nil || v.mask[row/64]&(1<<(row%64)) != 0
}

// numbers is the list of a BIGINT[] column's row, copied.
func (b block) numbers(column, row int) []int64 {
	e := b.lists(column)[row]
	child := mapping.ListVectorGetChild(b.vector(column))
	return append([]int64(nil), unsafe.Slice((*int64)(mapping.VectorGetData(child)), e.offset+e.length)[e.offset:]...)
}

// list copies the list of a VARCHAR[] column's row.
func (b block) list(column, row int) []string {
	e := b.lists(column)[row]
	child := mapping.ListVectorGetChild(b.vector(column))
	if e.length == 0 {
		return []string{}
	}
	all := unsafe.Slice((*text)(mapping.VectorGetData(child)), e.offset+e.length)[e.offset:]
	out := make([]string, len(all))
	for i := range all {
		out[i] = strings.Clone(all[i].view())
	}
	return out
}
