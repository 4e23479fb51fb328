package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
)

// CheckFormat returns an error when a segment in dir has a format that this package does
// not read. It reads headers only; damage is none of its business. A nil fs is the
// operating system's.
func CheckFormat(fs vfs.FS, dir string) error {
	k := newChecker(fs, dir)
	names, err := k.names()
	if err != nil {
		return fmt.Errorf("check log: %w", err)
	}
	for _, name := range names {
		f, _, _, err := k.open(name)
		if f != nil {
			_ = f.Close() // opened for reading
		}
		if err != nil && !errors.Is(err, errDamaged) {
			return fmt.Errorf("check log: %s: %w", name, err)
		}
	}
	return nil
}

// Finding is something that Check saw.
type Finding struct {
	File string // in the Log's directory
	What string
	// Filter: the file is a filter file, which is derived.
	Filter bool
	// Normal: a crash leaves this, and the next start puts it right.
	Normal bool
}

// Gap is a run of Seqs, first to last, that no segment has: one is missing, or the
// Seqs were passed over after a crash.
type Gap struct {
	First, Last entity.Seq
	Before      string // the file behind the gap
}

// CheckReport is what a Log's files hold.
type CheckReport struct {
	Segments, Blocks, Events int
	Filters                  int        // filter files that were checked
	First, Last              entity.Seq // of all segments; 0 without any
	Bytes                    int64
	Findings                 []Finding
	Gaps                     []Gap
}

// CheckOptions say what a Check is for. All fields may be zero.
type CheckOptions struct {
	// FS is the file system; nil is the operating system's.
	FS vfs.FS
	// Filters checks the filter files, too.
	Filters bool
	// Index, when not nil, is filled from the blocks up to the Seq IndexUpto, as a start fills
	// it from the Log.
	Index     *idindex.Index
	IndexUpto entity.Seq
	// Now is the clock by which what has expired is left out of the Index; nil is time.Now.
	Now func() time.Time
	// Each gets every event that can be read, by Seq.
	Each func(*entity.Record) error
	// Erased gets every event that was stored and erased, before the later ones come to Each.
	Erased func(project, eventID string)
	// Read is told of the bytes that were gone through.
	Read func(n int64)
}

// Check goes through every byte of the segments in dir and changes nothing: headers,
// checksums, whether each section decodes, and the order of Seqs. The error is one of
// reading, or of a format that this package does not read; damage is in the report.
func Check(ctx context.Context, dir string, o CheckOptions) (*CheckReport, error) {
	k := newChecker(o.FS, dir)
	k.o, k.ctx = o, ctx
	var err error
	if k.codec, err = newDecoder(); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	defer k.codec.close()
	if o.Now == nil {
		k.o.Now = time.Now
	}
	k.refill = refill{index: o.Index, upto: o.IndexUpto, horizon: horizon(k.o.Now())}
	if err := k.run(); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	return &k.report, nil
}

type checker struct {
	fs     vfs.FS
	dir    string
	o      CheckOptions
	ctx    context.Context
	codec  *codec
	report CheckReport
	file   string          // at hand
	there  [][2]entity.Seq // by segment: where it begins, and up to which other's beginning it holds that one
	refill refill          // without an index: nothing to do
}

func newChecker(fs vfs.FS, dir string) *checker {
	if fs == nil {
		fs = vfs.Default
	}
	return &checker{fs: fs, dir: dir}
}

// names lists the segments by base.
func (k *checker) names() ([]string, error) {
	all, err := k.fs.List(k.dir)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(all, func(name string) bool { _, ok := parseSegmentName(name); return !ok })
	slices.Sort(names)
	return names, nil
}

// open opens a segment. Where there is a file, the error is about its header.
func (k *checker) open(name string) (f vfs.File, h segmentHeader, size int64, err error) {
	if f, err = k.fs.Open(k.fs.PathJoin(k.dir, name)); err != nil {
		return nil, h, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, h, 0, errors.Join(err, f.Close())
	}
	h, err = readHeader(f)
	if base, _ := parseSegmentName(name); err == nil && h.base != base {
		err = damaged("the header says that it starts at %d: the file was renamed", h.base)
	}
	return f, h, info.Size(), err
}

func (k *checker) found(what string, args ...any) {
	k.report.Findings = append(k.report.Findings, Finding{File: k.file, What: fmt.Sprintf(what, args...)})
}

func (k *checker) normal(what string, args ...any) {
	k.found(what, args...)
	k.report.Findings[len(k.report.Findings)-1].Normal = true
}

func (k *checker) run() error {
	names, err := k.names()
	if err != nil {
		return err
	}
	next := entity.Seq(0) // the Seq behind the segment before; 0 at the first
	covered := entity.Seq(0)
	for i, name := range names {
		base, _ := parseSegmentName(name)
		k.file = name
		if covered != 0 && base <= covered {
			k.normal("was merged into the segment before it and a crash kept it from being removed; the next start removes it")
			continue
		}
		fence := entity.Seq(0)
		if i+1 < len(names) {
			fence, _ = parseSegmentName(names[i+1])
		}
		if next != 0 && base > next {
			k.report.Gaps = append(k.report.Gaps, Gap{next, base - 1, name})
		}
		if k.report.First == 0 {
			k.report.First = base
		}
		h, last, err := k.segment(name, base, fence)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		covered = h.last
		k.there = append(k.there, [2]entity.Seq{base, max(base, h.last)})
		next, k.report.Last = last+1, max(k.report.Last, last)
	}
	if err := k.refill.flush(); err != nil {
		return err
	}
	if err := k.listed(); err != nil {
		return err
	}
	return k.leftovers()
}

// listed names the segments that the list has and the directory has not.
func (k *checker) listed() error {
	list, known, err := readList(k.fs, k.dir)
	if errors.Is(err, errDamaged) {
		k.file = listFile
		k.found("%v; the next start writes it anew, and does not know whether a segment is missing", err)
		return nil
	}
	if err != nil || !known {
		return err
	}
	for _, base := range list.Segments {
		if !slices.ContainsFunc(k.there, func(s [2]entity.Seq) bool { return s[0] <= base && base <= s[1] }) {
			k.file = segmentName(base)
			k.found("is missing: put it back, or start once with --accept-loss")
		}
	}
	return nil
}

// leftovers names the files of rewrites that did not end.
func (k *checker) leftovers() error {
	all, err := k.fs.List(k.dir)
	if err != nil {
		return err
	}
	for _, name := range all {
		if strings.HasSuffix(name, tempExt) {
			k.file = name
			k.normal("is left of work that a crash interrupted; the next start removes it")
		}
	}
	return nil
}

// segment goes through one file and returns the last Seq in it.
func (k *checker) segment(name string, base, fence entity.Seq) (h segmentHeader, last entity.Seq, err error) {
	f, h, size, err := k.open(name)
	if f != nil {
		defer f.Close() //nolint:errcheck // opened for reading
	}
	known := err == nil
	switch {
	case errors.Is(err, errDamaged):
		k.found("%v", err)
		h = segmentHeader{}
	case err != nil:
		return h, 0, err
	}
	if h.last != 0 && fence != 0 && fence <= h.last {
		fence = 0 // of a file that was merged into this one
	}
	sc := newScanner(&countedAt{f, k.o.Read}, size, scanAhead)
	sc.salt, sc.salted, sc.fence, sc.after, sc.verify = h.salt, known, fence, base-1, true
	k.report.Segments++
	k.report.Bytes += size
	var list []stretch
	if last, list, err = k.blocks(sc, h, base); err != nil {
		return h, last, err
	}
	if rest := size - sc.tail; rest > 0 && sc.lost > 0 || rest > 0 && fence == 0 {
		if fence == 0 && h.last == 0 && known {
			k.normal("ends in %d bytes that are not a whole block, as a crash leaves them; the next start cuts them", rest)
		} else {
			k.found("ends in %d bytes that are not whole blocks", rest)
		}
	}
	if h.last != 0 {
		last = max(last, h.last)
	}
	if k.o.Filters && known {
		return h, last, k.filter(name, h, size, list)
	}
	return h, last, nil
}

// blocks goes through the blocks and hands out their events.
func (k *checker) blocks(sc *scanner, h segmentHeader, base entity.Seq) (last entity.Seq, list []stretch, err error) {
	last = base - 1
	lost := int64(0)
	for bh, off := range sc.blocks() {
		if err := k.ctx.Err(); err != nil {
			return last, list, err
		}
		if sc.lost > lost {
			k.found("%d bytes before offset %d are damaged; the events of Seq %d to %d are lost", sc.lost-lost, off, last+1, bh.first-1)
			lost = sc.lost
		} else if h.last == 0 && bh.first != last+1 {
			k.found("the events of Seq %d to %d are missing before offset %d", last+1, bh.first-1, off)
		}
		last = bh.last()
		list = join(list, &bh, off)
		k.report.Blocks++
		if err := k.block(sc, &bh, off); err != nil {
			return last, list, err
		}
	}
	return last, list, sc.err
}

func (k *checker) block(sc *scanner, h *blockHeader, off int64) error {
	stored, err := sc.sections(h, off, true)
	if err != nil {
		return err
	}
	b, err := k.codec.decodeSections(h, stored, true)
	if err != nil {
		k.found("the block at offset %d, Seq %d to %d, has the right checksums and cannot be decoded: %v", off, h.first, h.last(), err)
		return nil
	}
	if k.refill.index != nil {
		if err := k.refill.block(b); err != nil {
			return err
		}
	}
	if k.o.Erased != nil && b.erased != nil {
		k.erased(b)
	}
	recs, _ := b.appendRecords(nil, 0, len(b.ids)+1, nil)
	k.report.Events += len(recs)
	if k.o.Each == nil {
		return nil
	}
	for i := range recs {
		if err := k.o.Each(&recs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) erased(b *block) {
	for t, i := range b.each() {
		if b.erased.get(i) && !b.dups.get(i) {
			k.o.Erased(t.project, b.ids[i])
		}
	}
}

// filter checks the filter file beside a segment, when there is one.
func (k *checker) filter(segment string, h segmentHeader, size int64, list []stretch) error {
	name := filterPath(segment)
	f, err := k.fs.Open(k.fs.PathJoin(k.dir, name))
	if err != nil {
		return nil //nolint:nilerr // it is not there, and will be made
	}
	defer f.Close() //nolint:errcheck // opened for reading
	k.report.Filters++
	info, err := f.Stat()
	if err != nil {
		return err
	}
	bad := func(what string, args ...any) {
		k.report.Findings = append(k.report.Findings, Finding{File: name, What: fmt.Sprintf(what, args...), Filter: true})
	}
	fh, has, err := readFilters(f, info.Size())
	switch {
	case errors.Is(err, errOlderFilter):
		return nil // the next search makes it again
	case errors.Is(err, errDamaged):
		bad("%v", err)
		return nil
	case err != nil:
		return err
	case fh.salt != h.salt || fh.base != h.base || fh.end != size:
		bad("is of another segment than the one beside it")
		return nil
	}
	same := slices.EqualFunc(has, list, func(a, b stretch) bool {
		return a.first == b.first && a.last == b.last && a.off == b.off && a.end == b.end && a.events == b.events
	})
	if !same {
		bad("does not cover the blocks of its segment")
	}
	return nil
}

// countedAt tells of the bytes that are read.
type countedAt struct {
	io.ReaderAt
	read func(n int64)
}

func (c *countedAt) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, off)
	if c.read != nil {
		c.read(int64(n))
	}
	return n, err
}
