package duckstore

import (
	"context"
	"database/sql"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

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
	// sqlRoom is taken before gate.
	sqlRoom sqlRoom

	hotMu sync.Mutex // guards what follows, up to the empty line
	hot   *hot       // what is inserted goes here
	spare []*hot     // empty, to be used again
	free  pages      // of all hots
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
	owed            int64 // rows inserted while Expire was at work, without as many as it removed
	expireAtOnce    int64 // the constant, but in tests
	checkpointAsked int64 // what asked was then
	folding         folding
	failures        int  // in a row
	reopenAt        int  // the number of failures at which the database is opened again
	lost            bool // a checkpoint broke the database
	closed          bool
}

var _ store.Warehouse = (*Warehouse)(nil)

// Cursor is the position up to which everything is written: what a crash leaves. It waits for nobody.
func (w *Warehouse) Cursor(context.Context) (entity.Seq, error) {
	if w.closing.Load() {
		return 0, store.ErrClosed
	}
	return entity.Seq(w.reached.Load()), nil
}

// maxSeq is the largest Seq that fits the column.
const maxSeq = entity.Seq(math.MaxInt64)
