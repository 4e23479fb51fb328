package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
)

// copies knows whether a warehouse that nodes share has data of this node, which has one of its own, and keeps what it is to be told of: what was erased
// and repriced since.
type copies struct {
	path string
	// mu guards the file, and is held for each step of a copy: what was erased from the log before somebody had it is in the shared warehouse already, or never
	// will be.
	mu sync.Mutex
}

// openCopies reads the file. A node that shared its warehouse before is apart from now on.
func openCopies(dir string, prices *pricing.Pricing) (*copies, error) {
	c := &copies{path: filepath.Join(dir, datadir.NodeFile)}
	if _, err := os.Stat(c.path); errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	return c, c.change(func(id *identity) { id.part(prices) })
}

// part begins to keep what the shared warehouse is to be told of.
func (id *identity) part(prices *pricing.Pricing) {
	if id.Apart == nil {
		id.Apart = &apart{Repriced: endedRepricings(prices)}
	}
}

// endedRepricings is how many repricings have come to their end.
func endedRepricings(prices *pricing.Pricing) int {
	n := prices.Repriced()
	if _, running := prices.Underway(); running {
		n--
	}
	return n
}

// change writes the file anew. mu must not be held.
func (c *copies) change(f func(*identity)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := identityFile(c.path)
	if err != nil {
		return err
	}
	f(&id)
	return id.write(c.path)
}

// read is the file, which is made when it is not there.
func (c *copies) read() (identity, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return identityFile(c.path)
}

// note keeps what was erased from the log, if another warehouse may have it.
func (c *copies) note(project string, seqs []entity.Seq) error {
	if _, err := os.Stat(c.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return c.change(func(id *identity) {
		if id.Apart != nil {
			id.Apart.Erased = append(id.Apart.Erased, erased{project, seqs})
		}
	})
}

// noting is the Warehouse of a node as erasures see it.
type noting struct {
	store.Warehouse
	copies *copies
}

// Erase keeps what is erased for a warehouse that has a copy of it. The log has it no more.
func (w noting) Erase(ctx context.Context, project string, seqs []entity.Seq) error {
	if err := w.copies.note(project, seqs); err != nil {
		return fmt.Errorf("keep what is to be erased elsewhere: %w", err)
	}
	return w.Warehouse.Erase(ctx, project, seqs)
}

// localOf says which Seqs of a shared warehouse are this node's, and where others stand in its log: behind all of it.
func localOf(of *atomic.Pointer[clickhouse.Warehouse]) func(entity.Seq) entity.Seq {
	return func(seq entity.Seq) entity.Seq {
		if w := of.Load(); w != nil {
			if own, mine := w.Own(seq); mine {
				return own
			}
		}
		return math.MaxInt64
	}
}

// tell erases and reprices in the shared warehouse what was erased and repriced here, and returns what it was told of.
func (id *identity) tell(ctx context.Context, w *clickhouse.Warehouse, prices *pricing.Pricing) (erasures, repriced int, err error) {
	if id.Apart == nil {
		return 0, 0, nil
	}
	for _, e := range id.Apart.Erased {
		seqs := make([]entity.Seq, len(e.Seqs))
		for i, seq := range e.Seqs {
			seqs[i] = clickhouse.Shared(w.Node(), seq)
		}
		if err := w.Erase(ctx, e.Project, seqs); err != nil {
			return 0, 0, err
		}
	}
	var of atomic.Pointer[clickhouse.Warehouse]
	of.Store(w)
	repriced = endedRepricings(prices)
	for _, r := range prices.Since(id.Apart.Repriced, localOf(&of)) {
		how := &store.Repricing{Project: r.Project, From: r.From, To: r.To, By: r.By, Done: func() error { return nil }}
		if _, err := w.Reprice(ctx, how); err != nil {
			return 0, 0, err
		}
	}
	return len(id.Apart.Erased), repriced, nil
}

// rejoinTime bounds how long a start waits for the shared warehouse to be told.
const rejoinTime = 2 * time.Minute

// rejoin tells the shared warehouse what happened here while the node had one of its own, before anybody is answered from it.
func (s *stores) rejoin(o clickhouse.Options) error {
	is := s.identity.Apart
	if is == nil {
		return nil
	}
	if len(is.Erased) > 0 || is.Repriced < endedRepricings(s.prices) {
		ctx, cancel := context.WithTimeout(context.Background(), rejoinTime)
		defer cancel()
		var of atomic.Pointer[clickhouse.Warehouse]
		o.Prices = s.prices.Elsewhere(localOf(&of))
		w, err := clickhouse.New(o)
		if err == nil {
			of.Store(w)
			if err = w.Connect(ctx); err == nil {
				_, _, err = s.identity.tell(ctx, w, s.prices)
			}
			err = errors.Join(err, w.Close())
		}
		if err != nil {
			return fmt.Errorf("erase and reprice in the shared warehouse what was erased and repriced here since it has a copy: %w", err)
		}
	}
	s.identity.Apart = nil
	return s.identity.write(s.identityPath)
}
