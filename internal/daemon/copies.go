package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/removal"
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

// noteBegun keeps which events of other nodes an erasure was about, that began while the node shared, and returns those of its own.
func (s *stores) noteBegun(_ context.Context, list []removal.Erasure) (own []removal.Erasure, err error) {
	var others []erased
	numbers := s.hadNumbers()
	for _, e := range list {
		mine, begun := removal.Erasure{Project: e.Project, Media: e.Media, Traces: e.Traces}, erased{Project: e.Project}
		for _, seq := range e.Seqs {
			node, at := clickhouse.Own(seq)
			if of, _ := numbers.Born(at); of == node {
				mine.Seqs = append(mine.Seqs, at)
			} else {
				begun.Seqs = append(begun.Seqs, seq)
			}
		}
		own = append(own, mine)
		if len(begun.Seqs) > 0 {
			others = append(others, begun)
		}
	}
	if len(others) == 0 {
		return own, nil
	}
	return own, s.copies.change(func(id *identity) {
		for _, e := range others {
			same := func(has erased) bool { return has.Project == e.Project && slices.Equal(has.Seqs, e.Seqs) }
			if id.Apart != nil && !slices.ContainsFunc(id.Apart.Begun, same) { // else it was noted before
				id.Apart.Begun = append(id.Apart.Begun, e)
			}
		}
	})
}

// begunAlone is what an erasure was about that began while the node was alone, as the shared warehouse names it.
func (s *stores) begunAlone(ctx context.Context, list []removal.Erasure) (shared []removal.Erasure, err error) {
	select {
	case <-s.shared.Ready():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for _, e := range list {
		shared = append(shared, removal.Erasure{Project: e.Project, Seqs: s.sharedSeqs(s.shared.Node(), e.Seqs), Traces: e.Traces})
	}
	return shared, nil
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

// seqsOf says which Seqs of a shared warehouse are of this node's log. Whose the others are is known where the node has the number that it had last: these are the tables
// that it shared.
func (s *stores) seqsOf(of *atomic.Pointer[clickhouse.Warehouse]) pricing.Seqs {
	return func(seq entity.Seq) (node uint16, own entity.Seq, mine, known bool) {
		w := of.Load()
		if w == nil {
			return 0, 0, false, false
		}
		node, own = clickhouse.Own(seq)
		return node, own, node == w.Node(), s.had(w.Node())
	}
}

// had says that a number is the last that the node had.
func (s *stores) had(number uint16) bool {
	had := s.hadNumbers()
	return len(had) > 0 && had[len(had)-1].Node == number
}

// sharedSeqs are Seqs of the log in the shared warehouse, in which the node has that number.
func (s *stores) sharedSeqs(number uint16, seqs []entity.Seq) []entity.Seq {
	shared := make([]entity.Seq, len(seqs))
	for i, seq := range seqs {
		node := number
		if s.had(number) {
			node, _ = s.hadNumbers().Born(seq)
		}
		shared[i] = clickhouse.Shared(node, seq)
	}
	return shared
}

// tell erases and reprices in the shared warehouse what was erased and repriced here, and returns what it was told of.
func (s *stores) tell(ctx context.Context, id *identity, w *clickhouse.Warehouse) (erasures, repriced int, err error) {
	if id.Apart == nil {
		return 0, 0, nil
	}
	for _, e := range id.Apart.Erased {
		if err := w.Erase(ctx, e.Project, s.sharedSeqs(w.Node(), e.Seqs)); err != nil {
			return 0, 0, err
		}
	}
	for _, e := range id.Apart.Begun {
		if !s.had(w.Node()) {
			break // they are events of other tables
		}
		if err := errors.Join(w.Ask(ctx, e.Seqs), w.Erase(ctx, e.Project, e.Seqs)); err != nil {
			return 0, 0, err
		}
	}
	var of atomic.Pointer[clickhouse.Warehouse]
	of.Store(w)
	repriced = endedRepricings(s.prices)
	for _, r := range s.prices.Since(id.Apart.Repriced, s.seqsOf(&of)) {
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
	id := s.identity.get()
	is := id.Apart
	if is == nil {
		return nil
	}
	if len(is.Erased)+len(is.Begun) > 0 || is.Repriced < endedRepricings(s.prices) {
		ctx, cancel := context.WithTimeout(context.Background(), rejoinTime)
		defer cancel()
		var of atomic.Pointer[clickhouse.Warehouse]
		o.Prices = s.prices.Elsewhere(s.seqsOf(&of))
		w, err := clickhouse.New(o)
		if err == nil {
			of.Store(w)
			if err = w.Connect(ctx); err == nil {
				_, _, err = s.tell(ctx, &id, w)
			}
			err = errors.Join(err, w.Close())
		}
		if err != nil {
			return fmt.Errorf("erase and reprice in the shared warehouse what was erased and repriced here since it has a copy: %w", err)
		}
	}
	return s.identity.change(func(id *identity) bool {
		id.Apart = nil
		return true
	})
}
