package idindex

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/bloom"
)

// filterSize is how large the filter of a run of n entries is. The many small runs have more bits, so that a new id is
// seldom looked for in vain; the few large ones have less, for that is where the memory goes. It can be halved three times.
func filterSize(n int) (lines, probes int) {
	bits, probes := 8, 5
	if n <= 4<<20 {
		bits, probes = 12, 6
	}
	return (n*bits/(8*bloom.LineBytes) + 8) &^ 7, probes
}

// writer writes a run.
type writer struct {
	run
	fs     vfs.FS
	buf    []byte
	open   int // where in buf the page begins that is written to
	off    int64
	synced int64
	stride int
	sample []int64 // expiries of some entries
}

// newWriter begins a run of at most n entries, none of which expires before first. x.files is held.
func (x *Index) newWriter(n int, first int64) (w *writer, err error) {
	w = &writer{fs: x.fs, stride: n/256 + 1, run: run{number: x.next, path: x.fs.PathJoin(x.dir, runName(x.next))}}
	x.next++
	w.first, w.pages = first, n/pageMean+1
	w.lines, w.probes = filterSize(n)
	w.filter, w.page = bloom.New(w.lines, w.probes), make([]page, 0, w.pages)
	w.file, err = x.fs.Create(w.path, vfs.WriteCategoryUnspecified)
	return w, err
}

// add writes an entry. They come in their order.
func (w *writer) add(e entry) error {
	for p := place(e.key, w.pages); len(w.page) < p; {
		if err := w.endPage(); err != nil {
			return err
		}
	}
	if w.entries%w.stride == 0 {
		w.sample = append(w.sample, e.expires)
	}
	if e.kind() == KindEvent {
		w.marks++
	}
	w.entries++
	w.last = max(w.last, e.expires)
	w.filter.Add(e.key)
	delta := uint64(min(e.expires-w.first, deltaMax))
	w.buf = binary.LittleEndian.AppendUint64(w.buf, e.key)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, e.seq&(1<<48-1)|delta<<48)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(delta>>16))
	return nil
}

func (w *writer) endPage() error {
	w.page = append(w.page, page{uint32(w.entries), checksum(w.buf[w.open:])})
	w.open = len(w.buf)
	const most = 256 << 10
	if len(w.buf) < most {
		return nil
	}
	return w.flush()
}

// flush writes what is in buf. From time to time it has the disk begin with what it got, so that the sync at the end holds
// up nobody else's.
func (w *writer) flush() error {
	n, err := w.file.Write(w.buf)
	w.off += int64(n)
	w.buf, w.open = w.buf[:0], 0
	const every = 2 << 20
	if err == nil && w.off-w.synced >= every {
		w.synced = w.off
		_, err = w.file.SyncTo(w.off)
	}
	return err
}

// end makes the run durable, but for its name, and opens it. With an error, of this or of what was written before, the file goes.
func (w *writer) end(err error) (*run, error) {
	if w.file == nil {
		return nil, err
	}
	if err == nil {
		err = w.finish()
	}
	if err = errors.Join(err, w.file.Close()); err == nil {
		r := w.run
		if r.file, err = w.fs.Open(w.path, vfs.RandomReadsOption); err == nil {
			return &r, nil
		}
	}
	return nil, errors.Join(err, w.fs.Remove(w.path))
}

// finish writes what comes behind the entries.
func (w *writer) finish() error {
	for len(w.page) < w.pages {
		if err := w.endPage(); err != nil {
			return err
		}
	}
	slices.Sort(w.sample)
	if n := len(w.sample); n > 0 {
		w.most = w.sample[n*3/4]
	}
	at := len(w.buf)
	for _, p := range w.page {
		w.buf = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(w.buf, p.end), p.sum)
	}
	w.pageSum = checksum(w.buf[at:])
	at = len(w.buf)
	w.buf = w.filter.Append(w.buf)
	w.filterSum = checksum(w.buf[at:])
	w.buf = w.footer.append(w.buf)
	if err := w.flush(); err != nil {
		return err
	}
	return w.file.Sync()
}
