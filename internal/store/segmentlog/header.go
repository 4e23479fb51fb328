package segmentlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// FormatVersion is the version of segment files, and of blocks, that this package writes. It reads all before it, too: what version 1
// has means the same in version 2, whose batches may say which key brought them.
const FormatVersion = 2

// The limits of the format. A larger batch is refused by Append.
const (
	headerLen = 64        // of a segment's header and of a block's, without bitmaps
	maxEvents = 1 << 20   // events of one block
	maxMeta   = 64 << 20  // bytes of a meta section, decompressed
	maxBody   = 512 << 20 // bytes of a body section, decompressed
)

// What a block holds.
const (
	kindEvents     = 1 // one batch as it was appended, or several after recompression
	kindJob        = 2 // the raw request of an asynchronous batch
	kindJobFailure = 3 // the end of a job that stored nothing
)

const (
	segmentMagic = "BROKLOG\x00"
	blockMagic   = "BLK\xb7"
	segmentExt   = ".seg"
	tempExt      = ".tmp"
)

const (
	flagPacked = 1 << 0 // segment: large blocks at a higher level

	flagDuplicates = 1 << 0 // block: a bitmap of duplicates follows the header
	flagErased     = 1 << 1 // block: a bitmap of erased events follows that
	flagS2         = 1 << 2 // block: a compressed body is an S2 block, not a zstd frame
)

// errDamaged is what the decoders answer for bytes that are not what was written.
var errDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) // the table is made once, inside
}

// segmentHeader opens every segment file.
type segmentHeader struct {
	flags   uint16
	salt    uint32     // carried by every block of the file
	base    entity.Seq // no block of the file starts before it; also the file's name
	last    entity.Seq // the last Seq of a file that was rewritten whole; 0 for one that was appended to
	created int64      // Unix µs
	newest  int64      // rewritten files: the latest commit time in it, Unix µs
	jobs    uint32     // rewritten files: the job requests in it
	prev    entity.Seq // the last Seq stored before base when the file was begun; 0: none, or not known
}

func (h *segmentHeader) append(b []byte) []byte {
	at := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint16(b, FormatVersion)
	b = binary.LittleEndian.AppendUint16(b, h.flags)
	b = binary.LittleEndian.AppendUint32(b, h.salt)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.base))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.last))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.created))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.newest))
	b = binary.LittleEndian.AppendUint32(b, h.jobs)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.prev))
	return binary.LittleEndian.AppendUint32(b, checksum(b[at:]))
}

func parseSegmentHeader(b []byte) (segmentHeader, error) {
	var h segmentHeader
	if len(b) < headerLen || string(b[:8]) != segmentMagic {
		return h, damaged("no segment header")
	}
	if binary.LittleEndian.Uint32(b[60:]) != checksum(b[:60]) {
		return h, damaged("checksum of segment header")
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v == 0 || v > FormatVersion {
		return h, fmt.Errorf("segment has format version %d and this program reads up to %d: use the release that wrote it, or a later one", v, FormatVersion)
	}
	h.flags = binary.LittleEndian.Uint16(b[10:])
	h.salt = binary.LittleEndian.Uint32(b[12:])
	h.base = entity.Seq(binary.LittleEndian.Uint64(b[16:]))
	h.last = entity.Seq(binary.LittleEndian.Uint64(b[24:]))
	h.created = int64(binary.LittleEndian.Uint64(b[32:]))
	h.newest = int64(binary.LittleEndian.Uint64(b[40:]))
	h.jobs = binary.LittleEndian.Uint32(b[48:])
	h.prev = entity.Seq(binary.LittleEndian.Uint64(b[52:]))
	return h, nil
}

// readHeader reads the header of a segment file. An error that is not errDamaged is one of reading, or of a format of
// another release.
func readHeader(r io.ReaderAt) (segmentHeader, error) {
	var b [headerLen]byte
	if _, err := r.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return segmentHeader{}, fmt.Errorf("read segment header: %w", err)
	}
	return parseSegmentHeader(b[:])
}

// segmentName is the file name of a segment: its base in 20 decimal digits, so
// that names sort as Seqs do.
func segmentName(base entity.Seq) string { return fmt.Sprintf("%020d%s", base, segmentExt) }

func parseSegmentName(name string) (entity.Seq, bool) {
	digits, ok := strings.CutSuffix(name, segmentExt)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return entity.Seq(n), err == nil && n > 0
}

// bitmap has one bit per event of a block; nil has none set.
type bitmap []byte

func bitmapLen(n int) int { return (n + 7) / 8 }

func (m bitmap) get(i int) bool { return m != nil && m[i>>3]&(1<<(i&7)) != 0 }
func (m bitmap) set(i int)      { m[i>>3] |= 1 << (i & 7) }

// own is a copy for n events that may be changed.
func (m bitmap) own(n int) bitmap { return append(make(bitmap, 0, bitmapLen(n)), m...)[:bitmapLen(n)] }

// blockHeader is the frame of a block: everything that says how to read it, with
// the two bitmaps. Sections follow it: meta, then body.
type blockHeader struct {
	kind      byte
	salt      uint32
	first     entity.Seq
	span      uint32 // Seqs taken: first … first+span-1
	events    uint32
	committed int64 // Unix µs
	// Lengths as stored, and decompressed. Equal means stored as it is.
	metaLen, metaRaw, bodyLen, bodyRaw uint32
	metaCRC, bodyCRC                   uint32 // of the sections as stored
	s2                                 bool   // a compressed body is an S2 block
	dups, erased                       bitmap
}

func (h *blockHeader) last() entity.Seq { return h.first + entity.Seq(h.span) - 1 }

func (h *blockHeader) holds(seq entity.Seq) bool { return h.first <= seq && seq <= h.last() }

// headLen is the length of the header with its bitmaps.
func (h *blockHeader) headLen() int { return headerLen + len(h.dups) + len(h.erased) }

// size is the length of the whole block in its file.
func (h *blockHeader) size() int64 {
	return int64(h.headLen()) + int64(h.metaLen) + int64(h.bodyLen)
}

func (h *blockHeader) append(b []byte) []byte {
	at := len(b)
	var flags uint16
	if h.dups != nil {
		flags |= flagDuplicates
	}
	if h.erased != nil {
		flags |= flagErased
	}
	if h.s2 {
		flags |= flagS2
	}
	b = append(b, blockMagic...)
	b = append(b, FormatVersion, h.kind)
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint32(b, h.salt)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.first))
	b = binary.LittleEndian.AppendUint32(b, h.span)
	b = binary.LittleEndian.AppendUint32(b, h.events)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.committed))
	for _, v := range [...]uint32{h.metaLen, h.metaRaw, h.bodyLen, h.bodyRaw, h.metaCRC, h.bodyCRC} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	crc := checksum(b[at : at+60])
	b = append(b, 0, 0, 0, 0)
	b = append(b, h.dups...)
	b = append(b, h.erased...)
	crc = crc32.Update(crc, crc32.MakeTable(crc32.Castagnoli), b[at+headerLen:])
	binary.LittleEndian.PutUint32(b[at+60:], crc)
	return b
}

// parseBlockHeader reads the fixed part of a header; b holds at least headerLen
// bytes. The bitmaps are there in length only, until withBitmaps has checked them.
func parseBlockHeader(b []byte) (blockHeader, error) {
	var h blockHeader
	if string(b[:4]) != blockMagic {
		return h, damaged("no block header")
	}
	if b[4] == 0 || b[4] > FormatVersion {
		return h, damaged("block has format version %d", b[4])
	}
	h.kind, h.s2 = b[5], binary.LittleEndian.Uint16(b[6:])&flagS2 != 0
	flags := binary.LittleEndian.Uint16(b[6:])
	h.salt = binary.LittleEndian.Uint32(b[8:])
	h.first = entity.Seq(binary.LittleEndian.Uint64(b[12:]))
	h.span = binary.LittleEndian.Uint32(b[20:])
	h.events = binary.LittleEndian.Uint32(b[24:])
	h.committed = int64(binary.LittleEndian.Uint64(b[28:]))
	for i, p := range [...]*uint32{&h.metaLen, &h.metaRaw, &h.bodyLen, &h.bodyRaw, &h.metaCRC, &h.bodyCRC} {
		*p = binary.LittleEndian.Uint32(b[36+4*i:])
	}
	if err := h.check(flags); err != nil {
		return h, err
	}
	if flags&flagDuplicates != 0 {
		h.dups = make(bitmap, bitmapLen(int(h.events)))
	}
	if flags&flagErased != 0 {
		h.erased = make(bitmap, bitmapLen(int(h.events)))
	}
	return h, nil
}

func (h *blockHeader) check(flags uint16) error {
	switch {
	case h.kind < kindEvents || h.kind > kindJobFailure:
		return damaged("block of kind %d", h.kind)
	case flags&^(flagDuplicates|flagErased|flagS2) != 0:
		return damaged("block flags %#x", flags)
	case h.first == 0 || h.span == 0 || h.events > maxEvents || h.span < h.events:
		return damaged("block of %d events in %d seqs from %d", h.events, h.span, h.first)
	case h.last() < h.first:
		return damaged("block ends beyond the last seq")
	case h.metaRaw > maxMeta || h.bodyRaw > maxBody || h.metaLen > h.metaRaw || h.bodyLen > h.bodyRaw:
		return damaged("section lengths")
	}
	return nil
}

// withBitmaps checks the header's checksum and takes the bitmaps; b holds the
// whole header.
func (h *blockHeader) withBitmaps(b []byte) error {
	crc := crc32.Update(checksum(b[:60]), crc32.MakeTable(crc32.Castagnoli), b[headerLen:h.headLen()])
	if crc != binary.LittleEndian.Uint32(b[60:]) {
		return damaged("checksum of block header")
	}
	n := copy(h.dups, b[headerLen:])
	copy(h.erased, b[headerLen+n:])
	return nil
}
