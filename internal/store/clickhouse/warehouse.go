package clickhouse

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Warehouse is a store.Warehouse in ClickHouse, which several nodes may share. It is safe for concurrent use.
type Warehouse struct {
	options Options
	pool    *pool         // the servers of the first shard
	shards  []*pool       // of all of them
	asked   atomic.Uint64 // see asker
	process string        // tells this process from all others
	reached atomic.Uint64 // the cursor, for who must not wait
	began   atomic.Uint64 // the cursor when this connected
	number  atomic.Uint32 // of the node
	closed  atomic.Bool
	guarded atomic.Bool // see Guard
	suspect atomic.Bool // see Suspect
	// looksAgain says that the server is not too old for that: see finals.
	looksAgain atomic.Bool

	ready  chan struct{}         // closed by Connect
	fault  atomic.Pointer[error] // how the servers were found last
	others atomic.Pointer[heard]
	// told, checked and beaten are Run's: the trouble that was logged last, when the settings were looked at, and when this node said that it lives.
	told    string
	checked time.Time
	beaten  time.Time

	// gate is held by each question for reading, and by who settles, so that a question of this node finds no half of what the node writes.
	gate sync.RWMutex

	hotMu sync.Mutex // guards hot
	hot   *hot

	whereabouts whereabouts
	ahead       ahead
	fronts      fronts
	loose       looseScores

	turn    chan struct{} // held by the one who writes; guards what follows
	folding *folding
	recent  *recent
	self    node
	fresh   time.Time // when the tables had all that the Log has
	heard   time.Time // when this node's last step was written
	// tidied is up to which block what a node left that is away was settled.
	tidied map[uint16]uint64
	// resumes says that this node had begun a block when it ended: what of it is in the table is settled with the first that follows.
	resumes bool
	// tried is the step of the block whose events were sent last.
	tried uint64
	// there are the Seqs of that block which are in the table, while the cursor is before its end.
	there map[uint64]bool
}

var _ store.Warehouse = (*Warehouse)(nil)

// Cursor is the position in this node's Log up to which everything is in the tables. It waits for nobody.
func (w *Warehouse) Cursor(context.Context) (entity.Seq, error) {
	if w.closed.Load() {
		return 0, store.ErrClosed
	}
	return entity.Seq(w.reached.Load()), nil
}

// Reached is the cursor, also when it is closed.
func (w *Warehouse) Reached() entity.Seq { return entity.Seq(w.reached.Load()) }

// Began is the cursor as it was when this connected.
func (w *Warehouse) Began() entity.Seq { return entity.Seq(w.began.Load()) }

// hangUp gives the connections back.
func (w *Warehouse) hangUp() {
	for _, p := range w.shards {
		p.close()
	}
}

// closeTime bounds what Close waits for the servers.
const closeTime = 5 * time.Second

// Close writes what was inserted, if the servers take it soon: what they do not take the Log has. It gives the connections back.
func (w *Warehouse) Close() error {
	if w.closed.Load() {
		return nil
	}
	var err error
	if w.unready() == nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		if err = w.Flush(ctx); errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			w.options.Logger.Warn("what was inserted last is not in clickhouse yet; the next start inserts it", "error", err)
			err = nil
		} else if all, failed := w.Nodes(ctx); failed == nil {
			w.others.Store(&heard{all, time.Now()}) // what is said when the node is alone goes by that
		}
	}
	w.closed.Store(true)
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.hangUp()
	return err
}

// locked runs f when it is the caller's turn to write.
func (w *Warehouse) locked(ctx context.Context, f func() error) error {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.turn }()
	if w.closed.Load() {
		return store.ErrClosed
	}
	if err := w.unready(); err != nil {
		return err
	}
	return f()
}

// ask runs a question, and calls each for every row of its answer, by its place in the columns of result.
func (w *Warehouse) ask(ctx context.Context, q *builder, text string, result proto.Results, each func(row int)) error {
	return w.askSet(ctx, q, text, nil, result, each)
}

// askSet is ask with more settings.
func (w *Warehouse) askSet(ctx context.Context, q *builder, text string, more []ch.Setting, result proto.Results, each func(row int)) error {
	return w.askAt(ctx, w.asker(), q, text, append(more, w.wholeSettings()...), result, each)
}

// askFirst is ask of what is in the first shard alone.
func (w *Warehouse) askFirst(ctx context.Context, q *builder, text string, result proto.Results, each func(row int)) error {
	return w.askAt(ctx, w.pool, q, text, nil, result, each)
}

// askAt asks one shard.
func (w *Warehouse) askAt(ctx context.Context, p *pool, q *builder, text string, more []ch.Setting, result proto.Results, each func(row int)) error {
	return p.do(ctx, ch.Query{
		Body: text, Parameters: q.params, Result: result, Settings: append(w.limits(ctx), more...),
		OnResult: func(_ context.Context, b proto.Block) error {
			for i := range b.Rows {
				each(i)
			}
			return nil
		},
	})
}
