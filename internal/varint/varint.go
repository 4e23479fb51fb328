// Package varint writes values one behind the other, as stored sections and index entries have them, and reads them back
// from bytes that may be anything: integers of variable length (encoding/binary), and texts with their length before them.
package varint

import "encoding/binary"

// AppendString appends a text and its length.
func AppendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Reader takes values off B. After the first one that is not there it is Bad, and gives zeros.
type Reader struct {
	B   []byte // what is left
	Bad bool
}

func (r *Reader) advance(n int) {
	if n <= 0 {
		r.fail()
		return
	}
	r.B = r.B[n:]
}

func (r *Reader) fail() { r.Bad, r.B = true, nil }

// Uvarint reads what binary.AppendUvarint wrote.
func (r *Reader) Uvarint() uint64 {
	u, n := binary.Uvarint(r.B)
	r.advance(n)
	return u
}

// Varint reads what binary.AppendVarint wrote.
func (r *Reader) Varint() int64 {
	i, n := binary.Varint(r.B)
	r.advance(n)
	return i
}

// Take reads n bytes, which share the reader's memory.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.B)) {
		r.fail()
		return nil
	}
	taken := r.B[:n:n]
	r.B = r.B[n:]
	return taken
}

// Bytes reads what AppendString wrote; they share the reader's memory.
func (r *Reader) Bytes() []byte { return r.Take(r.Uvarint()) }

// Count reads a number of things that take at least size bytes each: more of them than can follow is bad.
func (r *Reader) Count(size int) int {
	n := r.Uvarint()
	if n > uint64(len(r.B)/size) {
		r.fail()
		return 0
	}
	return int(n)
}
