package segmentlog

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// worthPacking is the size from which the segment that is appended to is packed while it grows, and sealed when nothing
// comes any more. What is smaller takes little room as it is.
const worthPacking = 256 << 10

// making is the packed form of a segment in the making. It follows the segment while that is appended to, from
// the tail's memory as long as it keeps up, and takes its place when it is sealed: nothing of it is read again. It holds a
// block that is not full, of about packBytes, and the filters, at most a 32nd of the segment's bodies.
type making struct {
	*packer
	from  *segment
	after entity.Seq // what it has of from
	off   int64      // where that ends in from's file

	// What of from the filters since the last told one cover, for searches.
	told  int // stretches
	found stretch
}

// packSome packs the next block or so, of the oldest segment that is not packed. more says that there is more to do at once.
func (l *Log) packSome(ctx context.Context) (more bool, err error) {
	if err := l.takeMaint(ctx); err != nil {
		return false, err
	}
	defer l.giveMaint()
	if l.making == nil {
		seg := l.packNext()
		if seg == nil {
			return false, nil
		}
		p, err := l.newPacker([]*segment{seg}, l.newExpiry())
		if err != nil {
			return false, err
		}
		l.making = &making{packer: p, from: seg, after: seg.base - 1, off: headerLen}
		l.making.found = stretch{first: seg.base, off: headerLen}
	}
	more, err = l.making.step(ctx)
	if err == nil {
		return more, nil
	}
	damaged := errors.Is(err, errDamaged)
	if err = errors.Join(err, l.dropMaking(nil)); damaged && l.making == nil {
		return true, nil // the next choice leaves it out
	}
	return false, err
}

// packNext is the oldest segment that is to be packed. A damaged one is left as it is.
func (l *Log) packNext() *segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segs {
		if !s.packed && !s.damaged.Load() && (s.sealed || l.worthPacking(s)) {
			return s
		}
	}
	return nil
}

func (l *Log) worthPacking(s *segment) bool { return s.end >= min(worthPacking, l.o.SegmentBytes/2) }

// dropMaking gives up what is in the making of one of these segments, or of any. Its file may hold what is about to be erased.
func (l *Log) dropMaking(of []*segment) error {
	m := l.making
	if m == nil || of != nil && !slices.Contains(of, m.from) {
		return nil
	}
	l.making = nil
	return m.w.discard()
}

// step takes what from has, up to a full block. more says that there is more.
func (m *making) step(ctx context.Context) (more bool, err error) {
	m.mu.RLock()
	last, sealed := m.from.last, m.from.sealed
	m.mu.RUnlock()
	file := &makingFile{}
	defer file.close()
	for written := m.w.off; m.after < last; {
		if err := errors.Join(m.next(file), ctx.Err()); err != nil {
			return false, err
		}
		if m.w.off > written {
			return true, nil
		}
	}
	if !sealed {
		return false, nil
	}
	m.making = nil
	return true, m.end(ctx)
}

// next takes the next block, from memory when it is there and the file has it as it was written.
func (m *making) next(file *makingFile) error {
	var b *block
	if !m.from.rewrote {
		b, _ = m.tail.next(m.after + 1)
	}
	if b != nil && b.kind == kindEvents {
		return m.take(b.apart(m.expire != nil))
	}
	if b != nil && b.kind == kindJob && !m.pends(b.first) {
		m.passed(b)
		return nil
	}
	return m.read(file)
}

// makingFile is the file of the segment that is packed, opened when it is needed.
type makingFile struct {
	v  *view
	sc *scanner
}

func (f *makingFile) close() {
	if f.v != nil {
		f.v.release()
	}
}

// read takes the next block from the file, or finds that there is none.
func (m *making) read(file *makingFile) (err error) {
	if file.v == nil {
		if file.v, err = m.viewOf(m.from); err != nil {
			return err
		}
		file.sc = m.from.scanner(file.v.h, file.v.end, scanAhead)
	}
	sc := file.sc
	sc.off, sc.after = m.off, m.after
	h, off, ok := sc.next()
	switch {
	case sc.err != nil:
		return sc.err
	case m.from.damaged.Load():
		return errDamaged
	case sc.holes > 0:
		m.report(m.from, sc.lost, sc.holes)
		return errDamaged
	case !ok:
		m.after = m.from.last // sealed: what is appended to ends with a block
		return nil
	}
	stored, err := sc.sections(&h, off, true)
	if err != nil {
		return err
	}
	b := &block{blockHeader: h}
	if h.kind != kindEvents {
		err = m.job(&h, stored)
		m.passed(b)
		return err
	}
	if b, err = m.decoded(m.from, &h, stored, true); err != nil {
		return err
	}
	return m.take(b)
}

// take takes a block of events.
func (m *making) take(b *block) error {
	if m.large(b) {
		if err := m.flush(); err != nil {
			return err
		}
		m.tell()
	}
	err := m.block(b)
	m.passed(b)
	m.tell()
	return err
}

func (m *making) passed(b *block) {
	m.after = b.last()
	m.off += cmp.Or(b.length, b.size())
	if b.kind == kindEvents {
		m.found.raw += int64(b.bodyRaw)
		m.found.events += b.blockHeader.events
	}
}

// tell gives searches the filter of what was just written, for they read from until it is replaced. Where one
// filter is not all since the last, they do without.
func (m *making) tell() {
	n := len(m.filters.list)
	if m.first != 0 || m.filters.open() || n == m.told {
		return
	}
	if n == m.told+1 {
		s := m.found
		s.last, s.end = m.after, m.off
		s.mem, s.lines = m.filters.list[n-1].mem, m.filters.list[n-1].lines
		m.from.remember(s)
	}
	m.told, m.found = n, stretch{first: m.after + 1, off: m.off}
}

// remember keeps the filter of the stretch that follows those that have one.
func (s *segment) remember(next stretch) {
	s.find.Lock()
	defer s.find.Unlock()
	c := &s.covered
	list := slices.Clone(c.list[:c.made]) // searches hold the old one
	if n := len(list); s.filter != nil || n > 0 && next.off != list[n-1].end || n == 0 && next.off != headerLen {
		return
	}
	*c = covered{list: append(list, next), made: len(list) + 1, to: next.end, after: next.last}
}

// end puts the packed form in its place, and its filters beside it. When it holds too many requests of jobs
// that were pending when it met them, it is made again without.
func (m *making) end(ctx context.Context) error {
	m.looked = 0
	needless := int64(0)
	for seq, size := range m.kept {
		if !m.pends(seq) {
			needless += size
		}
	}
	if needless > m.w.off/16 {
		if err := m.w.discard(); err != nil {
			return err
		}
		return m.repack(ctx, []*segment{m.from}, m.newExpiry())
	}
	if err := m.finish(); err != nil {
		return err
	}
	return m.filter(ctx, m.w.seg)
}

// apart is the block, or one that its user may change.
func (b *block) apart(changes bool) *block {
	if !changes {
		return b
	}
	own := *b
	own.ids, own.erased = slices.Clone(b.ids), slices.Clone(b.erased)
	return &own
}
