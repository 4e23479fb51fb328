package segmentlog

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
)

// recover reads what is in the directory and brings the index up to it.
// It writes nothing that a later recovery would miss: interrupted at any point, it
// starts over.
func (l *Log) recover() error {
	if err := l.findSegments(); err != nil {
		return err
	}
	if err := l.checkList(); err != nil {
		return err
	}
	if len(l.missing) == 0 {
		if err := l.writeList(0); err != nil {
			return err
		}
	}
	missing, err := l.recoverTail()
	if err != nil {
		return err
	}
	if len(l.missing) > 0 { // a retry of what is lost is no duplicate
		missing = min(missing, l.missing[0].First)
	}
	if err := l.openIndex(missing); err != nil {
		return err
	}
	l.tail.after = l.head
	return nil
}

// findSegments lists the files, removes leftovers of interrupted rewrites, and
// reads the headers.
func (l *Log) findSegments() error {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return err
	}
	var bases []entity.Seq
	filters := map[entity.Seq]bool{}
	for _, name := range names {
		if base, ok := parseFilterName(name); ok {
			filters[base] = true
		} else if strings.HasSuffix(name, tempExt) {
			if err := l.fs.Remove(l.fs.PathJoin(l.dir, name)); err != nil {
				return err
			}
		} else if base, ok := parseSegmentName(name); ok {
			bases = append(bases, base)
		}
	}
	sort.Slice(bases, func(i, j int) bool { return bases[i] < bases[j] })
	for _, base := range bases {
		if n := len(l.segs); n > 0 {
			before := l.segs[n-1]
			if before.rewrote && base <= before.last {
				// It was merged into the one before, and a crash kept it from being removed.
				if err := l.fs.Remove(l.fs.PathJoin(l.dir, segmentName(base))); err != nil {
					return err
				}
				continue
			}
			before.fence = base
			if !before.rewrote {
				before.last = base - 1
			}
		}
		seg, err := l.openSegment(base)
		if err != nil {
			return err
		}
		l.follow(seg)
		l.segs = append(l.segs, seg)
	}
	if err := l.findFilters(filters); err != nil {
		return err
	}
	return durable.SyncDirIn(l.fs, l.dir)
}

// follow holds seg against the segment before it: seg knows what that held.
func (l *Log) follow(seg *segment) {
	if len(l.segs) == 0 {
		if seg.prev > 0 {
			l.o.Logger.Info("the log begins here; what was before was trimmed, or is missing", "seq", uint64(seg.base))
		}
		return
	}
	before := l.segs[len(l.segs)-1]
	before.until = seg.prev
	if before.rewrote && before.last < seg.prev { // else loading it tells
		l.reportMissing(before, seg.prev-before.last)
	}
}

// findFilters gives the segments their filter files, which are checked when they
// are used, and removes those of none.
func (l *Log) findFilters(filters map[entity.Seq]bool) error {
	for _, seg := range l.segs {
		if filters[seg.base] {
			seg.filter = &filterFile{id: l.nextID.Add(1), path: filterPath(seg.path)}
			delete(filters, seg.base)
		}
	}
	for base := range filters {
		if err := l.fs.Remove(filterPath(l.fs.PathJoin(l.dir, segmentName(base)))); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) openSegment(base entity.Seq) (*segment, error) {
	seg := &segment{
		id: l.nextID.Add(1), base: base, path: l.fs.PathJoin(l.dir, segmentName(base)),
		last: base - 1, sealed: true,
	}
	f, err := l.fs.Open(seg.path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	seg.end, seg.file = info.Size(), identityOf(info)
	h, err := readHeader(f)
	switch {
	case errors.Is(err, errDamaged):
		l.o.Logger.Warn("segment header is damaged; its blocks are read all the same",
			"segment", seg.path, "error", err)
		return seg, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", seg.path, err)
	case h.base != base:
		return nil, fmt.Errorf("%s: its header says that it starts at %d; the file was renamed", seg.path, h.base)
	}
	seg.salt, seg.salted, seg.packed, seg.prev = h.salt, true, h.flags&flagPacked != 0, h.prev
	if h.last != 0 {
		seg.rewrote, seg.last, seg.jobs, seg.newest = true, h.last, h.jobs, h.newest
	}
	return seg, nil
}

// recoverTail goes through the last segment, keeps its whole blocks and cuts
// what a crash tore. What is kept is synced: it may be only in the page cache yet, and
// from now on a retry of it is called a duplicate. missing is the first Seq that
// the segment should hold and does not.
func (l *Log) recoverTail() (missing entity.Seq, err error) {
	if len(l.segs) == 0 {
		return 1, nil
	}
	seg := l.segs[len(l.segs)-1]
	l.head = seg.base - 1
	if seg.rewrote {
		l.head = seg.last
		return seg.last + 1, nil
	}
	f, err := l.fs.OpenReadWrite(seg.path, writeCategory)
	if err != nil {
		return 0, err
	}
	missing, torn, err := l.scanTail(seg, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	l.head = max(l.head, seg.last)
	if torn > 0 {
		// Followers may have read what is lost now. No Seq of theirs is given out
		// again: no event takes less than a byte.
		l.head += entity.Seq(torn)
	}
	if l.head < seg.base {
		l.segs = l.segs[:len(l.segs)-1] // no block at all; the next write takes its name
	}
	return missing, nil
}

func (l *Log) scanTail(seg *segment, f vfs.File) (missing entity.Seq, torn int64, err error) {
	sc := seg.scanner(&handle{file: f}, seg.end, scanAhead)
	sc.verify = true
	inner, holes := int64(0), 0
	for b, off := range sc.blocks() {
		inner, holes = sc.lost, sc.holes
		if missing == 0 && b.first > seg.last+1 {
			missing = seg.last + 1
		}
		seg.note(&b, off)
		seg.last = b.last()
	}
	if sc.err != nil {
		return 0, 0, sc.err
	}
	if missing == 0 {
		missing = seg.last + 1
	}
	seg.loaded, seg.salt, seg.salted = true, sc.salt, sc.salted
	torn = max(seg.end-sc.tail, 0)
	if holes > 0 {
		l.corrupt.Add(int64(holes))
		seg.damaged.Store(true)
	}
	if lost := inner + torn; lost > 0 {
		l.torn.Add(lost)
		l.o.Logger.Warn("the last segment ends in bytes that are not whole blocks; the whole ones are kept",
			"segment", seg.path, "torn_bytes", lost, "last_seq", uint64(seg.last))
	}
	if torn > 0 {
		err = truncateFile(f, sc.tail)
	}
	seg.end = sc.tail
	return missing, torn, err
}

// openIndex opens the id index and replays what it has not seen. It makes a new
// one where it cannot be used, or where it knows blocks that the Log has lost: it would
// call their retries duplicates.
func (l *Log) openIndex(missing entity.Seq) error {
	dir := l.fs.PathJoin(l.dir, "index")
	o := idindex.Options{
		FS: l.fs, Now: l.o.Now, CacheBytes: l.o.IndexCacheBytes, Names: l.names, HashBits: l.o.indexHashBits, Logger: l.o.Logger,
	}
	x, err := idindex.Open(dir, o)
	switch {
	case errors.Is(err, idindex.ErrNewer):
		return fmt.Errorf("%s: %w", dir, err)
	case err != nil:
		l.o.Logger.Warn("id index cannot be opened; it is rebuilt from the log", "error", err)
	case x.Cursor() >= missing:
		l.o.Logger.Warn("id index knows blocks that the log has lost; it is rebuilt from the log",
			"index_cursor", uint64(x.Cursor()), "missing_seq", uint64(missing))
		l.head = max(l.head, x.Cursor())
		err = errors.Join(errors.New("ahead of the log"), x.Close())
	}
	if err != nil {
		if err := l.fs.RemoveAll(dir); err != nil {
			return err
		}
		if x, err = idindex.Open(dir, o); err != nil {
			return err
		}
	}
	l.index = x
	return l.replay()
}

// replay applies to the index every block behind its cursor. A new index is on disk when it returns: only then do the
// files of an earlier release's go.
func (l *Log) replay() error {
	r := &refill{index: l.index, after: l.index.Cursor(), upto: math.MaxUint64, horizon: horizon(l.o.Now())}
	anew, told := r.after == 0 && len(l.segs) > 0, time.Now()
	for i, seg := range l.segs {
		const silence = 5 * time.Second
		if anew && time.Since(told) > silence {
			told = time.Now()
			l.o.Logger.Info("building the id index from the log", "segment", i+1, "of", len(l.segs), "seq", uint64(seg.base))
		}
		if seg.last <= r.after || seg.rewrote && seg.jobs == 0 && seg.newest < r.horizon {
			continue
		}
		if err := l.replaySegment(r, seg); err != nil {
			return fmt.Errorf("replay %s into id index: %w", seg.path, err)
		}
	}
	if err := r.flush(); err != nil {
		return err
	}
	if anew || l.index.Replaces() {
		if err := l.index.Flush(); err != nil {
			l.o.Logger.Warn("the id index that was built cannot be written yet; the next start builds it again", "error", err)
		}
	}
	return nil
}

func (l *Log) replaySegment(r *refill, seg *segment) error {
	v, err := l.viewOf(seg)
	if err != nil {
		return err
	}
	defer v.release()
	sc := seg.from(r.after+1, v.h, seg.end, scanAhead)
	sc.verify = true // an event whose payload is lost must not be called a duplicate
	for bh, off := range sc.blocks() {
		if bh.last() <= r.after {
			continue
		}
		stored, err := sc.sections(&bh, off, false)
		if err != nil {
			return err
		}
		b, err := l.codec.decodeSections(&bh, stored, false)
		if err != nil {
			l.report(seg, bh.size(), 1)
			continue
		}
		if err := r.block(b); err != nil {
			return err
		}
	}
	if !seg.damaged.Load() { // else it was reported
		l.report(seg, sc.lost, sc.holes)
	}
	return sc.err
}

// horizon is the time, Unix µs, before which what committed has no mark and no receipt any more.
func horizon(now time.Time) int64 { return now.Add(-store.ReceiptTTL).UnixMicro() }

// refill applies to the index what blocks mean to it, many at a time.
type refill struct {
	index       *idindex.Index
	after, upto entity.Seq // only what lies behind after, and not behind upto
	horizon     int64
	changes     []idindex.Change
	ids         int
	last        entity.Seq // of the blocks that were given
}

func (r *refill) block(b *block) error {
	for i := range b.batches {
		t := &b.batches[i]
		if r.after < t.first && t.first <= r.upto {
			r.changes = append(r.changes, b.change(t, r.horizon))
			r.ids += t.events + 1
		}
	}
	r.last = min(b.last(), r.upto)
	const most = 50_000
	if r.ids >= most {
		return r.flush()
	}
	return nil
}

func (r *refill) flush() error {
	if len(r.changes) == 0 {
		return nil
	}
	err := r.index.Apply(r.changes, r.last)
	r.changes, r.ids = r.changes[:0], 0
	return err
}

// change is what batch t of the block means to the index: the same that the
// committer told it.
func (b *block) change(t *batch, horizon int64) idindex.Change {
	c := idindex.Change{Project: t.project, BatchID: t.id, JobID: t.job, Block: t.first}
	switch {
	case b.kind == kindJob:
		c.Job = idindex.JobAdded
	case b.kind == kindJobFailure:
		c.Job = idindex.JobFailed
	case t.job != "":
		c.Job = idindex.JobCompleted
	}
	c.At = changeTime(c.Job, t.committed, t.received)
	for i := range t.failed {
		c.Failed = append(c.Failed, t.failed[i].EventID)
	}
	if !t.dedup || t.committed < horizon {
		return c
	}
	c.TTL = t.ttl
	for i := t.at; i < t.at+t.events; i++ {
		if !b.dups.get(i) && b.ids[i] != "" { // retention takes the ids whose marks have gone
			c.IDs = append(c.IDs, b.ids[i])
			c.Seqs = append(c.Seqs, t.seq(i))
		}
	}
	return c
}

// report counts and logs bytes that are not the blocks they were.
func (l *Log) report(seg *segment, lost int64, holes int) {
	if holes == 0 {
		return
	}
	seg.damaged.Store(true)
	l.corrupt.Add(int64(holes))
	l.o.Logger.Error("segment is damaged; what lies behind the damage is kept",
		"segment", seg.path, "lost_bytes", lost, "places", holes)
}

// reportMissing counts and logs that the end of seg, or whole segments behind it, are gone.
func (l *Log) reportMissing(seg *segment, missing entity.Seq) {
	if missing == 0 {
		return
	}
	seg.damaged.Store(true)
	l.corrupt.Add(1)
	l.o.Logger.Error("segments are missing behind this one, or its end is; all others are kept",
		"segment", seg.path, "missing_seqs", uint64(missing))
}

// micros is the time of a stamp in a file.
func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }
