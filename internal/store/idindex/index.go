// Package idindex is the id index: what the Log's blocks mean for
// deduplication, receipts and jobs.
//
// It is a view of the Log and promises what a view can. What is applied goes into a table in memory, and when that is
// full, into a run: a file of entries in the order of their hashes, with a Bloom filter. The manifest
// names the runs and the cursor that they stand for, and is replaced as a whole. So after a crash the index holds exactly
// the blocks up to Cursor, and the Log's tail supplies the rest. Deleting the directory loses nothing
// either: the Log fills a new one.
//
// An entry is a hash of an id and the Seq at which the Log has the id itself. Where hashes meet, the
// Log is asked (Options.Names): what has not been stored is never called a duplicate.
//
// A mark says that an id was stored, until its ttl has passed since the first
// acceptance. A failed event leaves a receipt of another kind, which no look-up
// for duplicates reads. Expired entries are unknown at once; they leave the disk in whole runs, and when runs are merged.
package idindex

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// FormatVersion is the version of the files that this package reads and writes.
const FormatVersion = 2

// ErrFormat is returned by Open for a directory written in another format.
// The index can be deleted: it is rebuilt from the Log.
var ErrFormat = errors.New("index directory has another format")

// ErrNewer is the ErrFormat of a directory that a later release wrote.
var ErrNewer = fmt.Errorf("%w: a later release wrote it; use that release, or delete the directory to have it built again", ErrFormat)

const (
	defaultCache = 64 << 20
	minCache     = 8 << 20
)

// Options of an Index. The zero value works.
type Options struct {
	// FS is where the files live; nil is the operating system's file system.
	FS vfs.FS
	// Now is the clock that expiry counts by; nil is time.Now.
	Now func() time.Time
	// CacheBytes bounds the memory of tables and filters together; 0 is 64 MiB, the least is 8 MiB. Three
	// sixteenths are for two tables. 64 MiB are enough for 50 million ids;
	// with more, filters are halved, and look-ups of new ids read more pages in vain.
	CacheBytes int64
	// Names says whether the Log has this id at a Seq: an event's, or of a batch, a failed event or a job of the block
	// there. It is false when the Log cannot tell any more. nil: no two ids have the same hash.
	Names func(kind Kind, at entity.Seq, project, id string) (bool, error)
	// Like is an index whose hash a new one takes over, so that they can be compared.
	Like *Index
	// HashBits is how much of each event's hash is kept; 0 is all of it. Tests take few, so that ids meet.
	HashBits   int
	tableSlots int // of a table, 0: what CacheBytes says; tests take few
	// Logger gets news and trouble; nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.FS = cmp.Or(o.FS, vfs.Default)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.CacheBytes = max(cmp.Or(o.CacheBytes, defaultCache), minCache)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// saved is what the manifest says.
type saved struct {
	cursor  entity.Seq
	pending []pendingJob
}

// Index is the id index. All methods may be called concurrently; Close must
// come last.
type Index struct {
	o        Options
	fs       vfs.FS
	dir      string
	hash     hasher
	span     int      // slots of a table
	old      []string // files of another release, which go when what replaces them is on disk
	readOnly bool
	cursor   atomic.Uint64
	lookups  sync.Pool // of *lookup
	damage   chan struct{}

	applying sync.Mutex // held by Apply; taken first of all

	files sync.Mutex // held by who writes, merges or removes runs; taken before mu
	next  uint64     // number of the next run; guarded by files

	// mu guards all below. Who holds files may read runs, saved and trouble without it: only that one changes them.
	mu      sync.RWMutex
	saved   saved
	active  *table
	frozen  *frozen // on its way to the disk; nil: none
	runs    []*run  // oldest first
	pending map[jobKey]pendingJob
	trouble error         // of the last attempt to write; nil: it went well
	failed  int           // attempts, since one went well
	ended   chan struct{} // closed and replaced when an attempt ends

	writing sync.Mutex // held while the manifest is written, and guards hurt; taken last
	hurt    bool       // damage was found

	wake    chan struct{} // one token: there may be work
	closing atomic.Bool   // the worker is to end
	done    chan struct{} // closed: it has
}

// frozen is a full table with what was true when it was.
type frozen struct {
	*table
	saved
}

// Open opens the index in dir and creates it when it is not there. Files of a release before this one stay until the first
// Flush that went well.
func Open(dir string, o Options) (*Index, error) { return open(dir, o, false) }

// OpenReadOnly opens the index in dir to be looked at: nothing on disk is changed, and nothing can
// be applied. What is read is what the next start begins with. The caller keeps other processes away.
func OpenReadOnly(dir string, o Options) (*Index, error) { return open(dir, o, true) }

func open(dir string, o Options, readOnly bool) (*Index, error) {
	o = o.withDefaults()
	x := &Index{
		o: o, fs: o.FS, dir: dir, readOnly: readOnly, span: cmp.Or(o.tableSlots, int(o.CacheBytes*3/32/entryMemory)), pending: map[jobKey]pendingJob{},
		ended: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}), damage: make(chan struct{}),
	}
	x.active = newTable(x.span)
	x.lookups.New = func() any { return &lookup{} }
	m, err := readManifest(x.fs, dir)
	if errors.Is(err, fs.ErrNotExist) && !readOnly {
		m, err = x.create()
	}
	if err == nil {
		err = x.load(m)
	}
	if err == nil && !readOnly {
		err = x.tidyDir()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open id index: %w", err), x.closeRuns())
	}
	if readOnly {
		close(x.done)
	} else {
		go x.work()
	}
	return x, nil
}

// create makes the directory. The manifest comes with the first table.
func (x *Index) create() (m manifest, err error) {
	if err = x.fs.MkdirAll(x.dir, 0o755); err == nil {
		err = durable.SyncDirIn(x.fs, x.fs.PathDir(x.dir))
	}
	if err == nil && x.o.Like != nil {
		m.Secret = x.o.Like.hash.secret
	} else if err == nil {
		err = binary.Read(rand.Reader, binary.LittleEndian, &m.Secret)
	}
	return m, err
}

// tidyDir removes the files of work that a crash interrupted, and finds those of another release.
func (x *Index) tidyDir() error {
	names, err := x.fs.List(x.dir)
	if err != nil {
		return err
	}
	known := map[string]bool{manifestName: true}
	for _, r := range x.runs {
		known[runName(r.number)] = true
	}
	for _, name := range names {
		switch path := x.fs.PathJoin(x.dir, name); {
		case known[name]:
		case strings.HasSuffix(name, ".run"), name == manifestName+".tmp":
			if err := x.fs.Remove(path); err != nil {
				return err
			}
		default:
			x.old = append(x.old, path)
		}
	}
	if len(x.old) > 0 {
		x.o.Logger.Info("the files of the id index of an earlier release go when the new one is built from the log", "dir", x.dir)
	}
	return nil
}

// load opens what the manifest names.
func (x *Index) load(m manifest) error {
	x.hash = newHasher(m.Secret, x.o.HashBits)
	x.next, x.saved = max(m.Next, 1), saved{m.Cursor, m.Pending}
	x.cursor.Store(uint64(m.Cursor))
	for _, p := range m.Pending {
		x.pending[p.key()] = p
	}
	for _, l := range m.Runs {
		r, err := openRun(x.fs, x.fs.PathJoin(x.dir, runName(l.Number)), l.Number)
		if err != nil {
			return err
		}
		x.runs = append(x.runs, r)
		if r.sum() != l.Sum {
			return fmt.Errorf("%s: is not the file that the manifest names: it %w", r.path, errDamaged)
		}
	}
	return x.fitFilters(x.runs, true)
}

func (x *Index) closeRuns() error {
	var errs []error
	for _, r := range x.runs {
		errs = append(errs, r.file.Close())
	}
	return errors.Join(errs...)
}

// Close writes what is in memory and closes the index. What cannot be written at the first try is
// left to the Log's tail, and named in the error.
func (x *Index) Close() error {
	var err error
	if !x.readOnly {
		err = x.flush()
		x.closing.Store(true)
		x.poke()
		<-x.done
	}
	if err = errors.Join(err, x.closeRuns()); err != nil {
		return fmt.Errorf("close id index: %w", err)
	}
	return nil
}

// Cursor is the position up to which every block of the Log is applied.
func (x *Index) Cursor() entity.Seq { return entity.Seq(x.cursor.Load()) }

// Replaces says that files of another release are there until the next Flush.
func (x *Index) Replaces() bool { return len(x.old) > 0 }

// Damaged is closed when a file of the index turns out to be damaged. Look-ups that meet the
// damage fail. The next Open finds an empty index, which is filled from the Log.
func (x *Index) Damaged() <-chan struct{} { return x.damage }

// Stats says how large the index is.
type Stats struct {
	// Entries counts marks that were not yet dropped, expired ones included.
	Entries int64
	// DiskBytes is the size of all runs.
	DiskBytes int64
	// Fault says why the index could not write its files when it tried last; "" when it could.
	Fault string
}

// Stats reads the counters; it is cheap enough for every scrape.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := Stats{Entries: int64(x.active.marks)}
	if x.frozen != nil {
		s.Entries += int64(x.frozen.marks)
	}
	if x.trouble != nil {
		s.Fault = x.trouble.Error()
	}
	for _, r := range x.runs {
		s.Entries += int64(r.marks)
		s.DiskBytes += r.size()
	}
	return s
}
