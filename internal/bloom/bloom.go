// Package bloom is a Bloom filter: it says of a hash that it was surely not added, or that it may have been. The bits of a hash
// lie in one line of 64 bytes (F. Putze, P. Sanders, J. Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007),
// so that asking costs one look into memory, or into a file. The form of a line in a file does not change: docs/format.md.
package bloom

import (
	"encoding/binary"
	"sync/atomic"
)

// LineBytes is the size of a line.
const LineBytes = 64

const (
	lineWords = LineBytes / 8
	placeBits = 9 // of a hash, for one of the 512 bits in a line
)

// Filter is a filter in memory. One caller at a time may add; any number may ask meanwhile.
type Filter struct {
	words  []atomic.Uint64
	lines  int
	probes int
}

// New returns an empty filter. Each hash sets up to probes bits, at most 7, in one of its lines.
func New(lines, probes int) *Filter {
	return &Filter{words: make([]atomic.Uint64, lines*lineWords), lines: lines, probes: probes}
}

// From is a filter whose lines a file has, as Append wrote them.
func From(lines []byte, probes int) *Filter {
	f := New(len(lines)/LineBytes, probes)
	for i := range f.words {
		f.words[i].Store(binary.LittleEndian.Uint64(lines[8*i:]))
	}
	return f
}

// Lines is how many lines the filter has.
func (f *Filter) Lines() int { return f.lines }

// Half is the filter in half the memory, with what had been added; it is wrong more often. The number of lines is even.
func (f *Filter) Half() *Filter {
	h := New(f.lines/2, f.probes)
	for i := range h.words {
		at := i/lineWords*2*lineWords + i%lineWords
		h.words[i].Store(f.words[at].Load() | f.words[at+lineWords].Load())
	}
	return h
}

// Bytes is what the filter takes.
func (f *Filter) Bytes() int { return f.lines * LineBytes }

func (f *Filter) line(h uint64) []atomic.Uint64 {
	at := LineOf(h, f.lines) * lineWords
	return f.words[at : at+lineWords : at+lineWords]
}

// Has says whether h may have been added.
func (f *Filter) Has(h uint64) bool {
	line := f.line(h)
	for places, i := placesOf(h), 0; i < f.probes; places, i = places>>placeBits, i+1 {
		if line[places>>6%lineWords].Load()>>(places%64)&1 == 0 {
			return false
		}
	}
	return true
}

// Touch brings the line of h near. Who asks for many first touches all, so that the waits for memory overlap.
func (f *Filter) Touch(h uint64) uint64 { return f.words[LineOf(h, f.lines)*lineWords].Load() }

// Add puts h in, and says whether it seemed to be there.
func (f *Filter) Add(h uint64) (had bool) {
	line := f.line(h)
	had = true
	for places, i := placesOf(h), 0; i < f.probes; places, i = places>>placeBits, i+1 {
		word, bit := &line[places>>6%lineWords], uint64(1)<<(places%64)
		if word.Load()&bit == 0 {
			word.Or(bit)
			had = false
		}
	}
	return had
}

// Append appends the filter's lines as a file has them.
func (f *Filter) Append(b []byte) []byte {
	for i := range f.words {
		b = binary.LittleEndian.AppendUint64(b, f.words[i].Load())
	}
	return b
}

// LineOf is which of so many lines has the bits of h.
func LineOf(h uint64, lines int) int { return int(h >> 32 * uint64(lines) >> 32) }

// LineHas is Has of a line that a file has, the one that LineOf names.
func LineHas(line []byte, probes int, h uint64) bool {
	for places, i := placesOf(h), 0; i < probes; places, i = places>>placeBits, i+1 {
		if line[places>>3%LineBytes]>>(places%8)&1 == 0 {
			return false
		}
	}
	return true
}

// placesOf are the places of h in its line, nine bits each, mixed so that they do not follow from the line.
func placesOf(h uint64) uint64 {
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}
