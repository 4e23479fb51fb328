// Package idindex is the id index: what the Log's blocks mean for
// deduplication, receipts and jobs, kept in Pebble.
//
// It is a view of the Log and promises what a view can. It is written without a
// write-ahead log, and its cursor travels in the same Pebble batch as what the
// cursor speaks of; Pebble flushes its memtables whole and in order, so after a
// crash the index holds exactly the blocks up to Cursor, and the Log's tail
// supplies the rest. Deleting the directory loses nothing either: the Log
// fills a new one.
//
// A mark says that an id was stored, until its ttl has passed since the first
// acceptance. A failed event leaves a receipt of another kind, which no look-up
// for duplicates reads. Expired entries are unknown at once and leave
// the disk when Sweep comes by.
package idindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/varint"
)

// ErrFormat is returned by Open for a directory written in another format.
// The index can be deleted: it is rebuilt from the Log.
var ErrFormat = errors.New("index directory has another format")

// ErrNewer is the ErrFormat of a directory that a later release wrote.
var ErrNewer = fmt.Errorf("%w: a later release wrote it; use that release, or delete the directory to have it built again", ErrFormat)

// Options of an Index. The zero value works.
type Options struct {
	// FS is where the files live; nil is the operating system's file system.
	FS vfs.FS
	// Now is the clock that expiry counts by; nil is time.Now.
	Now func() time.Time
	// CacheBytes bounds the memory of Pebble's block cache and memtables together
	// (memtables are taken from it); 0 is 64 MiB, the least is 8 MiB. The front
	// filter comes on top, up to 63 MiB.
	CacheBytes int64
	// Logger gets Pebble's errors, and its news at debug level; nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Index is the id index. All methods may be called concurrently; Close must
// come last.
type Index struct {
	db     *pebble.DB
	now    func() time.Time
	cursor atomic.Uint64
	marks  atomic.Int64 // stored and not yet swept
	keys   sync.Pool    // *[]byte for keys of look-ups
	log    *slog.Logger
	filter *filter

	damage *damage
	work   *work
	most   uint64 // bytes in memory from which on a write may have to wait for the disk

	readOnly   bool
	closing    atomic.Bool
	readInDone chan struct{} // closed when no goroutine reads old marks into the filter

	sweeping sync.Mutex // one Sweep at a time; taken before mu

	// mu orders Apply and Sweep: between Sweep's look at an expired mark and its
	// delete no Apply may renew the mark. It guards the fields below.
	mu    sync.Mutex
	first [2]int64 // by due kind: no due key lies before this minute
	buf   []byte   // for keys and values
}

// Open opens the index in dir and creates it when it is not there. ErrStopped when its manifest cannot be
// written, on a full disk for instance: the directory must not be opened again in this process.
func Open(dir string, o Options) (*Index, error) {
	o = o.withDefaults()
	d, err := newDamage(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open id index: %w", err)
	}
	w := newWork(o.Logger)
	p := pebbleOptions(o, d.found, w)
	db, err := w.open(dir, p)
	if err != nil {
		return nil, fmt.Errorf("open id index: %w", err)
	}
	x := &Index{
		db: db, now: o.Now, log: o.Logger, damage: d, work: w, most: (memTables - 1) * p.MemTableSize,
		filter: newFilter(), readInDone: make(chan struct{}),
		keys: sync.Pool{New: func() any { b := make([]byte, 0, 256); return &b }},
	}
	if err := x.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open id index: %w", err), db.Close())
	}
	return x, nil
}

// Damaged is closed when a file of the index turns out to be damaged. Look-ups that meet the
// damage fail. The next Open refuses the directory: it has to be removed, and built again.
func (x *Index) Damaged() <-chan struct{} { return x.damage.c }

// Stopped is closed when the index can keep no promise any more, because its manifest could not be
// written. Everything fails with ErrStopped from then on; the next Open recovers the directory.
func (x *Index) Stopped() <-chan struct{} { return x.work.broken }

// Fault says why the index could not write its tables when it tried last; "" when it could.
func (x *Index) Fault() string {
	x.work.mu.Lock()
	defer x.work.mu.Unlock()
	if err := errors.Join(x.work.reason, x.work.last); err != nil {
		return err.Error()
	}
	return ""
}

// load reads the cursor, or makes sure that the directory is empty.
func (x *Index) load() error {
	v, closer, err := x.db.Get([]byte{format, kindCursor})
	if errors.Is(err, pebble.ErrNotFound) {
		return x.checkEmpty()
	}
	if err != nil {
		return err
	}
	r := varint.Reader{B: v}
	x.cursor.Store(r.Uvarint())
	x.marks.Store(int64(r.Uvarint()))
	if err := errors.Join(bad(&r, "cursor"), closer.Close()); err != nil {
		return err
	}
	if x.readOnly { // nobody asks the filter
		close(x.readInDone)
		return nil
	}
	return x.readIn()
}

func (x *Index) checkEmpty() error {
	it, err := x.db.NewIter(nil)
	if err != nil {
		return err
	}
	if it.First() {
		err = ErrFormat
		if k := it.Key(); len(k) > 0 && k[0] > format {
			err = ErrNewer
		}
	}
	close(x.readInDone)
	return errors.Join(err, it.Error(), it.Close())
}

// appendCursor appends the cursor's value.
func appendCursor(b []byte, cursor entity.Seq, marks int64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(cursor)), uint64(max(0, marks)))
}

// Close flushes what is in memory and closes the index. What cannot be flushed at the first try is
// left to the Log's tail, and named in the error.
func (x *Index) Close() error {
	x.closing.Store(true)
	<-x.readInDone
	var err error
	if !x.readOnly {
		err = x.work.flush(x.db, x.most)
	}
	x.work.close()
	err = errors.Join(err, x.db.Close())
	if err != nil {
		return fmt.Errorf("close id index: %w", err)
	}
	return nil
}

// Flush makes everything applied so far survive a crash. It is not needed for
// correctness; it shortens the replay at the next start. It does not wait for a disk that refuses.
func (x *Index) Flush() error {
	if err := x.work.flush(x.db, x.most); err != nil {
		return fmt.Errorf("flush id index: %w", err)
	}
	return nil
}

// Cursor is the position up to which every block of the Log is applied.
func (x *Index) Cursor() entity.Seq { return entity.Seq(x.cursor.Load()) }

// Stats says how large the index is.
type Stats struct {
	// Entries counts marks that were not yet swept, expired ones included. The
	// count is kept beside the cursor, so it survives restarts. An id marked again
	// before its old mark was swept counts twice until then.
	Entries int64
	// DiskBytes is the size of all files, those about to be deleted included.
	DiskBytes int64
}

// Stats reads the counters; it is cheap enough for every scrape.
func (x *Index) Stats() Stats {
	return Stats{Entries: x.marks.Load(), DiskBytes: int64(x.db.Metrics().DiskSpaceUsage())}
}
