package segmentlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

const (
	filterMagic  = "BROKFLT\x00"
	namesMagic   = "BROKFLN\x00" // of filters that know only whom events name
	filterExt    = ".flt"
	maxStretches = 1 << 22
)

// FilterVersion is the version of filter files that this package reads and writes. It
// also changes with what textsearch takes for a word or an attribute and with whom extract.MentionsOf finds named.
const FilterVersion = 4

// errOlderFilter says that a program made the filter file for which other words were words, or none were. It
// is no damage: the file is made again.
var errOlderFilter = errors.New("older filter")

// filterHeader opens a filter file. It names the segment file that the filters
// were made of: another one, of the same name, has another salt.
type filterHeader struct {
	names     bool // only: not the words
	salt      uint32
	base      entity.Seq
	end       int64 // bytes of the segment
	stretches uint32
	sum       uint32 // checksum of the directory
}

func (h *filterHeader) append(b []byte) []byte {
	at := len(b)
	if h.names {
		b = append(b, namesMagic...)
	} else {
		b = append(b, filterMagic...)
	}
	b = binary.LittleEndian.AppendUint32(b, FilterVersion)
	b = binary.LittleEndian.AppendUint32(b, h.salt)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.base))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.end))
	b = binary.LittleEndian.AppendUint32(b, h.stretches)
	b = binary.LittleEndian.AppendUint32(b, h.sum)
	b = append(b, make([]byte, headerLen-4-(len(b)-at))...)
	return binary.LittleEndian.AppendUint32(b, checksum(b[at:]))
}

func parseFilterHeader(b []byte) (filterHeader, error) {
	var h filterHeader
	if h.names = len(b) >= 8 && string(b[:8]) == namesMagic; len(b) < headerLen || !h.names && string(b[:8]) != filterMagic || binary.LittleEndian.Uint32(b[60:]) != checksum(b[:60]) {
		return h, damaged("header of filter file")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v < FilterVersion {
		return h, fmt.Errorf("%w: %w", errOlderFilter, damaged("filter file of version %d", v))
	} else if v != FilterVersion {
		return h, damaged("filter file of version %d", v)
	}
	h.salt = binary.LittleEndian.Uint32(b[12:])
	h.base = entity.Seq(binary.LittleEndian.Uint64(b[16:]))
	h.end = int64(binary.LittleEndian.Uint64(b[24:]))
	h.stretches = binary.LittleEndian.Uint32(b[32:])
	h.sum = binary.LittleEndian.Uint32(b[36:])
	return h, nil
}

// appendFilters makes a whole filter file.
func appendFilters(b []byte, h filterHeader, list []stretch) []byte {
	var directory []byte
	at := headerLen + int64(len(list))*stretchLen
	for _, s := range list {
		s.at, s.sum = at, checksum(s.mem)
		at += int64(len(s.mem))
		directory = s.append(directory)
	}
	h.stretches, h.sum = uint32(len(list)), checksum(directory)
	b = append(h.append(slices.Grow(b, int(at))), directory...)
	for _, s := range list {
		b = append(b, s.mem...)
	}
	return b
}

// readFilters reads and checks a filter file of size bytes whole, so that later a line
// of it can be believed. An error that is not errDamaged is one of reading.
func readFilters(r io.ReaderAt, size int64) (filterHeader, []stretch, error) {
	b := make([]byte, headerLen)
	if err := readFull(r, b, 0, size); err != nil {
		return filterHeader{}, nil, err
	}
	h, err := parseFilterHeader(b)
	if err != nil {
		return h, nil, err
	}
	length := int64(h.stretches) * stretchLen
	if h.stretches > maxStretches || headerLen+length > size {
		return h, nil, damaged("directory of filter file")
	}
	b = make([]byte, length)
	if err := readFull(r, b, headerLen, size); err != nil {
		return h, nil, err
	}
	if checksum(b) != h.sum {
		return h, nil, damaged("checksum of filter file's directory")
	}
	list := make([]stretch, h.stretches)
	var filter []byte
	for i, at := 0, headerLen+length; i < len(list); i++ {
		s := parseStretch(b[i*stretchLen:])
		n := int64(s.lines) * bloom.LineBytes
		if s.last-s.first > maxSpan || s.at != at || s.lines == 0 || n > size-at || s.last < s.first || s.off < headerLen || s.end <= s.off || s.end > h.end ||
			i > 0 && (s.first <= list[i-1].last || s.off < list[i-1].end) {
			return h, nil, damaged("stretch of filter file")
		}
		if int64(cap(filter)) < n {
			filter = make([]byte, n)
		}
		if err := readFull(r, filter[:n], at, size); err != nil {
			return h, nil, err
		}
		if checksum(filter[:n]) != s.sum {
			return h, nil, damaged("checksum of filter")
		}
		at += n
		list[i] = s
	}
	return h, list, nil
}

func readFull(r io.ReaderAt, b []byte, off, size int64) error {
	if off+int64(len(b)) > size {
		return damaged("filter file ends early")
	}
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return damaged("filter file ends early")
	}
	return fmt.Errorf("read filter file: %w", err)
}

// filterFile is the filter file beside a segment.
type filterFile struct {
	id   uint64 // of its handle
	path string
}

func filterPath(segment string) string { return strings.TrimSuffix(segment, segmentExt) + filterExt }

// parseFilterName is parseSegmentName for the filter file beside a segment.
func parseFilterName(name string) (entity.Seq, bool) {
	digits, ok := strings.CutSuffix(name, filterExt)
	if !ok {
		return 0, false
	}
	return parseSegmentName(digits + segmentExt)
}

// removeFilter removes the segment's filter file, if it has one. Readers that have
// it open go on with it. The directory is the caller's to sync.
func (l *Log) removeFilter(seg *segment) error {
	seg.find.Lock()
	defer seg.find.Unlock()
	return l.removeFilterLocked(seg)
}

func (l *Log) removeFilterLocked(seg *segment) error {
	if seg.filter == nil {
		return nil
	}
	l.handles.drop(seg.filter.id)
	if err := l.fs.Remove(seg.filter.path); err != nil {
		return fmt.Errorf("remove filter file: %w", err)
	}
	seg.filter, seg.checked, seg.covered = nil, false, covered{}
	return nil
}

func (l *Log) removeFilters(segs []*segment) error {
	for _, seg := range segs {
		if err := l.removeFilter(seg); err != nil {
			return err
		}
	}
	return nil
}
