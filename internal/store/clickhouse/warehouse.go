package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Warehouse is a store.Warehouse in ClickHouse, which several nodes may share. It is safe for concurrent use.
type Warehouse struct {
	options Options
	pool    *pool
	reached atomic.Uint64 // the cursor, for who must not wait
	closed  atomic.Bool

	// gate is held by each question for reading, and by who settles, so that a question of this node finds no half of what the node writes.
	gate sync.RWMutex

	hotMu sync.Mutex // guards hot
	hot   *hot

	turn chan struct{} // held by the one who writes; guards what follows
	self node
	// resumes says that this node had begun a block when it ended: what of it is in the table is settled with the first that follows.
	resumes bool
	// there are the Seqs of that block which are in the table, while the cursor is before its end.
	there map[uint64]bool
}

var _ store.Warehouse = (*Warehouse)(nil)

// Open connects to the servers, and makes the tables when they are not there.
func Open(ctx context.Context, o Options) (*Warehouse, error) {
	if len(o.Addresses) == 0 {
		return nil, errors.New("open the clickhouse warehouse: no address is given")
	}
	if o.Node > mostNode {
		return nil, fmt.Errorf("open the clickhouse warehouse: node %d is out of range: 0 to %d", o.Node, mostNode)
	}
	o = o.withDefaults()
	w := &Warehouse{options: o, pool: newPool(o), hot: &hot{}, turn: make(chan struct{}, 1)}
	err := w.create(ctx)
	if err == nil {
		err = w.loadSelf(ctx)
	}
	if err != nil {
		w.pool.close()
		return nil, fmt.Errorf("open the clickhouse warehouse: %w", err)
	}
	return w, nil
}

// Cursor is the position in this node's Log up to which everything is in the tables. It waits for nobody.
func (w *Warehouse) Cursor(context.Context) (entity.Seq, error) {
	if w.closed.Load() {
		return 0, store.ErrClosed
	}
	return entity.Seq(w.reached.Load()), nil
}

// Close writes what was inserted and gives the connections back.
func (w *Warehouse) Close() error {
	if w.closed.Load() {
		return nil
	}
	err := w.Flush(context.Background())
	w.closed.Store(true)
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.pool.close()
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
	return f()
}

// ask runs a question, and calls each for every row of its answer, by its place in the columns of result.
func (w *Warehouse) ask(ctx context.Context, q *builder, text string, result proto.Results, each func(row int)) error {
	return w.pool.do(ctx, ch.Query{
		Body: text, Parameters: q.params, Result: result,
		OnResult: func(_ context.Context, b proto.Block) error {
			for i := range b.Rows {
				each(i)
			}
			return nil
		},
	})
}
