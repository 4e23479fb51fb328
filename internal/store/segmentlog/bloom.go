package segmentlog

import (
	"encoding/binary"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// A filter says of a word, or of a mention, whether a stretch of the Log surely does not hold it.
const (
	bitsPerWord  = 10 // of the filter, which makes about 1.5 % false answers
	probes       = 6
	filterPart   = 1.0 / 32
	projectWords = "\x00" // before a project's name, so that it is no text's word
)

// hashSet is a set of hashes, none of them 0.
type hashSet struct {
	slots []uint64
	n     int
}

func (s *hashSet) add(h uint64) {
	if 4*s.n >= 3*len(s.slots) {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case 0:
			s.slots[i] = h
			s.n++
			return
		case h:
			return
		}
	}
}

func (s *hashSet) grow() {
	const least = 1 << 10
	old := s.slots
	s.slots, s.n = make([]uint64, max(2*len(old), least)), 0
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

func (s *hashSet) reset() {
	clear(s.slots)
	s.n = 0
}

// projectHash is the word that the events of a project have in common.
func projectHash(project string) uint64 { return textsearch.WordHash([]byte(projectWords + project)) }

// filterLines is the size in lines for n words in raw bytes of payload: text of
// nothing but rare words gets more false answers, not a larger filter.
func filterLines(n int, raw int64) int {
	const lineBits = 8 * bloom.LineBytes
	lines := (n*bitsPerWord + lineBits - 1) / lineBits
	most := int(float64(raw) * filterPart / bloom.LineBytes)
	return max(1, min(lines, most))
}

// appendFilter appends the filter of the set's words.
func (s *hashSet) appendFilter(b []byte, raw int64) []byte {
	f := bloom.New(filterLines(s.n, raw), probes)
	for _, h := range s.slots {
		if h != 0 {
			f.Add(h)
		}
	}
	return f.Append(b)
}

// stretch is a run of blocks that one filter covers.
type stretch struct {
	first, last entity.Seq
	off, end    int64  // in the segment file
	raw         int64  // bytes of the bodies, decompressed
	events      uint32 // stored or not
	at          int64  // of the filter, in its file; 0 when there is none
	lines       uint32 // of the filter
	sum         uint32 // checksum of the filter
	mem         []byte // the filter, of a segment that has no file of them yet; nil: none
}

// stretchBytes of bodies, decompressed, fill a stretch: as much as a recompressed block has.
const stretchBytes = packBytes

// maxSpan bounds the Seqs from the first to the last of a stretch.
const maxSpan = 1<<32 - 1

// takes says whether the block behind the stretch is part of it.
func (s *stretch) takes(h *blockHeader) bool {
	return s.raw < stretchBytes && h.last()-s.first <= maxSpan
}

// join adds a block to the stretches of a segment, in order.
func join(list []stretch, h *blockHeader, off int64) []stretch {
	if h.kind != kindEvents || h.bodyRaw == 0 {
		return list
	}
	if n := len(list); n == 0 || !list[n-1].takes(h) {
		list = append(list, stretch{first: h.first, off: off})
	}
	s := &list[len(list)-1]
	s.last, s.end = h.last(), off+h.size()
	s.raw += int64(h.bodyRaw)
	s.events += h.events
	return list
}

const stretchLen = 64 // bytes of a stretch in a filter file's directory

func (s *stretch) append(b []byte) []byte {
	for _, v := range [...]uint64{uint64(s.first), uint64(s.last), uint64(s.off), uint64(s.end), uint64(s.raw), uint64(s.at)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, s.events)
	b = binary.LittleEndian.AppendUint32(b, s.lines)
	b = binary.LittleEndian.AppendUint32(b, s.sum)
	return append(b, 0, 0, 0, 0)
}

func parseStretch(b []byte) stretch {
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return stretch{
		first: entity.Seq(at(0)), last: entity.Seq(at(1)), off: int64(at(2)), end: int64(at(3)), raw: int64(at(4)), at: int64(at(5)),
		events: binary.LittleEndian.Uint32(b[48:]), lines: binary.LittleEndian.Uint32(b[52:]), sum: binary.LittleEndian.Uint32(b[56:]),
	}
}
