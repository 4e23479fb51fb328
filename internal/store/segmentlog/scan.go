package segmentlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// The read-ahead of a scanner that goes through whole blocks, and of one that
// wants headers only.
const (
	scanAhead   = 256 << 10
	headerAhead = 4 << 10
)

// scanner goes through the blocks of a segment file in order. Where bytes are
// not a block of this file it looks for the next that is, and counts what it passed over.
//
// A block belongs to the file when it carries the file's salt and lies behind
// the block before it and below the next segment's base (the fence): what a failed
// write or an overwritten tail left behind is never read as data.
type scanner struct {
	r      io.ReaderAt
	off    int64 // of the next block
	end    int64
	ahead  int
	verify bool // check the sections' checksums too
	salt   uint32
	salted bool // salt is known; else the first block found tells it
	after  entity.Seq
	fence  entity.Seq // 0: none

	buf []byte // the file's bytes from at on
	at  int64

	lost  int64 // bytes passed over
	holes int   // runs of such bytes
	tail  int64 // end of the last whole block
	err   error // of reading; nil at the end of the file
}

// errOutside: the block there lies beyond the fence; nothing of the file follows.
var errOutside = errors.New("beyond the next segment's base")

// newScanner starts behind the segment's header. The caller knows the file's salt or lets it be found.
func newScanner(r io.ReaderAt, end int64, ahead int) *scanner {
	return &scanner{r: r, off: headerLen, tail: headerLen, end: end, ahead: ahead}
}

// window returns n bytes at off, fewer at the end of the file. They are valid
// until the next call.
func (s *scanner) window(off int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.end-off))
	if n <= 0 {
		return nil, nil
	}
	if off >= s.at && off+int64(n) <= s.at+int64(len(s.buf)) {
		return s.buf[off-s.at:][:n], nil
	}
	want := int(min(int64(max(n, s.ahead)), s.end-off))
	if cap(s.buf) < want {
		s.buf = make([]byte, want)
	}
	s.buf, s.at = s.buf[:want], off
	got, err := s.r.ReadAt(s.buf, off)
	s.buf = s.buf[:got]
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read segment at %d: %w", off, err)
	}
	return s.buf[:min(n, got)], nil
}

// next returns the next block's header and its place, or false at the end.
func (s *scanner) next() (h blockHeader, off int64, ok bool) {
	for s.err == nil && s.off < s.end && (s.fence == 0 || s.after+1 < s.fence) {
		h, err := s.blockAt(s.off)
		if err == nil {
			off = s.off
			s.off += h.size()
			s.tail, s.after = s.off, h.last()
			s.salt, s.salted = h.salt, true
			return h, off, true
		}
		if errors.Is(err, errOutside) {
			break
		}
		if !errors.Is(err, errDamaged) {
			s.err = err
			break
		}
		s.resync()
	}
	return h, 0, false
}

// blocks are the blocks' headers and places. The scanner's err says afterwards whether all could be read.
func (s *scanner) blocks() iter.Seq2[blockHeader, int64] {
	return func(yield func(blockHeader, int64) bool) {
		for {
			if h, off, ok := s.next(); !ok || !yield(h, off) {
				return
			}
		}
	}
}

// resync moves to the next block behind the bad byte at off.
func (s *scanner) resync() {
	from := s.off
	s.off++
	for s.off < s.end {
		b, err := s.window(s.off, max(s.ahead, headerLen))
		if err != nil {
			s.err = err
			return
		}
		i := bytes.Index(b, []byte(blockMagic))
		if i < 0 {
			s.off = min(s.off+int64(max(len(b)-len(blockMagic)+1, 1)), s.end)
			continue
		}
		s.off += int64(i)
		if _, err := s.blockAt(s.off); !errors.Is(err, errDamaged) {
			break // a block, the fence, or a read error: next sees which
		}
		s.off++
	}
	s.lost += s.off - from
	s.holes++
}

// blockAt checks the block at off.
func (s *scanner) blockAt(off int64) (blockHeader, error) {
	b, err := s.window(off, headerLen)
	if err != nil {
		return blockHeader{}, err
	}
	if len(b) < headerLen {
		return blockHeader{}, damaged("file ends within a block header")
	}
	h, err := parseBlockHeader(b)
	if err != nil {
		return h, err
	}
	if off+h.size() > s.end {
		return h, damaged("file ends within a block")
	}
	if b, err = s.window(off, h.headLen()); err != nil {
		return h, err
	}
	if len(b) < h.headLen() {
		return h, damaged("file ends within a block header")
	}
	if err := h.withBitmaps(b); err != nil {
		return h, err
	}
	switch {
	case s.salted && h.salt != s.salt:
		return h, damaged("block of another segment")
	case h.first <= s.after:
		return h, damaged("block starts at %d, behind %d", h.first, s.after)
	case s.fence != 0 && h.last() >= s.fence:
		return h, errOutside
	}
	if s.verify {
		return h, s.verifyBlock(&h, off)
	}
	return h, nil
}

func (s *scanner) verifyBlock(h *blockHeader, off int64) error {
	stored, err := s.sections(h, off, true)
	if err != nil {
		return err
	}
	if checksum(stored[:h.metaLen]) != h.metaCRC {
		return damaged("checksum of meta section")
	}
	if checksum(stored[h.metaLen:]) != h.bodyCRC {
		return damaged("checksum of body section")
	}
	return nil
}

// sections returns the stored meta section, and the body's behind it when asked
// for, of the block at off. Valid until the next call.
func (s *scanner) sections(h *blockHeader, off int64, body bool) ([]byte, error) {
	n := int(h.metaLen)
	if body {
		n += int(h.bodyLen)
	}
	b, err := s.window(off+int64(h.headLen()), n)
	if err != nil {
		return nil, err
	}
	if len(b) < n {
		return nil, damaged("file ends within a block")
	}
	return b, nil
}
