package segmentlog

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// rewrite is a segment file written whole beside those that it will replace. The holder of maint uses it.
type rewrite struct {
	*Log
	olds    []*segment // side by side
	seg     *segment
	created int64 // Unix µs
	tmp     string
	file    vfs.File
	off     int64
	buf     []byte
	written int64 // bytes
	begun   int64 // bytes whose way to the disk has begun
}

// beginRewrite creates the temporary file of what will replace olds. The segment's header goes into it last.
func (l *Log) beginRewrite(olds []*segment, packed bool) (*rewrite, error) {
	if err := errors.Join(l.dropMaking(olds), l.removeLeftover()); err != nil {
		return nil, err
	}
	base, path := olds[0].base, olds[0].path
	w := &rewrite{Log: l, olds: olds, created: l.o.Now().UnixMicro(), tmp: strings.TrimSuffix(path, segmentExt) + tempExt, off: headerLen}
	w.seg = &segment{
		id: l.nextID.Add(1), base: base, path: path, salt: newSalt(), salted: true, packed: packed, rewrote: true,
		sealed: true, loaded: true, prev: olds[0].prev,
	}
	w.buf = make([]byte, headerLen)
	var err error
	w.file, err = l.fs.OpenReadWrite(w.tmp, writeCategory)
	return w, err
}

// add appends a block. The header's lengths and checksums are those of the sections.
func (w *rewrite) add(h blockHeader, meta, body []byte) error {
	h.salt = w.seg.salt
	w.seg.note(&h, w.off)
	if h.kind == kindJob {
		w.seg.jobs++
	}
	w.off += h.size()
	w.buf = h.append(w.buf)
	w.buf = append(w.buf, meta...)
	w.buf = append(w.buf, body...)
	const most = 1 << 20
	if len(w.buf) >= most {
		return w.flush()
	}
	return nil
}

func (w *rewrite) flush() error {
	n, err := w.file.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.buf = w.buf[:0]
	// The sync at the end is a short one then, for the committer's would wait for it.
	const ahead = 4 << 20
	if w.written += int64(n); err == nil && w.written-w.begun >= ahead {
		w.begun = w.written
		_, err = w.file.SyncTo(w.written)
	}
	return err
}

// discard removes what was written.
func (w *rewrite) discard() error {
	return errors.Join(w.file.Close(), w.removeTemp())
}

func (w *rewrite) removeTemp() error {
	err := w.fs.Remove(w.tmp)
	if err != nil {
		w.leftover = append(w.leftover, w.tmp)
	}
	return err
}

// replace makes the new file durable and puts it in the place of the old ones:
// readers see either. A crash at any point leaves the old files, or the
// new one and perhaps old ones that it holds whole, which Open removes.
func (w *rewrite) replace() error {
	err := w.complete()
	if err = errors.Join(err, w.file.Close()); err == nil {
		err = w.removeFilters(w.olds) // before: none may outlive what it was made of
	}
	if err == nil {
		err = w.swap()
	}
	if err != nil {
		return errors.Join(err, w.removeTemp())
	}
	for _, old := range w.olds {
		w.forget(old)
	}
	if err := durable.SyncDirIn(w.fs, w.dir); err != nil {
		return err
	}
	return w.removeFiles(w.olds[1:])
}

// complete writes the rest, and the header, and syncs.
func (w *rewrite) complete() error {
	seg := w.seg
	for _, old := range w.olds {
		seg.newest = max(seg.newest, old.newestCommit())
	}
	seg.last, seg.end, seg.file = w.olds[len(w.olds)-1].last, w.off, fileIdentity(w.file) // sealed: it does not change
	h := segmentHeader{
		salt: seg.salt, base: seg.base, last: seg.last, created: w.created, newest: seg.newest, jobs: seg.jobs, prev: seg.prev,
	}
	if seg.packed {
		h.flags = flagPacked
	}
	err := w.flush()
	if err == nil {
		_, err = w.file.WriteAt(h.append(nil), 0)
	}
	if err == nil {
		err = w.file.Sync()
	}
	return err
}

func (w *rewrite) swap() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.segs, w.olds[0])
	if i < 0 {
		return fmt.Errorf("segment %d is gone", w.olds[0].base)
	}
	if err := w.fs.Rename(w.tmp, w.seg.path); err != nil {
		return err
	}
	segs := slices.Clone(w.segs[:i])
	segs = append(segs, w.seg)
	w.segs = append(segs, w.segs[i+len(w.olds):]...)
	return nil
}

// remove takes segments out of the table, and removes their files.
func (l *Log) remove(olds []*segment) error {
	l.mu.Lock()
	l.segs = slices.DeleteFunc(slices.Clone(l.segs), func(s *segment) bool { return slices.Contains(olds, s) })
	l.mu.Unlock()
	for _, old := range olds {
		l.forget(old)
	}
	return l.removeFiles(olds)
}

// forget drops what the caches hold of a segment that is no longer in the table.
func (l *Log) forget(old *segment) {
	l.handles.drop(old.id)
	l.blocks.drop(old.id)
}

// removeFiles removes the files of segments that are no longer in the table, one after
// the other: the name of one may fence what a failed write left in the one before.
func (l *Log) removeFiles(segs []*segment) error {
	if err := errors.Join(l.dropMaking(segs), l.removeFilters(segs)); err != nil {
		return err
	}
	for _, seg := range segs {
		l.leftover = append(l.leftover, seg.path)
	}
	return l.removeLeftover()
}

// removeLeftover removes files that an earlier call could not.
func (l *Log) removeLeftover() error {
	if len(l.leftover) == 0 {
		return nil
	}
	if err := l.writeList(0); err != nil { // before they go: what it names is there
		return fmt.Errorf("remove segment: %w", err)
	}
	for len(l.leftover) > 0 {
		if err := l.fs.Remove(l.leftover[0]); err != nil {
			return fmt.Errorf("remove segment: %w", err)
		}
		l.leftover = l.leftover[1:]
		if err := durable.SyncDirIn(l.fs, l.dir); err != nil {
			return fmt.Errorf("remove segment: %w", err)
		}
	}
	return nil
}

// each calls f for every block of a sealed segment, in order; stored is valid during the call.
func (l *Log) each(seg *segment, f func(h *blockHeader, stored []byte) error) error {
	v, err := l.viewOf(seg)
	if err != nil {
		return err
	}
	defer v.release()
	sc := seg.scanner(v.h, v.end, scanAhead)
	for h, off := range sc.blocks() {
		stored, err := sc.sections(&h, off, true)
		if err == nil {
			err = f(&h, stored)
		}
		if err != nil {
			return err
		}
	}
	return sc.err
}
