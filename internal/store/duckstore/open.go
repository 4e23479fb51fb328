package duckstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Open opens or creates the file at path; its directory must exist. A file
// that cannot be read is renamed to path.damaged-TIME, one that has an older layout to
// path.older-TIME, and an empty one is opened in its place, whose
// Cursor is 0: see Asides. A file of a newer release, one that another process has open,
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
	as := asideDamaged
	if errors.Is(err, errOlder) {
		as = asideOlder
	}
	aside, asideErr := putAside(path, as, o.Now())
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

func open(path string, o Options) (*Warehouse, error) {
	w := &Warehouse{
		path: path, options: o, layout: newLayout(), thread: newWriter(), asking: newAsking(), reopenAt: reopenAfter, damage: make(chan struct{}),
		mu: newTurn(), expireAtOnce: expireAtOnce, folding: folding{index: newIndex()}, wake: make(chan struct{}, 1), stop: make(chan struct{}), flusherDone: make(chan struct{}),
	}
	w.hot = newHot(&w.free)
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
	connector, err := duckdb.NewConnector(w.path+"?"+storedAs+"="+storedVersion, nil)
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
		w.memoryLimit(1),
		fmt.Sprintf("SET threads = %d", o.Threads),
		"SET preserve_insertion_order = false",
		compactNothing,
		"SET checkpoint_threshold = '1GiB'",
		// Rows of a page are looked for by their places, which are pushed down into the scan up to so many of them.
		"SET GLOBAL dynamic_or_filter_threshold = 1024",
		// Freed memory goes back to the machine soon: by default DuckDB's allocator keeps much of it.
		"SET allocator_flush_threshold = '16MiB'",
		"SET allocator_background_threads = true", // see decaysAlone
		"SET allocator_bulk_deallocation_flush_threshold = '64MiB'",
		// What does not fit into memory goes to a file beside the warehouse, which must not fill the disk.
		"SET max_temp_directory_size = '8GiB'",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
	} {
		if err := w.write.exec(set); err != nil {
			return err
		}
	}
	return nil
}
