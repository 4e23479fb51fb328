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

// rewrite is a segment file written whole beside those that it will replace.
type rewrite struct {
	*Log
	seg  *segment
	tmp  string
	file vfs.File
	off  int64
	buf  []byte
}

// begin creates the temporary file for h.
func (l *Log) beginRewrite(h segmentHeader) (*rewrite, error) {
	salt, err := newSalt()
	if err != nil {
		return nil, err
	}
	h.salt = salt
	path := l.fs.PathJoin(l.dir, segmentName(h.base))
	w := &rewrite{Log: l, tmp: strings.TrimSuffix(path, segmentExt) + tempExt, off: headerLen}
	w.seg = &segment{
		id: l.nextID.Add(1), base: h.base, path: path, salt: salt, salted: true, packed: h.flags&flagPacked != 0,
		rewrote: h.last != 0, jobs: h.jobs, last: h.last, sealed: true, loaded: true, newest: h.newest, prev: h.prev,
	}
	if w.file, err = l.fs.Create(w.tmp, writeCategory); err != nil {
		return nil, err
	}
	w.buf = h.append(nil)
	return w, nil
}

// add appends a block. The header's lengths and checksums are those of the sections.
func (w *rewrite) add(h blockHeader, meta, body []byte) error {
	h.salt = w.seg.salt
	w.seg.note(&h, w.off)
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
	return err
}

// discard removes what was written.
func (w *rewrite) discard() error {
	return errors.Join(w.file.Close(), w.fs.Remove(w.tmp))
}

// replace makes the new file durable and puts it in the place of olds, which lie side
// by side: readers see either. A crash at any point leaves the old files, or the
// new one and perhaps old ones that it holds whole, which Open removes.
func (w *rewrite) replace(olds []*segment) error {
	err := w.flush()
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return errors.Join(err, w.discard())
	}
	w.seg.file = fileIdentity(w.file)
	if err := w.file.Close(); err != nil {
		return errors.Join(err, w.fs.Remove(w.tmp))
	}
	w.seg.end = w.off
	if err := w.removeFilters(olds); err != nil { // before: none may outlive what it was made of
		return errors.Join(err, w.fs.Remove(w.tmp))
	}
	if err := w.swap(olds); err != nil {
		return errors.Join(err, w.fs.Remove(w.tmp))
	}
	for _, old := range olds {
		w.forget(old)
	}
	if err := durable.SyncDirIn(w.fs, w.dir); err != nil {
		return err
	}
	return w.removeFiles(olds[1:])
}

func (w *rewrite) swap(olds []*segment) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.segs, olds[0])
	if i < 0 {
		return fmt.Errorf("segment %d is gone", olds[0].base)
	}
	if err := w.fs.Rename(w.tmp, w.seg.path); err != nil {
		return err
	}
	segs := slices.Clone(w.segs[:i])
	segs = append(segs, w.seg)
	w.segs = append(segs, w.segs[i+len(olds):]...)
	return nil
}

// forget drops what the caches hold of a segment that is no longer in the table.
func (l *Log) forget(old *segment) {
	l.handles.drop(old.id)
	l.blocks.drop(old.id)
}

// removeFiles removes the files of segments that are no longer in the table, one after
// the other: the name of one may fence what a failed write left in the one before.
func (l *Log) removeFiles(segs []*segment) error {
	if err := l.removeFilters(segs); err != nil {
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
