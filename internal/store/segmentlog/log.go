package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
)

var (
	_ store.Log      = (*Log)(nil)
	_ store.Receipts = (*Log)(nil)
	_ store.Jobs     = (*Log)(nil)
)

// Log is a store.Log, store.Receipts and store.Jobs in one directory. Its
// methods may be called concurrently.
type Log struct {
	o        Options
	fs       vfs.FS
	dir      string
	lock     io.Closer
	codec    *codec
	index    *idindex.Index
	named    namedBlocks
	handles  *handles
	blocks   *blockCache
	tail     tail
	nextID   atomic.Uint64 // of segments
	requests sync.Pool     // of *request

	// life is held for reading by every call that touches the engine, so that
	// Close waits for them; it guards closed.
	life    sync.RWMutex
	closed  bool
	closing chan struct{} // closed when Close begins
	queue   chan *request
	done    sync.WaitGroup // the committer
	serving bool           // there is one: Open has recovered
	maint   chan struct{}  // one token: Trim, Erase and recompression take turns
	toPack  chan struct{}  // has a token when there is something to pack
	finders chan struct{}  // a token for each CPU: all searches together read so many stretches at a time

	self  vfs.File // the directory, held open so that no other gets its identity
	dirID identity

	listing sync.Mutex     // guards listed and opening, and the list's file; taken before mu
	listed  []entity.Seq   // what the file says; nil: not known
	opening entity.Seq     // of the newest segment that was begun
	lost    []AcceptedLoss // not changed after Open
	missing []Loss         // of lost, what Open found; not changed after it

	leftover []string // files that could not be removed yet; the holder of maint's
	making   *making  // nil: none; the holder of maint's

	removing sync.Mutex               // guards removed
	removed  map[string]store.Removed // by project

	mu   sync.RWMutex // guards all below and the marked fields of segments
	segs []*segment   // by base; replaced, never changed in place, except by append at the end
	head entity.Seq
	news chan struct{} // closed when head moves

	counts
	fault      atomic.Pointer[string]
	hiddenUpto atomic.Uint64                 // the Seq up to which what is hidden may go
	hidden     atomic.Pointer[store.Cutoffs] // what has expired, and is not shown; nil: nothing
	lastAppend atomic.Int64                  // Unix µs
}

type counts struct {
	batches, stored, duplicates, fsyncs atomic.Int64
	torn, corrupt, recompressed         atomic.Int64
}

// Open opens or creates the Log in dir. It recovers from whatever the last
// process left: see the package documentation. A directory is open in one process at a time.
func Open(dir string, o Options) (_ *Log, err error) {
	o = o.withDefaults()
	l := &Log{
		o: o, fs: o.FS, dir: dir,
		handles: newHandles(o.FS, o.MaxOpenFiles),
		blocks:  newBlockCache(o.BlockCacheBytes),
		tail:    tail{limit: o.TailBytes},
		closing: make(chan struct{}),
		queue:   make(chan *request, 1024),
		maint:   make(chan struct{}, 1),
		toPack:  make(chan struct{}, 1),
		finders: make(chan struct{}, runtime.GOMAXPROCS(0)),
		news:    make(chan struct{}),
	}
	if l.codec, err = newCodec(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open log in %s: %w", dir, errors.Join(err, l.release()))
		}
	}()
	if err := makeDir(l.fs, dir); err != nil {
		return nil, err
	}
	if l.lock, err = l.fs.Lock(l.fs.PathJoin(dir, "LOCK")); err != nil {
		return nil, lockProblem(err)
	}
	if l.self, err = l.fs.OpenDir(dir); err != nil {
		return nil, err
	}
	l.dirID = fileIdentity(l.self)
	if err := l.recover(); err != nil {
		return nil, err
	}
	l.lastAppend.Store(o.Now().UnixMicro())
	l.serving = true
	c := &committer{Log: l, next: l.head + 1}
	l.done.Go(c.run)
	return l, nil
}

// lockProblem says why the directory's lock could not be had. What has a path is a file that
// could not be opened; else another process, or this one, holds the lock.
func lockProblem(err error) error {
	var file *fs.PathError
	if errors.As(err, &file) {
		return fmt.Errorf("its lock file cannot be opened: %w", err)
	}
	return fmt.Errorf("is it open elsewhere? %w", err)
}

// release gives back what Open took.
func (l *Log) release() error {
	var errs []error
	l.handles.close()
	if l.index != nil {
		errs = append(errs, l.index.Close())
	}
	if l.self != nil {
		errs = append(errs, l.self.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	l.codec.close()
	return errors.Join(errs...)
}

// enter begins a call; exit ends it. It fails once Close has begun.
func (l *Log) enter() error {
	l.life.RLock()
	if l.closed {
		l.life.RUnlock()
		return fmt.Errorf("log: %w", store.ErrClosed)
	}
	return nil
}

func (l *Log) exit() { l.life.RUnlock() }

// call does what a caller asked for between enter and exit, and names it in the error.
func call[T any](l *Log, what string, do func() (T, error)) (T, error) {
	var got T
	err := l.enter()
	if err == nil {
		got, err = do()
		l.exit()
	}
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", what, err)
	}
	return got, nil
}

// Close answers what was queued, ends waiting readers with store.ErrClosed, and
// closes the files and the index.
func (l *Log) Close() error {
	l.mu.Lock()
	select {
	case <-l.closing:
		l.mu.Unlock()
		return nil
	default:
	}
	close(l.closing)
	l.mu.Unlock()
	l.life.Lock() // calls in flight end
	l.closed = true
	close(l.queue)
	l.life.Unlock()
	l.done.Wait()
	// No call is in flight, so what only the holder of maint may touch is at rest.
	if err := errors.Join(l.dropMaking(nil), l.release()); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// Head is the last Seq given out and durable.
func (l *Log) Head() entity.Seq {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.head
}

// Stats counts what the Log did since it was opened, and how it stands.
func (l *Log) Stats() store.LogStats {
	s := store.LogStats{
		Batches: l.batches.Load(), Stored: l.stored.Load(), Duplicates: l.duplicates.Load(),
		Fsyncs: l.fsyncs.Load(), QueueLen: len(l.queue), TornBytes: l.torn.Load(),
		CorruptBlocks: l.corrupt.Load(), RecompressedSegs: l.recompressed.Load(),
	}
	if why := l.fault.Load(); why != nil {
		s.Fault = *why
	}
	l.mu.RLock()
	s.Head, s.Segments = l.head, len(l.segs)
	for _, seg := range l.segs {
		s.DiskBytes += seg.end
	}
	l.mu.RUnlock()
	l.removing.Lock()
	for _, n := range l.removed {
		s.Removed = s.Removed.Add(n)
	}
	l.removing.Unlock()
	if l.enter() == nil {
		x := l.index.Stats()
		l.exit()
		s.IndexEntries, s.IndexBytes, s.IndexFault = x.Entries, x.DiskBytes, x.Fault
	}
	return s
}

// ErrIndexDamaged ends Run: the id index has a damaged file. Only opening the Log again builds it anew.
var ErrIndexDamaged = errors.New("the id index is damaged; the next start builds it again from the log")

// Run does the background work until ctx ends: what was appended is packed, with filters for the search of text, and each
// minute what expired is swept out of the index. The packing has a thread of its own, at a lower priority.
// It returns nil. Trouble is logged and tried again, but for an
// id index that is damaged: that is ErrIndexDamaged, and opening the Log again mends it.
func (l *Log) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var packing sync.WaitGroup
	packing.Go(func() { l.packing(ctx) })
	defer packing.Wait()
	defer cancel()
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-l.closing:
			return nil
		case <-l.index.Damaged():
			return ErrIndexDamaged
		case <-sweep.C:
			err = l.sweep()
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
			l.o.Logger.Warn("background work of the log failed, it will be tried again", "error", err)
		}
	}
}

func (l *Log) sweep() error {
	_, err := call(l, "sweep", func() (struct{}, error) { return struct{}{}, l.index.Sweep(l.o.Now()) })
	return err
}

// takeMaint waits for the turn of work that replaces segments, and enters.
func (l *Log) takeMaint(ctx context.Context) error {
	select {
	case l.maint <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closing:
		return fmt.Errorf("log: %w", store.ErrClosed)
	}
	if err := l.enter(); err != nil {
		<-l.maint
		return err
	}
	return nil
}

func (l *Log) giveMaint() {
	l.exit()
	<-l.maint
}

// makeDir creates dir and makes its name durable.
func makeDir(fs vfs.FS, dir string) error {
	names := []string{dir} // that are not there yet; dir's own is synced in any case
	for d := fs.PathDir(dir); d != fs.PathDir(d); d = fs.PathDir(d) {
		if _, err := fs.Stat(d); err == nil {
			break
		}
		names = append(names, d)
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range names {
		if err := durable.SyncDirIn(fs, fs.PathDir(d)); err != nil {
			return err
		}
	}
	return nil
}
