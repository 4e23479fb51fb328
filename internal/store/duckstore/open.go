package duckstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Options are the settings of a Warehouse. The zero value is the default.
type Options struct {
	// MemoryLimit bounds what DuckDB's buffers use, in bytes. Default 256 MiB, at least 96 MiB:
	// a checkpoint holds a block of 256 KiB for nearly every column of every table.
	MemoryLimit int64
	// Threads is how many a query or a commit may use. Default 1: a second one waits more than it works.
	Threads int
	// IDMemory bounds the filter of event ids seen, in bytes. Default 64 MiB,
	// which is right for about 8 million events; beyond them inserts grow slower.
	IDMemory int
	// CacheMemory bounds what the writer remembers of the entities that it touched last,
	// in bytes, estimated; others it reads again. Default 16 MiB.
	CacheMemory int
	// Records reads events from the Log, with their Fields, in the order asked; those that are gone, or have no Fields,
	// may be left out. What the writer does not remember is folded again from them. Default: an error.
	Records func(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error)
	// Now is the clock, for how long events wait to be written and for the names of files put aside. Default time.Now.
	Now func() time.Time
	// Logger is told of a damaged file. Default: nobody.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 256 << 20
	}
	o.MemoryLimit = max(o.MemoryLimit, 96<<20)
	if o.Threads <= 0 {
		o.Threads = 1
	}
	if o.IDMemory <= 0 {
		o.IDMemory = 64 << 20
	}
	if o.CacheMemory <= 0 {
		o.CacheMemory = 16 << 20
	}
	if o.Records == nil {
		o.Records = func(context.Context, []entity.Seq) ([]entity.Record, error) {
			return nil, errors.New("the warehouse was opened without a log")
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return o
}

// Warehouse is a store.Warehouse in one DuckDB file. It is safe for concurrent use.
type Warehouse struct {
	path    string
	options Options
	layout  *layout
	// read answers questions; nil while the file is not open. mu guards its changes.
	read atomic.Pointer[sql.DB]
	// reached is cursor for who must not wait for mu.
	reached atomic.Uint64
	asking  *asking
	// asked counts the questions.
	asked atomic.Int64
	// damage is closed, once, when a part of the file turns out to be damaged.
	damage  chan struct{}
	damaged sync.Once
	// gate is held by each question for reading. A checkpoint that holds it begins with the
	// database for itself: else it fails, or leaves the room of removed rows unused.
	gate sync.RWMutex

	hotMu sync.Mutex // guards what follows, up to the empty line
	hot   *hot       // what is inserted goes here
	spare []*hot     // to be used again
	// flushErr is why the last flush failed, at failedAt; nil when it did not.
	flushErr error
	failedAt time.Time
	// taken and flushed count the inserts: those that were taken, and how many of these are written.
	taken, flushed uint64

	closing     atomic.Bool
	wake, stop  chan struct{} // tell the flusher
	flusherDone chan struct{}

	mu     turn    // guards all below: one writer
	thread *writer // opens the file and inserts
	write  *conn   // nil while the file is not open
	chunks chunks
	seen   *seen
	cursor entity.Seq
	// lastWritten is the greatest written of a row.
	lastWritten int64
	// What was touched last, as it is in the tables.
	heads           *cache[head]
	bundles         *cache[*bundle]
	families        *cache[*family]
	forgotten       int64 // rows removed since the filter was made
	removed         int64 // rows removed since the last checkpoint
	inserted        int   // rows inserted since then
	checkpointAsked int64 // what asked was then
	folding         folding
	failures        int  // in a row
	reopenAt        int  // the number of failures at which the database is opened again
	lost            bool // a checkpoint broke the database
	closed          bool
}

var _ store.Warehouse = (*Warehouse)(nil)

// errNewer says that the file is of a later release, which must not be thrown away.
var errNewer = errors.New("the warehouse file was written by a newer release of brokle: run that release, or move the file away to have it built again from the log")

// Open opens or creates the file at path; its directory must exist. A file
// that cannot be read, or that has an older layout, is renamed to
// path.damaged-TIME and kept, and an empty one is opened in its place, whose
// Cursor is 0. A file of a newer release, one that another process has open,
// or one that permissions forbid is an error.
func Open(path string, o Options) (*Warehouse, error) {
	o = o.withDefaults()
	if strings.ContainsAny(path, "?%#") {
		return nil, fmt.Errorf("open warehouse: the path %q must not contain '?', '%%' or '#'", path)
	}
	w, err := open(path, o)
	if err == nil {
		return w, nil
	}
	if !damaged(path, err) {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	aside, asideErr := putAside(path, o.Now())
	if asideErr != nil {
		return nil, fmt.Errorf("open warehouse: %w", errors.Join(err, asideErr))
	}
	level, why := slog.LevelError, "warehouse file cannot be read"
	if errors.Is(err, errOlder) {
		level, why = slog.LevelInfo, "warehouse file has the layout of an earlier release"
	}
	o.Logger.Log(context.Background(), level, why+"; it was put aside and is built again from the log",
		"file", path, "aside", aside, "error", err)
	if w, err = open(path, o); err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	return w, nil
}

// damaged says whether the content of the file is the reason for err.
func damaged(path string, err error) bool {
	if errors.Is(err, errNewer) {
		return false
	}
	f, openErr := os.Open(path)
	if openErr != nil {
		return false
	}
	_ = f.Close() // only read
	for _, other := range []string{"Could not set lock", "ermission denied", "No space left", "Out of Memory", "read a database file with version number"} {
		if strings.Contains(err.Error(), other) {
			return false
		}
	}
	return true
}

// putAside renames the file and its write-ahead log.
func putAside(path string, now time.Time) (aside string, err error) {
	aside = path + ".damaged-" + now.UTC().Format("20060102T150405.000000")
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	err = os.Rename(path+".wal", aside+".wal")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return aside, nil
}

func open(path string, o Options) (*Warehouse, error) {
	w := &Warehouse{
		path: path, options: o, layout: newLayout(), thread: newWriter(), asking: newAsking(), reopenAt: reopenAfter, damage: make(chan struct{}),
		mu: newTurn(), folding: folding{index: newIndex()}, hot: newHot(), wake: make(chan struct{}, 1), stop: make(chan struct{}), flusherDone: make(chan struct{}),
	}
	if err := w.thread.do(w.attach); err != nil {
		w.thread.close()
		return nil, err
	}
	w.chunks = newChunks(w.layout)
	go w.flusher()
	return w, nil
}

// attach opens the file. After an error nothing is open. w.mu is held, or w is new.
func (w *Warehouse) attach() (err error) {
	w.seen, w.forgotten, w.lost = newSeen(w.options.IDMemory), 0, false
	w.forget()
	if w.write, err = connect(w.path); err != nil {
		w.write = nil
		return err
	}
	defer func() {
		if err != nil {
			w.detach()
		}
	}()
	if err := w.configure(w.options); err != nil {
		return err
	}
	if err := w.loadMeta(); err != nil {
		return err
	}
	if err := w.loadSeen(); err != nil {
		return err
	}
	connector, err := duckdb.NewConnector(w.path, nil)
	if err != nil {
		return err
	}
	read := sql.OpenDB(connector)
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	w.read.Store(read)
	return nil
}

// detach lets go of the file as it is. w.mu is held, or w is new.
func (w *Warehouse) detach() {
	if read := w.read.Swap(nil); read != nil {
		// Its connections only read, and the reason to let go is reported.
		_ = read.Close()
	}
	if w.write != nil {
		w.write.close()
		w.write = nil
	}
}

// ready opens the file again when it had to be let go. w.mu is held.
func (w *Warehouse) ready() error {
	if w.closed {
		return store.ErrClosed
	}
	if w.write != nil {
		return nil
	}
	if err := w.thread.do(w.attach); err != nil {
		return fmt.Errorf("open the warehouse again: %w", err)
	}
	w.options.Logger.Info("the warehouse was opened again after an error that broke it")
	return nil
}

// revive opens a broken database again, unless that was done since read was in use.
func (w *Warehouse) revive(read *sql.DB) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.read.Load() == read {
		w.detach()
	}
	return w.ready()
}

// configure sets what holds for the whole database. The write-ahead log may
// grow to 1 GiB between checkpoints, because a checkpoint stops the writer for
// as long as it takes: Checkpoint is called when there is nothing to write.
func (w *Warehouse) configure(o Options) error {
	tuneAllocator()
	for _, set := range []string{
		fmt.Sprintf("SET memory_limit = '%dB'", o.MemoryLimit),
		fmt.Sprintf("SET threads = %d", o.Threads),
		"SET preserve_insertion_order = false",
		"SET checkpoint_threshold = '1GiB'",
		// Rows of a page are looked for by their places, which are pushed down into the scan up to so many of them.
		"SET GLOBAL dynamic_or_filter_threshold = 1024",
		// Freed memory goes back to the machine soon: by default DuckDB's allocator keeps much of it.
		"SET allocator_flush_threshold = '16MiB'",
		"SET allocator_bulk_deallocation_flush_threshold = '64MiB'",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
	} {
		if err := w.write.exec(set); err != nil {
			return err
		}
	}
	return nil
}

// errOlder says that the file has the layout of another release, which no newer version tells.
var errOlder = errors.New("the file has the layout of an earlier release")

// loadMeta reads the cursor, or creates the tables of an empty file.
func (w *Warehouse) loadMeta() error {
	tables, err := w.write.int64s("SELECT count(*) FROM duckdb_tables() WHERE NOT internal")
	if err != nil {
		return err
	}
	if tables[0] == 0 {
		return w.create()
	}
	meta, err := w.write.int64s("SELECT schema_version, cursor FROM meta")
	if err != nil {
		return err
	}
	switch {
	case len(meta) != 2 || meta[1] < 0:
		return errors.New("the file has no valid cursor")
	case meta[0] > SchemaVersion:
		return errNewer
	case meta[0] < SchemaVersion:
		return errOlder
	}
	columns := ""
	if err := w.write.scan(inFile, nil, func(b block) { columns = b.text(0, 0) }); err != nil {
		return err
	}
	if columns != w.layout.signature() {
		return errOlder
	}
	w.lastWritten = 0
	for _, kind := range entityKinds {
		last, err := w.write.int64s("SELECT coalesce(max(written), 0) FROM " + tableOf(kind))
		if err != nil {
			return err
		}
		w.lastWritten = max(w.lastWritten, last[0])
	}
	w.cursor = entity.Seq(meta[1])
	w.reached.Store(uint64(w.cursor))
	return nil
}

func (w *Warehouse) create() error {
	statements := append([]string{"BEGIN TRANSACTION"}, w.layout.ddl()...)
	statements = append(statements,
		fmt.Sprintf("INSERT INTO meta VALUES (%d, 0)", SchemaVersion), "COMMIT")
	for _, s := range statements {
		if err := w.write.exec(s); err != nil {
			return err
		}
	}
	w.cursor, w.lastWritten = 0, 0
	w.reached.Store(0)
	return nil
}

// loadSeen reads the keys of all rows. It also finds a file whose pages are damaged.
func (w *Warehouse) loadSeen() error {
	err := w.write.scan("SELECT project, fact FROM events", nil, func(b block) {
		project, facts := b.texts(0), b.uint64s(1)
		for i := range b.rows {
			w.seen.add(w.seen.factKey(project[i].view(), facts[i]))
		}
	})
	for _, kind := range entityKinds {
		if err != nil {
			return err
		}
		err = w.write.scan("SELECT project, id FROM "+tableOf(kind), nil, func(b block) {
			project, id := b.texts(0), b.texts(1)
			for i := range b.rows {
				w.seen.add(w.seen.entityKey(project[i].view(), id[i].view(), uint8(kind)))
			}
		})
	}
	if err != nil {
		return err
	}
	return w.write.scan("SELECT project, id, "+callColumns+" FROM observations WHERE twin IS NOT NULL", nil, func(b block) {
		for i := range b.rows {
			if c := callAt(b, i, b.text(1, i), 2); c.call != nil {
				for _, key := range c.call.Has() {
					w.seen.add(w.seen.callKey(b.text(0, i), key))
				}
			}
		}
	})
}

// Cursor is the position up to which everything is written: what a crash leaves. It waits for nobody.
func (w *Warehouse) Cursor(context.Context) (entity.Seq, error) {
	if w.closing.Load() {
		return 0, store.ErrClosed
	}
	return entity.Seq(w.reached.Load()), nil
}

// Checkpoint writes what is hot, and moves the write-ahead log into the file. It is worth its time
// when nothing waits to be inserted; Insert waits for it.
func (w *Warehouse) Checkpoint(ctx context.Context) error {
	if err := w.locked(ctx, w.checkpoint); err != nil {
		return fmt.Errorf("checkpoint warehouse: %w", err)
	}
	return nil
}

// gateHeld is how long a checkpoint keeps questions out: until it has begun.
const gateHeld = 50 * time.Millisecond

// checkpoint moves the write-ahead log into the file. It begins when the questions that are
// being answered have ended; the next ones run beside it. w.mu is held.
func (w *Warehouse) checkpoint() error {
	w.gate.Lock()
	open := sync.OnceFunc(w.gate.Unlock)
	defer open()
	defer time.AfterFunc(gateHeld, open).Stop()
	err := w.write.exec("CHECKPOINT")
	if err == nil {
		w.removed, w.inserted, w.checkpointAsked = 0, 0, w.asked.Load()
	}
	open()
	trimMemory()
	return err
}

// Close writes what is hot, ends the questions, and checkpoints. When that
// fails nothing is lost: what was inserted is in the write-ahead log, or is read from the Log again. A damaged
// file is put aside instead.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closing.Store(true)
	err := w.close()
	w.mu.Unlock()
	close(w.stop)
	<-w.flusherDone
	return err
}

// close is Close with w.mu held.
func (w *Warehouse) close() error {
	damaged := w.isDamaged()
	if !damaged {
		if err := w.flush(false); err != nil {
			w.options.Logger.Warn("the warehouse was closed without what was inserted last; the next start reads it from the log again", "error", err)
		}
	}
	w.closed = true
	var err error
	if w.write != nil && !damaged {
		if err = w.write.exec("CHECKPOINT"); starved(err) {
			w.options.Logger.Info("the warehouse was closed without a checkpoint, for want of memory; the next start reads its write-ahead log", "error", err)
			err = nil
		}
	}
	w.detach()
	w.thread.close()
	w.chunks.close()
	if damaged {
		var aside string
		if aside, err = putAside(w.path, w.options.Now()); err == nil {
			w.options.Logger.Error("the damaged warehouse file was put aside", "file", w.path, "aside", aside)
		}
	}
	if err != nil {
		return fmt.Errorf("close warehouse: %w", err)
	}
	return nil
}

// maxSeq is the largest Seq that fits the column.
const maxSeq = entity.Seq(math.MaxInt64)
